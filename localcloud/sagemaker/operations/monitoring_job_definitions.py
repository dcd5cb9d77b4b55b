"""Data- and model-quality job definitions: what a monitoring schedule runs, under a name."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import in_use
from localcloud.sagemaker.monitoring.definitions import KINDS, check, job_definition, of_job_definition
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import Handler, operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Resource


def _create(kind: str) -> Handler:
    def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
        name = request["JobDefinitionName"]
        definition = of_job_definition(request, kind)
        check(definition, cloud)
        arn = cloud.arn(f"{job_definition(kind).arn}/{name}")
        body = {**request, "JobDefinitionArn": arn, "EndpointName": definition.endpoint}
        try:
            cloud.store.insert(KINDS[kind], name, body, arn=arn)
        except AlreadyExistsError:
            raise in_use(f"Job definition names must be unique, and {arn} already exists.") from None
        cloud.store.set_tags(arn, as_dict(request.get("Tags")))
        return {"JobDefinitionArn": arn}

    return create


def _describe(kind: str) -> Handler:
    def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
        found = existing(cloud, job_definition(kind), request["JobDefinitionName"])
        return described(found)

    return describe


def _list(kind: str) -> Handler:
    def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
        answer = page(cloud, request, KINDS[kind], _summary, answer="JobDefinitionSummaries", descending=True)
        if endpoint := request.get("EndpointName"):
            kept = [one for one in answer["JobDefinitionSummaries"] if one["EndpointName"] == endpoint]
            answer["JobDefinitionSummaries"] = kept
        return answer

    return listing


def _delete(kind: str) -> Handler:
    def delete(cloud: Cloud, request: dict[str, Any]) -> None:
        cloud.store.delete(KINDS[kind], existing(cloud, job_definition(kind), request["JobDefinitionName"]).name)

    return delete


def _summary(resource: Resource) -> dict[str, Any]:
    return {
        "MonitoringJobDefinitionName": resource.name,
        "MonitoringJobDefinitionArn": resource.arn,
        "CreationTime": resource.created,
        "EndpointName": resource.body["EndpointName"],
    }


for _kind, _name in KINDS.items():
    operation(f"Create{_name}")(_create(_kind))
    operation(f"Describe{_name}")(_describe(_kind))
    operation(f"List{_name}s")(_list(_kind))
    operation(f"Delete{_name}")(_delete(_kind))

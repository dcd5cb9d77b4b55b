"""Endpoints: create, look at, update, delete. What is asked for happens in the background, as on AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.endpoints import deployment, policy, records, serverless
from localcloud.sagemaker.endpoints.hosting import EndpointHosting
from localcloud.sagemaker.endpoints.plan import EndpointPlan, Variant, limited, plan, require_serving, retaining
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.operations.endpoint_configs import ENDPOINT_CONFIG
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.monitoring_schedules import monitored
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body, Resource


@operation("CreateEndpoint")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to serve a configuration."""
    name = request["EndpointName"]
    arn = cloud.arn(f"endpoint/{name}")
    wanted = plan(cloud, existing(cloud, ENDPOINT_CONFIG, request["EndpointConfigName"]).body)
    config = request.get("DeploymentConfig", {})
    policy.check(config, wanted.instances)
    require_serving(wanted)
    body: Body = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": wanted.config,
        "EndpointStatus": "Creating",
        "LastDeploymentConfig": config or None,
        "Plan": wanted.to_body(),
    }
    try:
        made = cloud.store.insert(records.KIND, name, body, arn=arn, status="Creating")
    except AlreadyExistsError:
        raise validation(f'Cannot create already existing endpoint "{arn}".') from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    cloud.announce(News(records.KIND, name, "Creating", "", described(made)))
    deployment.create(cloud, name)
    return {"EndpointArn": arn}


@operation("DescribeEndpoint")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The endpoint; CurrentInstanceCount is the number of processes that are healthy now."""
    found = existing(cloud, records.ENDPOINT, request["EndpointName"])
    healthy = cloud.shared(EndpointHosting).healthy(found.name)
    variants = [
        variant
        if "DesiredServerlessConfig" in variant
        else {**variant, "CurrentInstanceCount": healthy.get(variant["VariantName"], 0)}
        for variant in found.body.get("ProductionVariants") or []
    ]
    return {**described(found), "ProductionVariants": variants or None}


@operation("ListEndpoints")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Endpoints, newest first unless asked otherwise."""
    return page(cloud, request, records.KIND, described, answer="Endpoints", descending=True)


@operation("UpdateEndpoint")
def update(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to replace what the endpoint serves; until that is done, and if it fails, it serves what it did."""
    found = _updatable(cloud, request["EndpointName"])
    live = records.running(found)
    wanted = plan(cloud, existing(cloud, ENDPOINT_CONFIG, request["EndpointConfigName"]).body)
    if wanted.config == found.body["EndpointConfigName"]:
        raise validation(
            f'Cannot update endpoint "{found.arn}": it uses the endpoint configuration {wanted.config!r} already, and '
            "an update needs another one."
        )
    if any(variant.serverless for variant in wanted.variants) and not any(v.serverless for v in live.variants):
        raise validation(f'Cannot update endpoint "{found.arn}": one with instances does not become serverless.')
    if request.get("RetainAllVariantProperties"):
        excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
        wanted = retaining(wanted, live, excluded)
    config = request.get("DeploymentConfig", {})
    if not config and request.get("RetainDeploymentConfig"):
        config = found.body.get("LastDeploymentConfig") or {}
    policy.check(config, wanted.instances)
    if config and {variant.name for variant in wanted.variants} != {variant.name for variant in live.variants}:
        raise validation("With a DeploymentConfig the variants must have the names of those that are live.")
    _begin(cloud, found, wanted, config)
    return {"EndpointArn": found.arn}


@operation("UpdateEndpointWeightsAndCapacities")
def update_weights_and_capacities(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Begin to replace the variants' weights and instance counts; the processes are replaced with them."""
    found = _updatable(cloud, request["EndpointName"])
    live = records.running(found)
    changes = {item["VariantName"]: item for item in request["DesiredWeightsAndCapacities"]}
    if unknown := sorted(set(changes) - {variant.name for variant in live.variants}):
        raise validation(f'The variant {unknown[0]!r} does not exist in endpoint "{found.arn}".')
    variants = tuple(_changed(variant, changes.get(variant.name, {})) for variant in live.variants)
    _begin(cloud, found, limited(replace(live, variants=variants)), {})
    return {"EndpointArn": found.arn}


@operation("DeleteEndpoint")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Begin to take the endpoint out of service; requests under way are finished. Its schedules must go first."""
    name = request["EndpointName"]
    if watching := monitored(cloud, name):
        arn = cloud.arn(f"endpoint/{name}")
        raise validation(f'Cannot delete endpoint "{arn}": delete its schedules first: {", ".join(watching)}')
    records.begin(cloud, request["EndpointName"], "Deleting")
    deployment.delete(cloud, request["EndpointName"])


def _changed(variant: Variant, change: Body) -> Variant:
    """A variant after UpdateEndpointWeightsAndCapacities.

    Raises:
        ServiceError: ValidationException.
    """
    instances, update = change.get("DesiredInstanceCount"), change.get("ServerlessUpdateConfig")
    if variant.serverless and instances is not None:
        raise validation(f"The variant {variant.name!r} is serverless: it has no DesiredInstanceCount.")
    if update and not variant.serverless:
        raise validation(f"The variant {variant.name!r} has instances: it has no ServerlessUpdateConfig.")
    if instances is not None and instances < 1:
        raise validation("DesiredInstanceCount must be at least 1.")
    return replace(
        variant,
        weight=float(change.get("DesiredWeight", variant.weight)),
        instances=variant.instances if instances is None else instances,
        serverless=serverless.changed(variant.serverless, update)
        if variant.serverless and update
        else variant.serverless,
    )


def _updatable(cloud: Cloud, name: str) -> Resource:
    found = records.idle(cloud, name)
    if found.status == "Failed":
        raise validation(f'Endpoint "{found.arn}" has status Failed: it can only be deleted.')
    return found


def _begin(cloud: Cloud, found: Resource, wanted: EndpointPlan, config: Body) -> None:
    require_serving(wanted)
    records.begin(cloud, found.name, "Updating", {"Next": wanted.to_body(), "FailureReason": None})
    deployment.update(cloud, found.name, config)

"""Endpoint configurations: which models an endpoint serves, on what, and how it captures their data."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import serverless
from localcloud.sagemaker.endpoints.plan import plan
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import ResourceType, described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body

ENDPOINT_CONFIG = ResourceType("EndpointConfig", "endpoint-config", 'Could not find endpoint configuration "{arn}".')
NOT_DONE = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "EnableNetworkIsolation")
NOT_DONE_IN_VARIANTS = ("ManagedInstanceScaling", "InstancePools", "CapacityReservationConfig")


@operation("CreateEndpointConfig")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add a configuration whose models are there."""
    _check(request)
    plan(cloud, request)
    name = request["EndpointConfigName"]
    arn = cloud.arn(f"endpoint-config/{name}")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
    body: Body = {**request, "ProductionVariants": variants, "EndpointConfigArn": arn}
    try:
        cloud.store.insert(ENDPOINT_CONFIG.name, name, body, arn=arn)
    except AlreadyExistsError:
        raise validation(f'Cannot create already existing endpoint configuration "{arn}".') from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"EndpointConfigArn": arn}


@operation("DescribeEndpointConfig")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The configuration as it was created."""
    return described(existing(cloud, ENDPOINT_CONFIG, request["EndpointConfigName"]))


@operation("ListEndpointConfigs")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Configurations, newest first unless asked otherwise."""
    return page(cloud, request, ENDPOINT_CONFIG.name, described, answer="EndpointConfigs", descending=True)


@operation("DeleteEndpointConfig")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget the configuration; an endpoint that uses it goes on with its own copy."""
    cloud.store.delete(ENDPOINT_CONFIG.name, existing(cloud, ENDPOINT_CONFIG, request["EndpointConfigName"]).name)


def _check(request: Body) -> None:
    for name in NOT_DONE:
        if request.get(name):
            raise validation(f"The local SageMaker does not support {name} in an endpoint configuration.")
    names = [variant["VariantName"] for variant in request["ProductionVariants"]]
    if len(set(names)) != len(names):
        raise validation(f"ProductionVariants name a variant twice: {', '.join(sorted(names))}.")
    for variant in request["ProductionVariants"]:
        for name in NOT_DONE_IN_VARIANTS:
            if variant.get(name):
                raise validation(
                    f"The local SageMaker does not support {name} of a variant: it serves a fixed number of instances."
                )
        of_instances = () if variant.get("ServerlessConfig") else ("InitialInstanceCount", "InstanceType")
        for name in ("ModelName", *of_instances):
            if name not in variant:
                raise validation(f"{name} is required for the variant {variant['VariantName']!r}.")
    serverless.check_config(request)
    if capture := request.get("DataCaptureConfig"):
        split(capture["DestinationS3Uri"])

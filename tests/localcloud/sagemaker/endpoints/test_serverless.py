"""Serverless endpoints through boto3: a concurrency in place of instances, throttling, and what AWS excludes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import eventually
from endpoint_support import ANSWERS, SLOW, Clients, capture, refused
from job_support import Bucket, ServingModel, unique

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.hosting import EndpointHosting


def serverless(clients: Clients, model: str, most: int = 2, **more: Any) -> str:
    """A configuration with a serverless variant, as one writes it by hand; its name."""
    name = unique("config")
    sizes = {"MemorySizeInMB": 2048, "MaxConcurrency": most, **more.pop("sizes", {})}
    variant = {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": sizes, **more.pop("variant", {})}
    clients.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **more)
    return name


def in_flight(cloud: Cloud, endpoint: str) -> int:
    hosted = cloud.shared(EndpointHosting).find(endpoint)
    assert hosted
    assert hosted.traffic.live
    return sum(one.in_flight for group in hosted.traffic.live.instances.values() for one in group)


def test_a_serverless_endpoint_works_on_as_many_requests_as_it_may_and_throttles_the_next(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel, tmp_path: Path
) -> None:
    config = serverless(endpoints, serving_model(SLOW))
    [described] = endpoints.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    sizes = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    assert described["ServerlessConfig"] == sizes
    assert "InstanceType" not in described
    name = endpoints.serve(config)
    [variant] = endpoints.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert variant.pop("DeployedImages")
    assert variant == {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 0,
        "CurrentServerlessConfig": sizes,
        "DesiredServerlessConfig": sizes,
    }
    go = tmp_path / "go"
    with ThreadPoolExecutor(2) as callers:
        calls = [callers.submit(endpoints.invoke, name, str(go).encode()) for _ in range(2)]
        eventually(lambda: in_flight(cloud, name) == 2)
        answer = refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=b"one more")
        assert answer["Error"]["Code"] == "ThrottlingException"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
        go.touch()
        assert [call.result() for call in calls] == [b"done", b"done"]
    assert endpoints.invoke(name, str(go).encode()) == b"done"
    too_long = refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=bytes((4 << 20) + 1))
    assert too_long["Error"]["Code"] == "ValidationError"
    assert too_long["ResponseMetadata"]["HTTPStatusCode"] == 413

    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 5}}],
    )
    [variant] = endpoints.settled(name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def test_a_serverless_endpoint_takes_a_new_model_and_then_instances_and_does_not_come_back(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    sagemaker = endpoints.sagemaker
    old, new = (serving_model(ANSWERS.format(word=word)) for word in ("old", "new"))
    name = endpoints.serve(serverless(endpoints, old))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=serverless(endpoints, new))
    assert endpoints.settled(name)["EndpointStatus"] == "InService"
    assert endpoints.invoke(name) == b"new"
    with_instances = endpoints.config(old, variant={"InitialInstanceCount": 2})
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=with_instances, RetainAllVariantProperties=True)
    [variant] = endpoints.settled(name)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2
    assert "CurrentServerlessConfig" not in variant
    assert endpoints.invoke(name) == b"old"
    back = serverless(endpoints, new)
    answer = refused(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=back)["Error"]
    assert answer["Code"] == "ValidationException"
    assert "does not become serverless" in answer["Message"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"sizes": {"MemorySizeInMB": 1500}}, "multiple of 1024"),
        ({"sizes": {"ProvisionedConcurrency": 3}}, "less than or equal to MaxConcurrency"),
        ({"variant": {"InstanceType": "ml.m5.large"}}, "cannot have InstanceType"),
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}, "VpcConfig"),
    ],
)
def test_what_a_serverless_variant_cannot_have_is_refused(
    endpoints: Clients, serving_model: ServingModel, request_: dict[str, Any], words: str
) -> None:
    answer = refused(serverless, clients=endpoints, model=serving_model(SLOW), **request_)["Error"]
    assert answer["Code"] == "ValidationException"
    assert words in answer["Message"]


def test_features_of_instances_are_refused_for_serverless_endpoints(
    endpoints: Clients, bucket: Bucket, serving_model: ServingModel
) -> None:
    def message(model: str, **more: Any) -> str:
        found = refused(serverless, clients=endpoints, model=model, **more)["Error"]
        assert found["Code"] == "ValidationException"
        return str(found["Message"])

    model = serving_model(SLOW)
    assert "Data capture" in message(model, DataCaptureConfig=capture(bucket))
    assert "network" in message(serving_model(SLOW, EnableNetworkIsolation=True)).lower()
    instance = {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "ModelName": model}
    sizes = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    two = [
        {"VariantName": "a", "ModelName": model, "ServerlessConfig": sizes},
        {"VariantName": "b", **instance},
    ]
    call = endpoints.sagemaker.create_endpoint_config
    answer = refused(call, EndpointConfigName=unique("config"), ProductionVariants=two)["Error"]
    assert "one production variant" in answer["Message"]

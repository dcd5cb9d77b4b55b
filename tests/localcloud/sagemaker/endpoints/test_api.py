"""Endpoints through boto3: the control plane, the runtime, and both in AWS's words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from capture_schema import check_capture_file
from cloud_fixtures import LocalCloud, eventually
from endpoint_support import PORT, Clients, capture, clients_of, refused, word_model
from job_support import ROLE, Bucket, ServingModel, unique
from view_support import needs_views

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.hosting import EndpointHosting

ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"
ECHO = """
def answer(body, headers):
    import json
    sent = {name.lower(): value for name, value in headers.items()}
    return 200, json.dumps([len(body), sent]).encode()
"""


def error_of(response: dict[str, Any]) -> tuple[str, str]:
    return response["Error"]["Code"], response["Error"]["Message"]


def test_an_endpoint_from_creation_to_deletion(on_local_cloud: LocalCloud, bucket: Bucket) -> None:
    clients = clients_of(on_local_cloud.addresses.sagemaker)
    sagemaker = clients.sagemaker
    model = word_model(sagemaker, bucket, "bicycle")
    config = clients.config(model, DataCaptureConfig=capture(bucket))
    name = clients.create(config)
    created = sagemaker.describe_endpoint(EndpointName=name)
    assert created["EndpointStatus"] == "Creating"
    found = clients.settled(name)
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointArn"] == f"{ACCOUNT}:endpoint/{name}"
    assert found["EndpointConfigName"] == config
    assert found["CreationTime"] <= found["LastModifiedTime"] <= found["CreationTime"] + timedelta(minutes=2)
    (variant,) = found["ProductionVariants"]
    (image,) = variant.pop("DeployedImages")
    assert image["SpecifiedImage"].endswith("/pytorch-inference:2.6-cpu-py312")
    weights = {"CurrentWeight": 1.0, "DesiredWeight": 1.0, "CurrentInstanceCount": 1, "DesiredInstanceCount": 1}
    assert variant == {"VariantName": "AllTraffic", **weights}
    assert found["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": bucket.uri("capture"),
        "KmsKeyId": "",
    }
    listed = sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert [item["EndpointName"] for item in listed] == [name]

    answer = clients.runtime.invoke_endpoint(
        EndpointName=name, Body=b"12345", ContentType="image/png", InferenceId="run/1", CustomAttributes="a=b"
    )
    assert json.loads(answer["Body"].read()) == ["bicycle", 5]
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    clients.invoke(name, ContentType="image/png")

    clients.delete(name)
    (key,) = bucket.keys("capture/")
    folder, _, file = key.rpartition("/")
    assert folder.startswith(f"capture/{name}/AllTraffic/")
    records = check_capture_file(file, bucket.get(key))
    assert [record["eventMetadata"].get("inferenceId") for record in records] == ["run/1", None]
    assert records[0]["captureData"]["endpointInput"] == {
        "observedContentType": "image/png",
        "mode": "INPUT",
        "data": "MTIzNDU=",
        "encoding": "BASE64",
    }
    assert json.loads(records[0]["captureData"]["endpointOutput"]["data"]) == ["bicycle", 5]
    assert records[0]["eventMetadata"]["customAttributes"] == ["a=b"]
    (stream,) = boto3.client("logs").describe_log_streams(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["logStreams"]
    assert stream["logStreamName"].startswith("AllTraffic/i-")
    sagemaker.delete_endpoint_config(EndpointConfigName=config)


def test_invocations_are_counted_in_cloudwatch(endpoints: Clients, cloud: Cloud, serving_model: ServingModel) -> None:
    fails = 'def answer(body, headers):\n    return (200 if body == b"body" else 418 if body == b"4" else 500), b"x"'
    config = endpoints.config(serving_model(fails))
    name = endpoints.serve(config)
    for body in (b"body", b"body", b"4", b"5"):
        refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=body)
    cloud.shared(EndpointHosting).metrics.send()
    of_variant = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}]
    of_fleet = [*of_variant, {"Name": "EndpointConfigName", "Value": config}]

    def statistics(metric: str, dimensions: list[dict[str, str]] = of_variant) -> dict[str, Any]:
        found = cloud.aws("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86_400,
            Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
            ExtendedStatistics=["p50", "p90"],
        )
        (point,) = found["Datapoints"]
        return dict(point)

    sums = {
        "Invocations": 4,
        "Invocation4XXErrors": 1,
        "Invocation5XXErrors": 1,
        "InvocationModelErrors": 2,
    }
    assert {name: statistics(name)["Sum"] for name in sums} == sums
    assert {name: statistics(name, of_fleet)["Sum"] for name in sums} == sums, "by which rollback alarms go"
    latency = statistics("ModelLatency")
    assert (latency["Unit"], latency["SampleCount"]) == ("Microseconds", 4)
    p50, p90 = (latency["ExtendedStatistics"][name] for name in ("p50", "p90"))
    assert 0 < latency["Minimum"] <= p50 <= p90 <= latency["Maximum"] < 60e6
    assert 0 < statistics("OverheadLatency")["Minimum"] < 60e6


def test_a_container_gets_the_headers_of_the_contract_and_no_others(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    name = endpoints.serve(endpoints.config(serving_model(ECHO)))
    length, sent = json.loads(
        endpoints.invoke(
            name, b"12", ContentType="image/png", Accept="application/json", CustomAttributes="x", InferenceId="id 1"
        )
    )
    assert length == 2
    assert {key: value for key, value in sent.items() if key != "host"} == {
        "content-length": "2",
        "content-type": "image/png",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "x",
        "x-amzn-sagemaker-inference-id": "id 1",
    }


def test_a_model_s_error_is_a_model_error_with_its_status_and_words(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    refuses = 'def answer(body, headers):\n    return int(body), b"content type text/html is not an image"'
    name = endpoints.serve(endpoints.config(serving_model(refuses)))
    group = f"/aws/sagemaker/Endpoints/{name}"
    for status, fault in ((415, "client"), (500, "server")):
        with pytest.raises(endpoints.runtime.exceptions.ModelError) as error:
            endpoints.invoke(name, str(status).encode())
        response = error.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert response["OriginalStatusCode"] == status
        assert response["OriginalMessage"] == "content type text/html is not an image"
        assert response["LogStreamArn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
        console = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        assert response["Error"]["Message"] == (
            f'Received {fault} error ({status}) from primary with message "content type text/html is not an image". '
            f"See {console}#logEventViewer:group={group} in account 000000000000 for more information."
        )


@needs_views
def test_an_isolated_model_answers_and_reaches_nothing(endpoints: Clients, serving_model: ServingModel) -> None:
    asks = """
        import urllib.request
        def answer(body, headers):
            try:
                urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=5)
            except OSError as error:
                return 200, str(error).encode()
            return 200, b"reached"
    """
    name = endpoints.serve(endpoints.config(serving_model(asks, EnableNetworkIsolation=True)))
    assert [endpoints.invoke(name) for _ in range(3)] == [b"<urlopen error [Errno 111] Connection refused>"] * 3


def test_what_the_runtime_refuses(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(ECHO)))
    invoke = endpoints.runtime.invoke_endpoint
    missing = refused(invoke, EndpointName="nobody", Body=b"")
    assert error_of(missing) == ("ValidationError", "Endpoint nobody of account 000000000000 not found.")
    assert missing["ResponseMetadata"]["HTTPStatusCode"] == 400
    long = refused(invoke, EndpointName=name, Body=bytes(6_291_457))
    assert error_of(long) == ("ValidationError", "HTTP content length exceeded 6291456 bytes.")
    assert json.loads(endpoints.invoke(name, bytes(6_291_456)))[0] == 6_291_456
    other = refused(invoke, EndpointName=name, Body=b"", TargetVariant="other")
    assert error_of(other) == ("ValidationError", f"Variant other of endpoint {name} not found.")
    text = refused(invoke, EndpointName=name, Body=b"", CustomAttributes="a" * 1025)
    assert error_of(text)[1] == "CustomAttributes has 1025 characters; 0 to 1024 are allowed."
    target = refused(invoke, EndpointName=name, Body=b"", TargetModel="m.tar.gz")
    assert error_of(target) == ("ValidationError", "The local SageMaker does not do x-amzn-sagemaker-target-model.")


def test_requests_go_to_variants_by_weight_or_to_the_one_that_is_named(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel
) -> None:
    variants = [
        {
            "VariantName": variant,
            "ModelName": serving_model(f'def answer(body, headers):\n    return 200, b"{variant}"'),
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": weight,
        }
        for variant, weight in (("heavy", 3.0), ("light", 1.0))
    ]
    config = unique("config")
    endpoints.sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=variants)
    name = endpoints.serve(config)
    hosted = cloud.shared(EndpointHosting).find(name)
    assert hosted is not None
    hosted.traffic.chance.seed(7)
    answers = [endpoints.invoke(name) for _ in range(200)]
    assert 30 <= answers.count(b"light") <= 70  # 50 expected, 6 of standard deviation
    assert {endpoints.invoke(name, TargetVariant="light") for _ in range(5)} == {b"light"}

    changes = [{"VariantName": "heavy", "DesiredWeight": 0.0, "DesiredInstanceCount": 2}]
    endpoints.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=changes)
    found = endpoints.settled(name)
    heavy = next(variant for variant in found["ProductionVariants"] if variant["VariantName"] == "heavy")
    assert (heavy["CurrentWeight"], heavy["CurrentInstanceCount"]) == (0.0, 2)
    assert {endpoints.invoke(name) for _ in range(10)} == {b"light"}


def test_sampling_captures_its_percentage_with_both_sides(
    endpoints: Clients, cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("def answer(body, headers):\n    return 200, body")
    name = endpoints.serve(endpoints.config(model, DataCaptureConfig=capture(bucket, percentage=30)))
    hosted = cloud.shared(EndpointHosting).find(name)
    assert hosted is not None
    hosted.traffic.chance.seed(7)
    for number in range(200):
        endpoints.invoke(name, str(number).encode())
    assert cloud.shared(EndpointHosting).capture.flush(name)
    records = [
        record
        for key in bucket.keys("capture/")
        for record in check_capture_file(key.rpartition("/")[2], bucket.get(key))
    ]
    assert 40 <= len(records) <= 80  # 60 expected, 6.5 of standard deviation
    for record in records:
        sides = record["captureData"]
        assert sides["endpointInput"]["data"] == sides["endpointOutput"]["data"]


def test_two_instances_share_the_requests(endpoints: Clients, serving_model: ServingModel) -> None:
    model = serving_model(PORT)
    name = endpoints.serve(endpoints.config(model, variant={"InitialInstanceCount": 2}))
    assert endpoints.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert len({endpoints.invoke(name) for _ in range(40)}) == 2


def test_what_the_control_plane_refuses(endpoints: Clients, bucket: Bucket, serving_model: ServingModel) -> None:
    sagemaker, model = endpoints.sagemaker, serving_model(ECHO)
    config = endpoints.config(model)
    name = endpoints.create(config)
    arn = f"{ACCOUNT}:endpoint/{name}"
    busy = ("ValidationException", f'Cannot update in-progress endpoint "{arn}".')
    assert error_of(refused(sagemaker.delete_endpoint, EndpointName=name)) == busy
    assert error_of(refused(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=config)) == busy
    endpoints.settled(name)

    def message(call: Any, **request: Any) -> str:
        code, text = error_of(refused(call, **request))
        assert code == "ValidationException"
        return text

    assert message(sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config) == (
        f'Cannot create already existing endpoint "{arn}".'
    )
    assert message(sagemaker.describe_endpoint, EndpointName="no") == (
        f'Could not find endpoint "{ACCOUNT}:endpoint/no".'
    )
    assert message(sagemaker.create_endpoint, EndpointName="no", EndpointConfigName="no") == (
        f'Could not find endpoint configuration "{ACCOUNT}:endpoint-config/no".'
    )
    assert "uses the endpoint configuration" in message(
        sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=config
    )
    assert message(endpoints.config, model=model, name=config) == (
        f'Cannot create already existing endpoint configuration "{ACCOUNT}:endpoint-config/{config}".'
    )
    assert message(endpoints.config, model="no") == f'Could not find model "{ACCOUNT}:model/no".'
    for variant, words in (({"ManagedInstanceScaling": {"Status": "ENABLED"}}, "ManagedInstanceScaling"),):
        assert words in message(endpoints.config, model=model, variant=variant)
    asynchronous = {"OutputConfig": {"S3OutputPath": bucket.uri("out")}}
    assert "AsyncInferenceConfig" in message(endpoints.config, model=model, AsyncInferenceConfig=asynchronous)
    many = endpoints.config
    code, text = error_of(refused(many, model=model, variant={"InitialInstanceCount": 9}))
    assert code == "ResourceLimitExceeded"
    assert "is 8 Instances, with a request delta of 9 Instances" in text


def test_an_endpoint_serves_a_model_package_and_outlives_what_it_was_made_from(
    endpoints: Clients, bucket: Bucket
) -> None:
    sagemaker = endpoints.sagemaker
    plain = sagemaker.describe_model(ModelName=word_model(sagemaker, bucket, "motorcycle"))["PrimaryContainer"]
    group = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": plain["Image"], "ModelDataUrl": plain["ModelDataUrl"]}],
            "SupportedContentTypes": ["image/png"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    model = unique("model")
    sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package})
    config = endpoints.config(model)
    name = endpoints.serve(config)
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=model)
    sagemaker.delete_model_package(ModelPackageName=package)
    assert json.loads(endpoints.invoke(name, b"1")) == ["motorcycle", 1]
    assert endpoints.settled(name)["EndpointStatus"] == "InService"
    endpoints.delete(name)


def test_configurations_are_described_and_listed(
    endpoints: Clients, bucket: Bucket, serving_model: ServingModel
) -> None:
    sagemaker, model = endpoints.sagemaker, serving_model(ECHO)
    name = endpoints.config(model, DataCaptureConfig=capture(bucket), Tags=[{"Key": "Project", "Value": "scones"}])
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    assert found["DataCaptureConfig"]["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    assert sagemaker.list_tags(ResourceArn=found["EndpointConfigArn"])["Tags"] == [
        {"Key": "Project", "Value": "scones"}
    ]
    other = endpoints.config(model)
    newest = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in newest] == [other, name]
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert refused(sagemaker.describe_endpoint_config, EndpointConfigName=name)
    eventually(lambda: len(sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1)

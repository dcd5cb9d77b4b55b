"""The region that a client signs for is the region of everything it makes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually
from endpoint_support import served
from job_support import ROLE, unique
from stepfunctions_support import serving

from localcloud import regions
from localcloud.sagemaker.cloud import Cloud

HERE, THERE = "us-east-1", "eu-central-1"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TELL = """
import os, pathlib, boto3
region = os.environ["AWS_REGION"]
pathlib.Path(os.environ["OUT"], region).write_text(boto3.client("s3").meta.region_name)
print("written")
"""


def client(cloud: LocalCloud, service: str, region: str) -> Any:
    addresses = cloud.addresses
    urls = {"sagemaker": addresses.sagemaker, "sagemaker-runtime": addresses.sagemaker}
    urls["stepfunctions"] = addresses.stepfunctions
    session = boto3.Session("test", "test", region_name=region)
    return session.client(service, endpoint_url=urls.get(service, addresses.ministack))


def test_every_region_that_botocore_knows_has_a_folder() -> None:
    session = boto3.Session()
    known = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition, allow_non_regional=False)
    }
    assert not [region for region in known if not regions._REGION.fullmatch(region)]


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        (
            {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/ap-south-1/states/aws4_request, X"},
            {},
            "ap-south-1",
        ),
        ({}, {"X-Amz-Credential": "test/20260101/sa-east-1/sagemaker/aws4_request"}, "sa-east-1"),
        ({}, {}, HERE),
        ({"authorization": "Bearer token"}, {}, HERE),
    ],
)
def test_the_credential_scope_names_the_region(headers: Any, query: Any, expected: str) -> None:
    assert regions.region_of(headers, query, HERE) == expected


@pytest.mark.parametrize("name", ["..", "nowhere", "EU-CENTRAL-1", "eu-central-1-"])
def test_what_is_no_region_is_no_folder(name: str) -> None:
    with pytest.raises(regions.UnknownRegionError, match="which is no region"):
        regions.region_of({"authorization": f"Credential=a/20260101/{name}/s3/aws4_request"}, {}, HERE)


def test_a_request_that_is_signed_for_no_region_is_refused(local_cloud: LocalCloud) -> None:
    for service, call in (("sagemaker", "list_models"), ("stepfunctions", "list_activities")):
        with pytest.raises(ClientError, match="'nowhere', which is no region"):
            getattr(client(local_cloud, service, "nowhere"), call)()


def test_a_job_lives_in_the_region_that_its_client_signs_for(local_cloud: LocalCloud) -> None:
    name = unique("job")
    events, sqs = client(local_cloud, "events", THERE), client(local_cloud, "sqs", THERE)
    queue = sqs.create_queue(QueueName=unique("heard"))["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.sagemaker"], "detail": {"ProcessingJobName": [name]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
    s3 = client(local_cloud, "s3", THERE)
    bucket = unique("there")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": THERE})
    s3.put_object(Bucket=bucket, Key="code/tell.py", Body=TELL.encode())
    job = {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/tell.py"],
        },
        "Environment": {"OUT": "/opt/ml/processing/out"},
        "ProcessingInputs": [_input(bucket)],
        "ProcessingOutputConfig": {"Outputs": [_output(bucket)]},
    }
    here, there = client(local_cloud, "sagemaker", HERE), client(local_cloud, "sagemaker", THERE)
    arn = there.create_processing_job(**job)["ProcessingJobArn"]
    assert arn == f"arn:aws:sagemaker:{THERE}:000000000000:processing-job/{name}"
    assert here.create_processing_job(**job)["ProcessingJobArn"].split(":")[3] == HERE, (
        "the same name in another region"
    )
    for one in (here, there):
        one.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=name, WaiterConfig={"Delay": 1})
        assert one.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "Completed"
        found = one.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
        assert [each["ProcessingJobArn"].split(":")[3] for each in found] == [one.meta.region_name]
    with pytest.raises(ClientError, match="does not exist"):
        here.list_tags(ResourceArn=arn)
    told = [s3.get_object(Bucket=bucket, Key=f"out/{region}")["Body"].read().decode() for region in (HERE, THERE)]
    assert told == [HERE, THERE]
    logs = client(local_cloud, "logs", THERE)
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=name)
    assert streams["logStreams"], "the log is in the region"
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]
    heard = [json.loads(message["Body"]) for message in received]
    assert {(event["region"], event["resources"][0]) for event in heard} == {(THERE, arn)}


def _input(bucket: str) -> dict[str, Any]:
    source = {"S3Uri": f"s3://{bucket}/code", "LocalPath": "/opt/ml/processing/code", "S3DataType": "S3Prefix"}
    return {"InputName": "code", "S3Input": {**source, "S3InputMode": "File"}}


def _output(bucket: str) -> dict[str, Any]:
    target = {"S3Uri": f"s3://{bucket}/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {"OutputName": "out", "S3Output": target}


def test_a_state_machine_and_its_function_are_of_one_region(local_cloud: LocalCloud) -> None:
    name = unique("regional")
    functions, states = client(local_cloud, "lambda", THERE), client(local_cloud, "stepfunctions", THERE)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "import os\ndef handler(event, context):\n    return os.environ['AWS_REGION']\n")
    function = functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ANY_ROLE,
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )["FunctionArn"]
    definition = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": function, "End": True}}}
    made = states.create_state_machine(name=name, roleArn=ANY_ROLE, definition=json.dumps(definition))
    machine = made["stateMachineArn"]
    assert machine.split(":")[3] == THERE
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    assert states.describe_execution(executionArn=execution)["output"] == f'"{THERE}"'
    here = client(local_cloud, "stepfunctions", HERE)
    assert machine not in {one["stateMachineArn"] for one in here.list_state_machines()["stateMachines"]}
    with pytest.raises(here.exceptions.StateMachineDoesNotExist):
        here.describe_state_machine(stateMachineArn=machine)


def test_a_rule_starts_a_state_machine_of_its_region(local_cloud: LocalCloud) -> None:
    """By MiniStack's port, which is the address that SDKs without an endpoint of the service have."""
    name = unique("ruled")
    addresses = local_cloud.addresses
    session = boto3.Session("test", "test", region_name=THERE)
    states = session.client("stepfunctions", endpoint_url=addresses.ministack)
    events = session.client("events", endpoint_url=addresses.ministack)
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(name=name, roleArn=ANY_ROLE, definition=json.dumps(definition))
    arn = machine["stateMachineArn"]
    assert arn.split(":")[3] == THERE
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "RoleArn": ANY_ROLE}])
    events.put_events(Entries=[{"Source": name, "DetailType": "test", "Detail": "{}"}])
    eventually(lambda: states.list_executions(stateMachineArn=arn)["executions"])


@pytest.mark.usefixtures("on_local_cloud")
def test_regions_are_there_again_after_a_restart(cloud: Cloud) -> None:
    name = unique("kept")
    for again in (False, True):
        one = Cloud(cloud.state, cloud.aws_url, cloud.url, _clients=cloud._clients)
        with served(one) as url:
            here, there = (boto3.client("sagemaker", endpoint_url=url, region_name=region) for region in (HERE, THERE))
            if not again:
                there.create_model_package_group(ModelPackageGroupName=name)
            found = there.describe_model_package_group(ModelPackageGroupName=name)
            assert found["ModelPackageGroupArn"].split(":")[3] == THERE
            assert here.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert regions.kept(cloud.state, "sagemaker.sqlite") == [THERE, HERE]


@pytest.mark.usefixtures("on_local_cloud")
def test_an_execution_that_was_cut_off_in_another_region_is_ended(tmp_path: Path) -> None:
    waits = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    with serving(tmp_path) as machines:
        there = boto3.client("stepfunctions", endpoint_url=machines.client.meta.endpoint_url, region_name=THERE)
        arn = there.create_state_machine(name="waits", roleArn=ROLE, definition=json.dumps(waits))["stateMachineArn"]
        execution = there.start_execution(stateMachineArn=arn)["executionArn"]
    with serving(tmp_path) as machines:
        there = boto3.client("stepfunctions", endpoint_url=machines.client.meta.endpoint_url, region_name=THERE)
        assert there.describe_execution(executionArn=execution)["status"] == "FAILED"

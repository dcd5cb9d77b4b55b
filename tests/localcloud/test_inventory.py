"""`localcloud list` and `localcloud logs`, in a region that holds nothing else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually
from commands import run
from job_support import Bucket, processing, unique

REGION = "ap-southeast-2"
WAITS = """
import sys, time, boto3
print("before", flush=True)
s3 = boto3.client("s3")
while not s3.list_objects_v2(Bucket=sys.argv[1], Prefix="go").get("Contents"):
    time.sleep(0.05)
print("after")
"""
Service = Callable[[str], Any]
COMMAND = [sys.executable, "-m", "localcloud"]


@pytest.fixture
def service(local_cloud: LocalCloud) -> Service:
    addresses = local_cloud.addresses
    urls = {"sagemaker": addresses.sagemaker, "stepfunctions": addresses.stepfunctions}
    session = boto3.Session("test", "test", region_name=REGION)
    return lambda name: session.client(name, endpoint_url=urls.get(name, addresses.ministack))


def called(cloud: LocalCloud, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *words, "--state", str(cloud.state), "--region", REGION]
    return run(*command, environment=cloud.environment, folder=cloud.state)


def test_a_job_is_listed_and_its_log_followed_to_its_end(
    local_cloud: LocalCloud, bucket: Bucket, service: Service
) -> None:
    request = processing(bucket, WAITS, bucket.name)
    name = request["ProcessingJobName"]
    arn = service("sagemaker").create_processing_job(**request)["ProcessingJobArn"]
    words = [*COMMAND, "logs", name, "--follow", "--state", str(local_cloud.state), "--region", REGION]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=local_cloud.environment) as following:
        assert following.stdout
        assert following.stdout.readline() == "before\n"
        listed = json.loads(called(local_cloud, "list", "--json").stdout)
        [found] = [one for one in listed if one["name"] == name]
        bucket.put("go", b"")
        assert following.stdout.readline() == "after\n"
        assert "is empty: nothing is uploaded" in following.stdout.read()
        assert following.wait(60) == 0
    assert (found["kind"], found["status"], found["arn"]) == ("processing job", "InProgress", arn)
    assert called(local_cloud, "logs", arn).stdout.startswith("before\nafter\n")
    told = json.loads(called(local_cloud, "logs", name, "--json").stdout)
    assert (told["kind"], told["name"], told["lines"][:2]) == ("processing job", name, ["before", "after"])


def test_functions_and_executions_are_listed_with_what_happened_in_them(
    local_cloud: LocalCloud, service: Service
) -> None:
    name = unique("named")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    print('a', event)\n    raise KeyError('b')\n")
    function = service("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ANY_ROLE,
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )
    task = {"Type": "Task", "Resource": function["FunctionArn"], "End": True}
    definition = json.dumps({"StartAt": "Call", "States": {"Call": task}})
    states = service("stepfunctions")
    machine = states.create_state_machine(name=name, roleArn=ANY_ROLE, definition=definition)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, name="first", input='"event"')["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=execution)["status"] == "FAILED")
    rows = called(local_cloud, "list").stdout.splitlines()
    assert rows[0].split() == ["KIND", "NAME", "STATUS", "CREATED"]
    assert any(row.startswith("function ") and f" {name} " in row for row in rows)
    assert any(row.startswith("execution ") and f" {name}/first  FAILED " in row for row in rows)
    said = called(local_cloud, "logs", name, "--kind", "function").stdout
    assert "a event" in said
    assert "KeyError" in said
    happened = called(local_cloud, "logs", f"{name}/first", "--follow").stdout
    assert [line.split()[1] for line in happened.splitlines()][:2] == ["ExecutionStarted", "TaskStateEntered"]
    assert "KeyError" in happened.splitlines()[-1]


def test_the_steps_of_a_pipeline_are_its_log(local_cloud: LocalCloud, service: Service) -> None:
    sagemaker, name = service("sagemaker"), unique("pipeline")
    failing = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as it should"}}
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [failing]}
    role = "arn:aws:iam::000000000000:role/any"
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=json.dumps(definition), ClientRequestToken="t" * 32, RoleArn=role
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken="s" * 32)["PipelineExecutionArn"]
    done = called(local_cloud, "logs", arn.rpartition("/")[2], "--follow")
    assert done.stdout.splitlines()[-1].split(maxsplit=2)[1:] == ["Stop", "Failed  as it should"], done.stderr


def test_a_name_that_is_not_there_or_not_clear_is_an_error_with_its_fix(
    local_cloud: LocalCloud, bucket: Bucket, service: Service
) -> None:
    missing = called(local_cloud, "logs", "nobody")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith(
        "Error: Looking for anything called nobody: there is none in this region. See what"
    )
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    states = service("stepfunctions")
    for machine in (unique("one"), unique("two")):
        arn = states.create_state_machine(name=machine, roleArn=ANY_ROLE, definition=definition)["stateMachineArn"]
        states.start_execution(stateMachineArn=arn, name="same")
    unclear = called(local_cloud, "logs", "same")
    assert unclear.returncode == 1
    assert "2 have that name (execution). Name it whole, or by its ARN." in unclear.stderr

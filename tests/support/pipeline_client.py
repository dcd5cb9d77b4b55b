"""A boto3 client of the session's local SageMaker that runs pipelines to their end."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud, eventually

ROLE = "arn:aws:iam::000000000000:role/any"


class PipelineClient:
    """Clients of the running local cloud by service, and pipelines under names of their own."""

    def __init__(self, cloud: LocalCloud) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.sagemaker = session.client("sagemaker", endpoint_url=cloud.addresses.sagemaker)
        self.runtime = session.client("sagemaker-runtime", endpoint_url=cloud.addresses.sagemaker)
        self.sqs = session.client("sqs", endpoint_url=cloud.addresses.ministack)
        self.s3 = session.client("s3", endpoint_url=cloud.addresses.ministack)
        self.bucket = f"pipelines-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key: str, body: str | bytes) -> str:
        """Write an object; its URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def read(self, uri: str) -> Any:
        """The parsed JSON of an object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def create(self, *steps: Any, parameters: Any = ()) -> str:
        """Create a pipeline; its name."""
        name = f"pipeline-{uuid.uuid4().hex[:8]}"
        text = json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps)})
        self.sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)
        return name

    def start(self, name: str, **values: str) -> str:
        """Start it; the execution's ARN."""
        given = [{"Name": key, "Value": value} for key, value in values.items()]
        answer = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
        return str(answer["PipelineExecutionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        """The execution."""
        described: dict[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return described

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """Its steps by name."""
        answer = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def wait(self, arn: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Wait for its end: the execution and its steps by name."""
        eventually(lambda: self.describe(arn)["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
        return self.describe(arn), self.steps(arn)

    def run(self, *steps: Any, parameters: Any = (), **values: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Create, start and wait."""
        return self.wait(self.start(self.create(*steps, parameters=parameters), **values))

    def message(self, queue: str) -> dict[str, Any]:
        """Take the next message from a queue; its body."""
        found: list[Any] = []
        eventually(lambda: found.extend(self.sqs.receive_message(QueueUrl=queue).get("Messages", [])) or found)
        self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
        body: dict[str, Any] = json.loads(found[0]["Body"])
        return body


@pytest.fixture(scope="session")
def pipelines_client(local_cloud: LocalCloud) -> PipelineClient:
    """The session's local cloud, as the author of a pipeline reaches it."""
    return PipelineClient(local_cloud)


def rendered(cloud: LocalCloud, script: str, *words: str) -> list[dict[str, Any]]:
    """The steps of the pipeline whose definition `script` prints last, run as its author would."""
    command = [sys.executable, "-W", "ignore", "-c", script, *words]
    done = subprocess.run(command, env=cloud.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])["Steps"]
    return steps


def outputs(**types: str) -> list[dict[str, str]]:
    """OutputParameters of a step."""
    return [{"OutputName": name, "OutputType": kind} for name, kind in types.items()]


def output(step: str, name: str) -> dict[str, str]:
    """A Get of an output."""
    return {"Get": f"Steps.{step}.OutputParameters['{name}']"}

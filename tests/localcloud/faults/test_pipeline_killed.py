"""kill -9 of the server while an execution runs, then the same folder again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import eventually
from engine_support import ROLE, definition, output_of, processing

from localcloud import processes, record, up
from localcloud.isolation.view import WRITABLE_VARIABLE

WAIT = "import os, time; [None for _ in iter(lambda: os.path.exists({flag!r}) or time.sleep(0.05), True)]"


def clients(running: up.Running) -> tuple[Any, Any]:
    addresses = up.environment(running)
    session = boto3.Session("test", "test", region_name="us-east-1")
    return (
        session.client("sagemaker", endpoint_url=addresses["AWS_ENDPOINT_URL_SAGEMAKER"]),
        session.client("s3", endpoint_url=addresses["AWS_ENDPOINT_URL"]),
    )


def begin_callback(sagemaker: Any, state: Path) -> tuple[str, dict[str, str]]:
    """An execution that waits for a callback: the token that was sent, and how to ask for the execution."""
    found = record.read(state)
    assert found
    sqs = boto3.Session("test", "test", region_name="us-east-1").client("sqs", endpoint_url=found.addresses.ministack)
    queue = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    step = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    sagemaker.create_pipeline(PipelineName="asks", PipelineDefinition=definition(step), RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="asks")["PipelineExecutionArn"]
    messages: list[dict[str, str]] = []
    eventually(lambda: messages.extend(sqs.receive_message(QueueUrl=queue).get("Messages", [])) or messages)
    return json.loads(messages[0]["Body"])["token"], {"PipelineExecutionArn": arn}


def test_a_killed_server_leaves_an_execution_that_a_retry_finishes(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WRITABLE_VARIABLE, str(tmp_path))
    sagemaker, s3 = clients(up.start(state, port=0, sagemaker_port=0))
    s3.create_bucket(Bucket="bucket")
    flag = tmp_path / "flag"
    programs = {"First": "pass", "Second": WAIT.format(flag=str(flag)), "Third": "pass"}
    steps = [
        processing("First", outputs=("x",)),
        processing("Second", output_of("First", "x")),
        processing("Third", DependsOn=["Second"]),
    ]
    for step in steps:
        step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-c", programs[step["Name"]]]
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition(*steps), RoleArn=ROLE)
    asked = {"PipelineExecutionArn": sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]}
    token, waiting = begin_callback(sagemaker, state)

    def statuses(client: Any) -> dict[str, str]:
        listed = client.list_pipeline_execution_steps(**asked)["PipelineExecutionSteps"]
        return {step["StepName"]: step["StepStatus"] for step in listed}

    eventually(lambda: statuses(sagemaker).get("Second") == "Executing")
    found = record.read(state)
    assert found
    assert processes.kill([found.parts["sagemaker"]], patience=10) == []

    sagemaker, _ = clients(up.start(state))
    execution = sagemaker.describe_pipeline_execution(**asked)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "restarted; retry the execution" in execution["FailureReason"]
    assert statuses(sagemaker) == {"First": "Succeeded", "Second": "Failed"}

    assert sagemaker.describe_pipeline_execution(**waiting)["PipelineExecutionStatus"] == "Executing"
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    eventually(
        lambda: sagemaker.describe_pipeline_execution(**waiting)["PipelineExecutionStatus"] == "Succeeded", patience=20
    )

    flag.touch()
    sagemaker.retry_pipeline_execution(**asked)
    eventually(lambda: sagemaker.describe_pipeline_execution(**asked)["PipelineExecutionStatus"] != "Executing")
    assert statuses(sagemaker) == dict.fromkeys(("First", "Second", "Third"), "Succeeded")
    jobs = sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
    ran = sorted(job["ProcessingJobName"].split("-")[2] for job in jobs)
    assert ran == ["First", "Second", "Second", "Third"]

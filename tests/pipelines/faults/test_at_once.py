"""The same thing asked for several times at once: nobody fails because somebody else was faster by a moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from cloud_fixtures import LocalCloud
from job_support import unique
from pipeline_calls import GOLDEN

from pipelines.definition.build import Built
from pipelines.runs import upsert
from project import aws
from project.names import Names
from project.settings import Settings

EIGHT = range(8)
Answer = TypeVar("Answer")


def at_once(call: Callable[[int], Answer]) -> list[Answer]:
    """`call` of each number, in threads that begin together."""
    ready = threading.Barrier(len(EIGHT), timeout=60)

    def begin(number: int) -> Answer:
        ready.wait()
        return call(number)

    with ThreadPoolExecutor(len(EIGHT)) as pool:
        return list(pool.map(begin, EIGHT))


def named(number: int) -> dict[str, Any]:
    return {**GOLDEN, "Metadata": {"number": str(number)}}


def test_eight_first_upserts_at_once_are_eight_versions(
    on_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(Settings(project=unique("once")), "000000000000")
    together, look, seen = threading.Barrier(len(EIGHT), timeout=60), upsert.deployed, threading.local()

    def deployed(name: str) -> upsert.DeployedPipeline | None:
        found = look(name)
        if not hasattr(seen, "once"):
            seen.once = together.wait()  # all have seen that there is none
        return found

    monkeypatch.setattr(upsert, "deployed", deployed)
    role = "arn:aws:iam::000000000000:role/job-role"
    done = at_once(lambda number: upsert.upsert(Built(names, named(number), ()), role=role))
    assert sorted(one.action for one in done) == ["created", *["updated"] * 7]
    assert sorted(one.version for one in done) == [1, 2, 3, 4, 5, 6, 7, 8]
    last = next(number for number, one in enumerate(done) if one.version == 8)
    monkeypatch.setattr(upsert, "deployed", look)
    now = upsert.deployed(names.settings.pipeline_name)
    assert now and now.definition == named(last)


def test_eight_starts_with_one_name_are_one_execution(on_local_cloud: LocalCloud) -> None:
    """StartExecution (API reference): the same name and input again answer as the first time while it runs."""
    states = aws.client("stepfunctions")
    waits = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    machine = states.create_state_machine(
        name=unique("m"), definition=json.dumps(waits), roleArn="arn:aws:iam::000000000000:role/job-role"
    )["stateMachineArn"]

    def start(number: int) -> str:
        try:
            answer = states.start_execution(stateMachineArn=machine, name="one", input=json.dumps({"i": number % 2}))
        except states.exceptions.ExecutionAlreadyExists:
            return "exists"
        return str(answer["executionArn"])

    answers = at_once(start)
    [execution] = states.list_executions(stateMachineArn=machine)["executions"]
    states.stop_execution(executionArn=execution["executionArn"])
    assert sorted(answers) == [*[execution["executionArn"]] * 4, *["exists"] * 4]


def test_eight_jobs_of_one_name_are_one_and_so_are_eight_starts_with_one_token(on_local_cloud: LocalCloud) -> None:
    sagemaker = aws.client("sagemaker")
    group, job = unique("group"), unique("pipeline")
    definition = json.dumps(
        {"Version": "2020-12-01", "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}
    )
    role = "arn:aws:iam::000000000000:role/job-role"

    def group_of(number: int) -> str:
        try:
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
        except sagemaker.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    assert sorted(at_once(group_of)) == [*["ValidationException"] * 7, "made"]
    sagemaker.create_pipeline(
        PipelineName=job, PipelineDefinition=definition, RoleArn=role, ClientRequestToken="t" * 32
    )

    def start(number: int) -> str:
        answer = sagemaker.start_pipeline_execution(PipelineName=job, ClientRequestToken="s" * 32)
        return str(answer["PipelineExecutionArn"])

    [execution] = set(at_once(start))
    listed = sagemaker.list_pipeline_executions(PipelineName=job)["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in listed] == [execution]

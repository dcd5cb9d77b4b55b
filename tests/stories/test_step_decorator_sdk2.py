"""A pipeline of `@step` functions and a `@remote` function, as users of the SageMaker SDK 2 write and run them.

That SDK appends itself to every function's requirements, so the functions' image is the environment that has it: a row
of localcloud.toml, as docs/images.md says.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from sdk2 import environment_of_sdk2
from view_support import needs_views

from localcloud import guard
from localcloud.image_table import config_file

pytestmark = [needs_views, pytest.mark.timeout(400)]
REPOSITORY = "functions-of-sdk-2"
FLOW = """
import json, uuid
import boto3
from sagemaker.remote_function import remote
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.function_step import step
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.retry import SageMakerJobExceptionTypeEnum, SageMakerJobStepRetryPolicy

role = "arn:aws:iam::000000000000:role/any"
name = f"wages-{uuid.uuid4().hex[:8]}"
session = PipelineSession(default_bucket=name)
compute = {
    "role": role,
    "instance_type": "ml.m5.xlarge",
    "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/functions-of-sdk-2:1",
    "keep_alive_period_in_seconds": 300,
}
people, floor = ParameterInteger("People", 4), ParameterInteger("Floor", 100)
impatient = SageMakerJobStepRetryPolicy(
    exception_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR], interval_seconds=1, max_attempts=2
)


@step(name="ask", dependencies="./requirements.txt", **compute)
def ask(count, run):
    import tenacity

    return [10 * (one + 1) for one in range(count)], run


@step(name="add-up", display_name="Add up", retry_policies=[impatient], **compute)
def add_up(wages):
    return {"total": sum(wages)}


@step(name="praise", **compute)
def praise(found, run):
    return f"{found['total']} in {run}"


@step(name="blame", **compute)
def blame(found):
    def aloud(total):
        raise LookupError(f"only {total}")

    aloud(found["total"])


asked = ask(people, ExecutionVariables.PIPELINE_EXECUTION_ID)
sums = add_up(asked[0])
gate = ConditionStep(
    name="enough",
    conditions=[ConditionGreaterThanOrEqualTo(left=sums["total"], right=floor)],
    if_steps=[praise(sums, asked[1])],
    else_steps=[blame(sums)],
)
pipeline = Pipeline(name=name, parameters=[people, floor], steps=[gate], sagemaker_session=session)
pipeline.upsert(role_arn=role)


def run(**parameters):
    execution = pipeline.start(parameters=parameters)
    try:
        execution.wait(delay=1, max_attempts=180)
    except Exception as error:
        assert "Failed" in str(error), error
    return execution


good, bad = run(), run(People=2)


@remote(include_local_workdir=True, pre_execution_commands=["echo prepared"], **compute)
def divide(one, other):
    import numbers_of_mine

    return one / other + numbers_of_mine.MORE


try:
    divide(1, 0)
except ZeroDivisionError as error:
    remote_error = str(error)
print(json.dumps({
    "good": {one["StepName"]: one["StepStatus"] for one in good.list_steps()},
    "praise": good.result("praise"),
    "id": good.arn.rpartition("/")[2],
    "bad": {one["StepName"]: one.get("FailureReason") for one in bad.list_steps()},
    "remote": divide(6, 3),
    "remote_error": remote_error,
}))
"""


@pytest.fixture(scope="module")
def answer(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    interpreter = environment_of_sdk2().absolute()
    folder = tmp_path_factory.mktemp("author")
    (folder / "flow.py").write_text(FLOW)
    (folder / "requirements.txt").write_text("tenacity\n")
    (folder / "numbers_of_mine.py").write_text("MORE = 40\n")
    table = config_file(local_cloud.state)
    assert not table.exists()
    table.write_text(f'[images.{REPOSITORY}]\ninterpreter = "{interpreter}"\n')
    command = [str(interpreter / "bin" / "python"), "-W", "ignore", "flow.py"]
    guarded = {"PYTHONPATH": str(Path(guard.__file__).parent)}  # @remote asks for the account at STS itself
    environment = {**local_cloud.environment, **guarded, "SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=390
        )
    finally:
        Path(table).unlink()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    yield json.loads(done.stdout.strip().splitlines()[-1])


def test_functions_hand_their_results_on_and_a_condition_reads_them(answer: Any) -> None:
    assert answer["good"] == dict.fromkeys(("ask", "add-up", "enough", "praise"), "Succeeded")
    assert answer["praise"] == f"100 in {answer['id']}"


def test_a_functions_error_is_the_steps_reason_with_its_place(answer: Any) -> None:
    reason = answer["bad"].pop("blame")
    assert reason.startswith("AlgorithmError: LookupError('only 30')")
    assert "in aloud" in reason
    assert answer["bad"] == dict.fromkeys(("ask", "add-up", "enough"))


def test_a_remote_function_answers_and_raises_as_if_it_were_here(answer: Any) -> None:
    assert (answer["remote"], answer["remote_error"]) == (42.0, "division by zero")

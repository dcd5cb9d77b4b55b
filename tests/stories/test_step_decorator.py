"""A pipeline of `@step` functions, as its author writes and runs it with the SageMaker SDK.

The launcher that the SDK sends with every function reads and writes below /opt/ml, so this needs jobs with a view of
their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud

support = pytest.importorskip("localcloud.isolation.support", reason="jobs have no view of their own here")
if problem := support.problem():
    pytest.skip(f"jobs have no view of their own here: {problem}", allow_module_level=True)

PIPELINE = '''
import json, sys, time, uuid

import boto3
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.selective_execution_config import SelectiveExecutionConfig

bucket = f"functions-{uuid.uuid4().hex[:8]}"
boto3.client("s3").create_bucket(Bucket=bucket)
session = PipelineSession(default_bucket=bucket)
machine = {
    "role": "arn:aws:iam::000000000000:role/any",
    "image_uri": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6-cpu-py311",
    "instance_type": "ml.m5.large",
}
rows = ParameterInteger("Rows", 10)


@step(name="prepare", dependencies=sys.argv[1], **machine)
def prepare(count):
    import greeting

    return {"rows": list(range(count)), "name": greeting.WORD}


@step(name="train", environment_variables={"FACTOR": "2"}, **machine)
def train(data):
    import os

    return sum(data["rows"]) * int(os.environ["FACTOR"]), data["name"]


@step(name="report", **machine)
def report(score, name):
    return f"{name}: {score}"


@step(name="complain", **machine)
def complain(score):
    def inner():
        raise ValueError(f"no model with {score}")

    inner()


trained = train(prepare(rows))
gate = ConditionStep(
    name="gate",
    conditions=[ConditionGreaterThanOrEqualTo(left=trained[0], right=50)],
    if_steps=[report(trained[0], trained[1])],
    else_steps=[complain(trained[0])],
)
pipeline = Pipeline(name=bucket, parameters=[rows], steps=[gate], sagemaker_session=session)
pipeline.upsert(role_arn=machine["role"])
client = boto3.client("sagemaker")


def ended(execution):
    while (found := client.describe_pipeline_execution(PipelineExecutionArn=execution.arn))[
        "PipelineExecutionStatus"
    ] == "Executing":
        time.sleep(0.1)
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=execution.arn)["PipelineExecutionSteps"]
    return {
        "status": found["PipelineExecutionStatus"],
        "steps": {one["StepName"]: one["StepStatus"] for one in steps},
        "reasons": {one["StepName"]: one["FailureReason"] for one in steps if "FailureReason" in one},
        "taken": [one["StepName"] for one in steps if "SelectiveExecutionResult" in one],
    }


good = pipeline.start()
answer = {"good": {**ended(good), "result": good.result("report"), "trained": good.result("train")}}
again = pipeline.start(selective_execution_config=SelectiveExecutionConfig(selected_steps=["report"]))
answer["again"] = {**ended(again), "result": again.result("report")}
answer["bad"] = ended(pipeline.start(parameters={"Rows": 3}))
print(json.dumps(answer))
'''


def wheel(folder: Path) -> Path:
    """A library that is nowhere but in this file."""
    path = folder / "greeting-1.0-py3-none-any.whl"
    facts = "greeting-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeting.py", 'WORD = "numbers"\n')
        archive.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{facts}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def answer(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("author")
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "requirements.txt").write_text(f"{wheel(folder)}\n")
    command = [sys.executable, "-W", "ignore", "pipeline.py", str(folder / "requirements.txt")]
    done = subprocess.run(
        command, cwd=folder, env=local_cloud.environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_functions_hand_their_results_on_and_a_condition_reads_them(answer: Any) -> None:
    good = answer["good"]
    assert good["status"] == "Succeeded", good
    assert good["steps"] == dict.fromkeys(("prepare", "train", "gate", "report"), "Succeeded")
    assert good["trained"] == [90, "numbers"]
    assert good["result"] == "numbers: 90"


def test_a_selected_function_takes_the_results_of_the_latest_execution(answer: Any) -> None:
    assert answer["again"]["status"] == "Succeeded", answer["again"]
    assert answer["again"]["result"] == "numbers: 90"
    assert set(answer["again"]["taken"]) == {"prepare", "train", "gate"}


def test_a_functions_error_is_the_steps_reason_with_its_place(answer: Any) -> None:
    bad = answer["bad"]
    assert (bad["status"], bad["steps"]["complain"]) == ("Failed", "Failed")
    reason = bad["reasons"]["complain"]
    assert reason.startswith("AlgorithmError: ValueError('no model with 6')")
    assert "pipeline.py" in reason
    assert "in inner" in reason


def test_what_a_function_installs_stays_its_own(answer: Any) -> None:
    assert answer["good"]["status"] == "Succeeded"
    found = subprocess.run([sys.executable, "-c", "import greeting"], capture_output=True, text=True, check=False)
    assert "No module named 'greeting'" in found.stderr

"""A pipeline of `@step` functions, as its author writes and runs it with the SageMaker SDK.

The launcher that the SDK sends with every function reads and writes below /opt/ml, so this needs jobs with a view of
their own.
"""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from view_support import needs_views

pytestmark = needs_views

PIPELINE = """
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
rows, least = ParameterInteger("Rows", 10), ParameterInteger("Least", 50)


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
    conditions=[ConditionGreaterThanOrEqualTo(left=trained[0], right=least)],
    if_steps=[report(trained[0], trained[1])],
    else_steps=[complain(trained[0])],
)
pipeline = Pipeline(name=bucket, parameters=[rows, least], steps=[gate], sagemaker_session=session)
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
first = ended(good)
assert first["status"] == "Succeeded", first
answer = {"good": {**first, "result": good.result("report"), "trained": good.result("train")}}
again = SelectiveExecutionConfig(selected_steps=["gate", "complain"])
answer["bad"] = ended(pipeline.start(parameters={"Least": 1000}, selective_execution_config=again))
print(json.dumps(answer))
"""


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


@contextmanager
def published(path: Path) -> Iterator[str]:
    """The file's address on a server of this machine; a job sees nothing of a test's own folder."""
    handler = partial(Quiet, directory=str(path.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="packages")
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{path.name}"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def answer(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("author")
    (folder / "pipeline.py").write_text(PIPELINE)
    command = [sys.executable, "-W", "ignore", "pipeline.py", str(folder / "requirements.txt")]
    with published(wheel(folder)) as address:
        (folder / "requirements.txt").write_text(f"{address}\n")
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


def test_selected_steps_take_the_results_of_the_latest_execution(answer: Any) -> None:
    assert set(answer["bad"]["taken"]) == {"prepare", "train"}
    assert answer["bad"]["steps"]["gate"] == "Succeeded"


def test_a_functions_error_is_the_steps_reason_with_its_place(answer: Any) -> None:
    bad = answer["bad"]
    assert (bad["status"], bad["steps"]["complain"]) == ("Failed", "Failed")
    reason = bad["reasons"]["complain"]
    assert reason.startswith("AlgorithmError: ValueError('no model with 90')")
    assert "pipeline.py" in reason
    assert "in inner" in reason


def test_what_a_function_installs_stays_its_own(answer: Any) -> None:
    assert answer["good"]["status"] == "Succeeded"
    found = subprocess.run([sys.executable, "-c", "import greeting"], capture_output=True, text=True, check=False)
    assert "No module named 'greeting'" in found.stderr

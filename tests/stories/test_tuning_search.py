"""`scones tune` on the local cloud: real trainings on the data of an execution."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner, Result
from cloud_fixtures import LocalCloud, eventually, make_role
from engine_support import ROLE, definition, processing
from job_support import unique
from train_channels import write_channels

from project import settings
from project.errors import CloudError, DataError, ExecutionFailedError
from scones.cli.main import scones

CHANNELS = ("train", "validation", "train_lst", "validation_lst")
WITH_MARGIN = {f"{channel}_with_margin": channel for channel in ("train", "validation")}
Tune = Callable[..., Result]


@pytest.fixture
def tune(on_local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tune]:
    """`tune(algorithm, words…)` in a project of its own that has one execution, whose data are coloured squares."""
    project = unique("t")
    bucket = f"{project}-000000000000-us-east-1"
    make_role(boto3.client("iam"), f"{project}-pipeline")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    write_channels(tmp_path / "data", train=8, validation=4)
    for file in (tmp_path / "data").rglob("*.*"):
        s3.put_object(Bucket=bucket, Key=f"made/{file.relative_to(tmp_path / 'data')}", Body=file.read_bytes())
    report = {"num_training_samples": 16, "num_classes": 2, "classes": ["bicycle", "motorcycle"]}
    s3.put_object(Bucket=bucket, Key="made/report/manifests.json", Body=json.dumps(report))
    step = processing("BuildManifests", outputs=(*CHANNELS, *WITH_MARGIN, "report"))
    for output in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]:
        folder = WITH_MARGIN.get(output["OutputName"], output["OutputName"])  # squares look alike with a margin
        output["S3Output"]["S3Uri"] = f"s3://{bucket}/made/{folder}"
    client = boto3.client("sagemaker")
    client.create_pipeline(PipelineName=project, PipelineDefinition=definition(step), RoleArn=ROLE)
    arn = client.start_pipeline_execution(PipelineName=project)["PipelineExecutionArn"]
    eventually(
        lambda: client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Succeeded"
    )
    file = tmp_path / "scones.toml"
    monkeypatch.setenv("SCONES_SETTINGS", str(file))

    def call(lines: str, *words: str) -> Result:
        file.write_text(f'project = "{project}"\n{lines}', encoding="utf-8")
        settings.load.cache_clear()
        return CliRunner().invoke(scones, ["tune", *words])

    yield call
    settings.load.cache_clear()


def test_the_builtin_algorithm_is_searched_and_the_best_values_are_ready_to_paste(tune: Tune) -> None:
    done = tune(
        'algorithm = "builtin"\n[builtin]\nmini_batch_size = 8\n',
        *("--range", "learning_rate=0.02:0.1:log", "--range", "optimizer=sgd,nag", "--strategy", "random"),
        *("--jobs", "1", "--parallel", "1", "--parameter", "Epochs=1", "--wait"),
    )
    assert done.exit_code == 0, (done.exception, done.output)
    assert "1 x ml.g4dn.xlarge, 1 at a time: AWS bills" in done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("1/1  0.") and "learning_rate=" in first
    assert rest[0].endswith(" Completed") and "validation:accuracy" in rest[1]
    pasted = done.stdout[done.stdout.index("# validation:accuracy") :]
    assert "[builtin]\nlearning_rate = 0.0" in pasted and 'optimizer = "' in pasted
    settings.parse(tomllib.loads(pasted), "the output")


def test_our_own_training_is_searched_through_script_mode(tune: Tune) -> None:
    lines = 'algorithm = "pytorch"\nseed = 3\n[pytorch]\nmembers = 1\nwidth = 8\n'
    done = tune(
        lines,
        *("--jobs", "1", "--parameter", "Epochs=1", "--range", "learning_rate=0.05:0.2:log"),
        *("--wait", "--json"),
    )
    assert done.exit_code == 0, (done.exception, done.output)
    found = json.loads(done.stdout)
    assert (found["status"], found["jobs"][0]["status"]) == ("Completed", "Completed")
    assert 0 <= found["jobs"][0]["objective"] <= 1
    training = boto3.client("sagemaker").describe_training_job(TrainingJobName=found["best"])
    given = training["HyperParameters"]
    assert (given["members"], given["seed"], given["epochs"]) == ("1", "3", "1")
    assert 0.05 <= float(given["learning_rate"]) <= 0.2
    shown = tune(lines, "--show", found["name"])
    assert shown.exit_code == 0 and "[pytorch]\nlearning_rate = 0." in shown.stdout


def test_a_search_whose_trainings_fail_says_why(tune: Tune) -> None:
    done = tune(
        'algorithm = "builtin"\n',
        *("--jobs", "1", "--parameter", "Epochs=1", "--range", "learning_rate=0.02:0.1", "--wait"),
    )
    assert isinstance(done.exception, ExecutionFailedError)
    assert "The number of input images must be bigger or equal to the mini_batch_size." in str(done.exception)


def test_a_search_is_stopped_by_its_name(tune: Tune) -> None:
    lines = "[builtin]\nmini_batch_size = 8\n"
    started = tune(lines, "--jobs", "1", "--parameter", "Epochs=1000", "--range", "learning_rate=0.02:0.1")
    assert started.exit_code == 0, started.exception
    name = started.stdout.strip()
    stopped = tune(lines, "--stop", name, "--wait", "--json")
    assert stopped.exit_code == 0, stopped.exception
    assert json.loads(stopped.stdout)["status"] == "Stopped"
    assert isinstance(tune(lines, "--stop", name).exception, CloudError), "what has ended cannot be stopped"


def test_data_of_other_classes_are_refused_before_anything_starts(tune: Tune) -> None:
    done = tune('classes = ["bus", "train"]\n')
    assert isinstance(done.exception, DataError)
    assert "has data for the classes bicycle, motorcycle, and scones.toml says bus, train" in str(done.exception)

"""What the rendered definition asks of SageMaker, against botocore's model and the containers' contracts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from golden import GOLDEN

from localcloud.contract.definition import references, steps
from pipelines.definition import rendering
from pipelines.definition.bundle import bundle
from project.names import Names
from project.settings import Settings

CREATES = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "job"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "job"}),
    "Model": ("CreateModel", {"ModelName": "model"}),
    "Transform": ("CreateTransformJob", {"TransformJobName": "job"}),
    "RegisterModel": ("CreateModelPackage", {}),
}
ALGORITHMS = ("builtin", "pytorch")
Json = dict[str, Any]


def golden(algorithm: str) -> Json:
    loaded: Json = json.loads((GOLDEN / f"definition-{algorithm}.json").read_text(encoding="utf-8"))
    return loaded


NUMBERS = {
    f"Parameters.{one['Name']}": one["DefaultValue"]
    for algorithm in ALGORITHMS
    for one in golden(algorithm)["Parameters"]
    if one["Type"] == "Integer"
}


def without_variables(value: Any) -> Any:
    """Every other pipeline variable than a number's stands where the API wants text."""
    if isinstance(value, dict):
        if value.get("Get") in NUMBERS:
            return NUMBERS[value["Get"]]
        if len(value) == 1 and next(iter(value)) in {"Get", "Std:Join", "Std:JsonGet"}:
            return "s3://known-when-it-runs"
        return {key: without_variables(inner) for key, inner in value.items()}
    return [without_variables(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", CREATES)
def test_every_steps_arguments_are_a_request_that_the_api_takes(algorithm: str, kind: str) -> None:
    operation, name = CREATES[kind]
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model(operation).input_shape
    requests = [s.arguments for s in steps(golden(algorithm)) if s.type == kind]
    assert requests
    for request in requests:
        report = ParamValidator().validate({**without_variables(request), **name}, shape)
        assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_steps_are_these_each_described_in_words(algorithm: str) -> None:
    found = steps(golden(algorithm))
    assert [step.name for step in found] == [
        *("ExtractCifar", "BuildManifests", "Train", "CreateModel", "ScoreTestSet", "Evaluate", "CheckQuality"),
        *("RegisterModel", "QualityTooLow", "CheckStaging", "StagingConfig", "StagingServerlessConfig"),
        *("StagingEndpoint", "TestStaging", "RemoveStaging"),
    ]
    assert all(len(step.body["Description"].split()) > 5 and step.body["DisplayName"] for step in found)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_can_come_from_the_cache_does_and_nothing_else(algorithm: str) -> None:
    cached = {step.name for step in steps(golden(algorithm)) if (step.body.get("CacheConfig") or {}).get("Enabled")}
    assert cached == {"ExtractCifar", "BuildManifests", "Train", "ScoreTestSet", "Evaluate"}


def test_training_reads_the_four_channels_and_counts_its_samples_from_the_manifest_report() -> None:
    train = next(step for step in steps(golden("builtin")) if step.name == "Train").arguments
    channels = {channel["ChannelName"]: channel["ContentType"] for channel in train["InputDataConfig"]}
    assert channels == dict.fromkeys(("train", "validation", "train_lst", "validation_lst"), "application/x-image")
    assert [r.target for r in references(train["HyperParameters"]["num_training_samples"])] == [
        "Steps.BuildManifests.PropertyFiles.ManifestReport"
    ]
    assert {"lr_scheduler_step", "lr_scheduler_factor"} <= set(train["HyperParameters"]), (
        "one without the other is ignored"
    )
    assert "MetricDefinitions" not in train["AlgorithmSpecification"], "the built-in algorithm publishes its own"


def test_our_own_training_is_started_by_a_command_from_its_code_channel() -> None:
    train = next(step for step in steps(golden("pytorch")) if step.name == "Train").arguments
    algorithm = train["AlgorithmSpecification"]
    assert algorithm["ContainerEntrypoint"] == ["python3", "/opt/ml/input/data/code/run.py"]
    assert algorithm["ContainerArguments"][0] == "train"
    assert {channel["ChannelName"] for channel in train["InputDataConfig"]} >= {"code"}


@pytest.mark.parametrize(
    ("algorithm", "wanted", "given"), [("pytorch", 0, False), ("pytorch", 5000, True), ("builtin", 5000, False)]
)
def test_pictures_of_other_classes_go_from_extraction_to_our_own_training_where_the_settings_want_them(
    algorithm: str, wanted: int, given: bool
) -> None:
    settings = Settings.model_validate({"algorithm": algorithm, "pytorch": {"other_pictures": wanted}})
    code = dict.fromkeys(rendering.jobs(settings), "s3://bucket/code")
    by_name = {step.name: step.arguments for step in steps(rendering.render(Names(settings), code))}
    extract, train = by_name["ExtractCifar"], by_name["Train"]
    arguments = extract["AppSpecification"]["ContainerArguments"]
    channels = {channel["ChannelName"]: channel for channel in train["InputDataConfig"]}
    assert ("--others" in arguments) == ("others" in channels) == given
    assert ("others" in {each["OutputName"] for each in extract["ProcessingOutputConfig"]["Outputs"]}) == given
    if given:
        assert arguments[arguments.index("--others") + 1] == str(wanted)
        assert train["HyperParameters"]["other_pictures"] == str(wanted)
        assert "/opt/ml/input/data/others" in train["AlgorithmSpecification"]["ContainerArguments"]
        (source,) = references(channels["others"]["DataSource"])
        assert source.target == "Steps.ExtractCifar.ProcessingOutputConfig.Outputs['others'].S3Output.S3Uri"


def test_a_model_is_served_by_the_release_that_trained_it() -> None:
    by_name = {step.name: step.arguments for step in steps(golden("pytorch"))}
    trained = by_name["Train"]["AlgorithmSpecification"]["TrainingImage"]
    served = by_name["CreateModel"]["PrimaryContainer"]["Image"]
    assert [image.split(":")[1].split("-")[0] for image in (trained, served)] == ["2.6.0", "2.6.0"]


def test_the_registry_learns_what_the_model_came_from() -> None:
    register = next(step for step in steps(golden("builtin")) if step.name == "RegisterModel").arguments
    metadata = register["CustomerMetadataProperties"]
    assert metadata == {
        "commit": {"Get": "Parameters.CodeCommit"},
        "reason": {"Get": "Parameters.StartReason"},
        "reviewed": {"Get": "Parameters.ReviewedPictures"},
        "data_sha256": {"Get": "Parameters.InputArchiveSha256"},
        "execution": {"Get": "Execution.PipelineExecutionArn"},
        "classes": "bicycle motorcycle",
        "algorithm": "builtin",
        "staging": {"Get": "Parameters.Staging"},
    }
    assert register["ModelApprovalStatus"] == {"Get": "Parameters.ModelApprovalStatus"}
    assert register["ModelMetrics"]["ModelQuality"]["Statistics"]["ContentType"] == "application/json"


RUN_ALONE = """
import runpy, sys
from importlib.machinery import PathFinder
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [place for place in sys.path if place != {checkout!r}]
sys.argv = ["run.py", {job!r}, "--help"]
try:
    sys.path.insert(0, {folder!r})
    runpy.run_path("run.py", run_name="__main__")
finally:
    ours = [m for name, m in sys.modules.items() if name.partition(".")[0] in ("steps", "scones", "monitoring")]
    strays = [m.__file__ for m in ours if getattr(m, "__file__", None) and not m.__file__.startswith({folder!r})]
    print("STRAYS", strays)
"""


@pytest.mark.parametrize("job", rendering.jobs(Settings(algorithm="pytorch")))
def test_a_job_starts_from_its_bundle_alone(job: str, tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    for path, content in bundle(job).files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    code = RUN_ALONE.format(checkout=str(Path(__file__).parents[3]), job=job, folder=str(folder))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "usage:" in run.stdout and "STRAYS []" in run.stdout


def commands() -> dict[str, list[str]]:
    """Of each job, the words that the definition starts it with."""
    found: dict[str, list[str]] = {}
    for step in (step for algorithm in ALGORITHMS for step in steps(golden(algorithm))):
        specification = step.arguments.get("AppSpecification") or step.arguments.get("AlgorithmSpecification") or {}
        if words := without_variables(specification.get("ContainerArguments", [])):
            found[words[0]] = words[1:]
    return found


@pytest.mark.parametrize("job", rendering.jobs(Settings(algorithm="pytorch")))
def test_a_job_knows_every_option_that_its_step_gives_it(job: str) -> None:
    run = subprocess.run([sys.executable, "-m", "steps.run", job, "--help"], capture_output=True, text=True, check=True)
    options = [word for word in commands()[job] if word.startswith("--")]
    assert options and [option for option in options if option not in run.stdout] == []

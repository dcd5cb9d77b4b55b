"""From the Train step to a tuning job's request, and from its answers to what a user reads."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.validate import validate_parameters
from golden import GOLDEN

from localcloud.sagemaker import images, protocol
from localcloud.sagemaker.operations import load
from localcloud.sagemaker.tuning import checks
from pipelines.tuning import ranges, results, script_mode, train_request
from pipelines.tuning.search import Search, cost, tuning_request
from project import s3, setting_groups, settings
from project.errors import DataError, SconesError, UsageError
from project.names import Names
from project.settings import Settings
from steps.train.hyperparameters import Hyperparameters

EXECUTION = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited/execution/abcdefghijkl"
REPORT = {"num_training_samples": 800, "classes": ["bicycle", "motorcycle"]}


@pytest.fixture(autouse=True)
def outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every output of the execution is at s3://made/<step>/<output>, and every document is REPORT."""
    monkeypatch.setattr(train_request.results, "output_uri", lambda arn, step, output: f"s3://made/{step}/{output}")
    monkeypatch.setattr(s3, "read_json", lambda uri: REPORT)


def golden(algorithm: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"definition-{algorithm}.json").read_text(encoding="utf-8"))
    return document


def search(algorithm: str, *texts: str, strategy: str = "Bayesian") -> Search:
    found = ranges.parameter_ranges(algorithm, texts)
    return Search(found, "validation:accuracy", strategy, jobs=8, parallel=2, seed=7)


def test_the_train_steps_request_is_resolved_with_defaults_given_values_and_the_executions_data() -> None:
    request = train_request.train_request(golden("builtin"), EXECUTION, {"Epochs": "8"})
    assert request["HyperParameters"]["num_training_samples"] == "800"
    assert request["HyperParameters"]["epochs"] == "8"
    assert request["HyperParameters"]["lr_scheduler_step"] == "4,6", "the steps follow the epochs"
    uris = [one["DataSource"]["S3DataSource"]["S3Uri"] for one in request["InputDataConfig"]]
    assert uris == [
        f"s3://made/BuildManifests/{name}"
        for name in ("train_with_margin", "validation_with_margin", "train_lst", "validation_lst")
    ]
    assert request["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge"
    assert "Get" not in json.dumps(request)


def test_an_unknown_pipeline_parameter_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no parameter 'Epoch'"):
        train_request.train_request(golden("builtin"), EXECUTION, {"Epoch": "8"})


def test_what_is_known_only_inside_an_execution_is_refused() -> None:
    with pytest.raises(SconesError, match=r"Execution\.PipelineExecutionId is not known"):
        train_request.Resolver(golden("builtin"), EXECUTION, {}).resolved({"Get": "Execution.PipelineExecutionId"})


def test_a_value_that_the_report_lacks_is_named() -> None:
    file = {"Get": "Steps.BuildManifests.PropertyFiles.ManifestReport"}
    with pytest.raises(DataError, match=r"report/manifests\.json has no num_pixels"):
        resolver = train_request.Resolver(golden("builtin"), EXECUTION, {})
        resolver.resolved({"Std:JsonGet": {"PropertyFile": file, "Path": "num_pixels"}})


@pytest.mark.parametrize("algorithm", ["builtin", "pytorch"])
def test_the_request_passes_botocores_validation_and_the_local_services(algorithm: str) -> None:
    load()
    training = train_request.train_request(golden(algorithm), EXECUTION, {})
    prepared = script_mode.without_entry_point(training, Names(Settings()))
    request = tuning_request("scones-1", prepared, search(algorithm))
    shape = protocol.operation("CreateHyperParameterTuningJob").input_shape
    validate_parameters(request, shape)
    checks.check(protocol.check_request("CreateHyperParameterTuningJob", request))
    changed = ranges.names(request["HyperParameterTuningJobConfig"]["ParameterRanges"])
    static = request["TrainingJobDefinition"]["StaticHyperParameters"]
    assert changed and not set(changed) & set(static)
    assert {**static, **dict.fromkeys(changed)}.keys() >= training["HyperParameters"].keys()


def test_what_a_tuning_job_cannot_carry_is_refused() -> None:
    training = train_request.train_request(golden("builtin"), EXECUTION, {})
    with pytest.raises(SconesError, match="has CheckpointConfig"):
        tuning_request("t", {**training, "CheckpointConfig": {}}, search("builtin"))


def test_a_grid_has_as_many_jobs_as_combinations_and_its_cost_is_told() -> None:
    training = train_request.train_request(golden("builtin"), EXECUTION, {})
    wanted = search("builtin", "optimizer=sgd,nag", "mini_batch_size=16,32,64", strategy="Grid")
    request = tuning_request("t", training, wanted)
    assert "MaxNumberOfTrainingJobs" not in request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert cost(request).startswith("6 x ml.g4dn.xlarge, 2 at a time: AWS bills")


def test_what_we_offer_to_tune_of_the_builtin_algorithm_is_what_aws_tunes_and_what_the_settings_have() -> None:
    allowed = images.program("image-classification", "train").tunable
    kinds = {float: "Continuous", int: "Integer", str: "Categorical"}
    for name, kind in ranges.BUILTIN.items():
        assert allowed[name].kind == kinds[kind]
        assert name in setting_groups.BuiltinHyperparameters.model_fields


@pytest.mark.parametrize(
    ("text", "kind", "members"),
    [
        ("momentum=0.7:0.95", "Continuous", {"MinValue": "0.7", "MaxValue": "0.95", "ScalingType": "Linear"}),
        ("learning_rate=0.01:1:log", "Continuous", {"MinValue": "0.01", "MaxValue": "1", "ScalingType": "Logarithmic"}),
        ("momentum=0:0.9:reverse", "Continuous", {"ScalingType": "ReverseLogarithmic"}),
        ("width=16:64:log", "Integer", {"MinValue": "16", "MaxValue": "64", "ScalingType": "Logarithmic"}),
        ("label_smoothing=0:0.5", "Continuous", {"MinValue": "0"}),
        ("width=16,32", "Categorical", {"Values": ["16", "32"]}),
    ],
)
def test_a_range_is_written_in_one_word(text: str, kind: str, members: dict[str, Any]) -> None:
    ((found, [one]),) = ranges.parameter_ranges("pytorch", [text]).items()
    assert found == f"{kind}ParameterRanges"
    assert (
        one.items() >= {"Name": text.partition("=")[0], **members}.items()
        if kind != "Categorical"
        else one
        == {
            "Name": "width",
            **members,
        }
    )


@pytest.mark.parametrize(
    ("algorithm", "texts", "said"),
    [
        ("pytorch", ["momentum"], "is not a range. Write name=low:high"),
        ("pytorch", ["momentun=0:1"], "Did you mean momentum?"),
        ("builtin", ["num_layers=20,32"], "A search cannot change 'num_layers' of the algorithm builtin."),
        ("pytorch", ["momentum=a:b"], "'a' is not of type float"),
        ("pytorch", ["width=8:9.5"], "'9.5' is not of type int"),
        ("pytorch", ["width=8,x"], "'x' is not of type int"),
        ("pytorch", ["momentum=0.9:0.8"], "0.9 is not below 0.8"),
        ("pytorch", ["momentum=0:2"], "momentum must be from 0 to 0.999"),
        ("pytorch", ["momentum=0:0.5:cubic"], "is not a range"),
        ("builtin", ["optimizer=sgd:nag"], "is not a range"),
        ("pytorch", ["momentum=0:0.5", "momentum=0:0.4"], "given twice"),
    ],
)
def test_a_range_that_makes_no_sense_is_wrong_usage(algorithm: str, texts: list[str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        ranges.parameter_ranges(algorithm, texts)
    assert said in str(error.value)


BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def job(number: int, score: float | None = None, status: str = "Completed", **more: Any) -> dict[str, Any]:
    metric = {"Type": "Maximize", "MetricName": "validation:accuracy", "Value": score}
    return {
        "TrainingJobName": f"t-00{number}",
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"learning_rate": f"0.0{number}23456", "optimizer": '"nag"'},
        "TrainingStartTime": BEGAN,
        "TrainingEndTime": BEGAN + timedelta(seconds=40 + number),
        **({} if score is None else {"FinalHyperParameterTuningJobObjectiveMetric": metric}),
        **more,
    }


def test_a_training_is_told_in_a_line_and_all_of_them_in_order_of_the_objective() -> None:
    jobs = [job(1, 0.8125), job(2, None, "Failed", FailureReason="ClientError: no data"), job(3, 0.9)]
    assert results.line(jobs[0], 1, 3) == "1/3  0.812500     41 s  learning_rate=0.01235 optimizer=nag"
    assert results.line(jobs[1], 2, 3).endswith("optimizer=nag  ClientError: no data")
    metric = {"Type": "Maximize", "MetricName": "validation:accuracy"}
    rows = results.results_table(jobs, metric).splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["t-003", "t-001", "t-002"]
    lowest = results.ranked(jobs, "Minimize")
    assert [one["TrainingJobName"] for one in lowest] == ["t-001", "t-003", "t-002"]


@pytest.mark.parametrize(
    ("image", "values", "lines"),
    [
        ("image-classification:1", {"learning_rate": "0.0712345", "optimizer": "nag"}, {"optimizer": "nag"}),
        ("pytorch-training:2.6", {"learning_rate": "0.0712345", "width": "48", "epochs": "60"}, {"width": 48}),
    ],
)
def test_the_best_values_are_settings(image: str, values: dict[str, str], lines: dict[str, Any]) -> None:
    description = {"TrainingJobDefinition": {"AlgorithmSpecification": {"TrainingImage": f"1.dkr.ecr/{image}"}}}
    parsed = tomllib.loads(results.settings_lines(description, values))
    section = parsed["builtin" if "optimizer" in values else "pytorch"]
    assert section == {"learning_rate": 0.07123, **lines}
    assert parsed.get("epochs") == (60 if "epochs" in values else None)
    settings.parse(parsed, "the lines")


def test_a_search_that_found_nothing_is_an_error_with_the_first_reason() -> None:
    description = {"HyperParameterTuningJobName": "t", "HyperParameterTuningJobStatus": "Failed"}
    jobs = [job(1, None, "Failed", FailureReason="ClientError: no data")]
    with pytest.raises(SconesError, match=r"Tuning job t failed: All\. t-001: ClientError: no data"):
        results.raise_unless_found({**description, "FailureReason": "All."}, jobs)
    with pytest.raises(SconesError, match=r"t stopped: No training gave an objective\."):
        results.raise_unless_found({**description, "HyperParameterTuningJobStatus": "Stopped"}, [])
    results.raise_unless_found(
        {**description, "HyperParameterTuningJobStatus": "Stopped", "BestTrainingJob": jobs[0]}, jobs
    )


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"epochs": 3}, r"\[pytorch\] sets epochs"),
        ({"widht": 3}, "Did you mean `width`"),
        ({"width": 1}, "from 8 to 512"),
    ],
)
def test_pytorch_settings_that_make_no_sense_are_wrong_usage(own: dict[str, Any], said: str) -> None:
    from pipelines.definition.sdk import tamed

    with tamed("us-east-1"):
        from pipelines.definition.train_step import pytorch_hyperparameters
    with pytest.raises(UsageError, match=said):
        pytorch_hyperparameters(Settings(pytorch=own))


@pytest.mark.parametrize(
    ("own", "chosen"),
    [
        ({}, {}),
        ({"recipe": "thorough"}, {"members": 6}),
        ({"recipe": "thorough", "pytorch": {"members": 4, "width": 16}}, {"members": 4, "width": 16}),
    ],
)
def test_a_recipe_is_one_setting_and_single_hyperparameters_go_before_it(
    own: dict[str, Any], chosen: dict[str, int]
) -> None:
    from pipelines.definition.sdk import tamed

    with tamed("us-east-1"):
        from pipelines.definition.train_step import pytorch_hyperparameters
    assert pytorch_hyperparameters(Settings(**own)) == chosen
    assert Settings(**own).training_epochs == Hyperparameters().epochs

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker.engine.expressions import (
    ExpressionError,
    Scope,
    look_up,
    parse_get,
    parse_path,
    references,
    resolve,
)

TRAIN = {
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
    "FinalMetricDataList": [
        {"MetricName": "train:accuracy", "Value": 0.99},
        {"MetricName": "validation:accuracy", "Value": 0.91},
    ],
    "HyperParameters": {"epochs": "3", "a.b": "dotted"},
}
SPLIT = {
    "ProcessingInputs": [{"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw"}}],
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}]},
}
REPORT = {"metrics": {"accuracy": 0.9, "per class": [{"recall": 1}]}}


def property_file(step: str, name: str) -> Any:
    assert (step, name) == ("Evaluate", "Report")
    return REPORT


SCOPE = Scope(
    parameters={"Epochs": 3, "Threshold": 0.75, "Fast": True, "Bucket": "b"},
    execution={"PipelineExecutionId": "abcdefghijkl"},
    step={"Train": TRAIN, "Split": SPLIT}.__getitem__,
    property_file=property_file,
    s3_json={"s3://b/r.json": REPORT}.__getitem__,
)


@pytest.mark.parametrize(
    ("get", "value"),
    [
        ("Parameters.Epochs", 3),
        ("Execution.PipelineExecutionId", "abcdefghijkl"),
        ("Steps.Train.ModelArtifacts.S3ModelArtifacts", "s3://b/model.tar.gz"),
        ("Steps.Train.FinalMetricDataList['validation:accuracy'].Value", 0.91),
        ("Steps.Train.FinalMetricDataList[0].Value", 0.99),
        ("Steps.Train.HyperParameters['a.b']", "dotted"),
        ('Steps.Train.HyperParameters["epochs"]', "3"),
        ("Steps.Split.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://b/train"),
        ("Steps.Split.ProcessingInputs['raw'].S3Input.S3Uri", "s3://b/raw"),
    ],
)
def test_get_finds_parameters_execution_values_and_properties(get: str, value: object) -> None:
    assert resolve({"Get": get}, SCOPE) == value


def test_join_writes_numbers_and_booleans_as_json_does() -> None:
    values = ["s3:/", {"Get": "Parameters.Bucket"}, {"Get": "Parameters.Epochs"}, {"Get": "Parameters.Threshold"}, True]
    assert resolve({"Std:Join": {"On": "/", "Values": values}}, SCOPE) == "s3://b/3/0.75/true"


def test_joins_nest() -> None:
    inner = {"Std:Join": {"On": "-", "Values": ["a", "b"]}}
    assert resolve({"Std:Join": {"On": "/", "Values": [inner, "c"]}}, SCOPE) == "a-b/c"


@pytest.mark.parametrize(
    ("path", "value"), [("metrics.accuracy", 0.9), ("$.metrics.accuracy", 0.9), ("metrics['per class'][0].recall", 1)]
)
def test_json_get_reads_a_property_file_and_an_s3_object(path: str, value: object) -> None:
    source = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}}
    assert resolve({"Std:JsonGet": {**source, "Path": path}}, SCOPE) == value
    uri = {"Std:Join": {"On": "/", "Values": ["s3:/", "b", "r.json"]}}
    assert resolve({"Std:JsonGet": {"S3Uri": uri, "Path": path}}, SCOPE) == value


def test_a_missing_path_says_how_far_it_led_and_what_is_there() -> None:
    source = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "metrics.auc.value"}
    with pytest.raises(ExpressionError, match=r"'metrics.auc.value': 'metrics' has accuracy, per class, in property"):
        resolve({"Std:JsonGet": source}, SCOPE)
    with pytest.raises(ExpressionError, match=r"step Split has nothing at .*Outputs.test.S3Output': .*has train"):
        resolve({"Get": "Steps.Split.ProcessingOutputConfig.Outputs['test'].S3Output"}, SCOPE)


def test_expressions_are_replaced_at_any_depth_and_nulls_are_left_out() -> None:
    value = {"A": [{"B": {"Get": "Parameters.Epochs"}, "C": None}], "D": {"E": "Get"}}
    assert resolve(value, SCOPE) == {"A": [{"B": 3}], "D": {"E": "Get"}}


@pytest.mark.parametrize(
    "value",
    [
        {"Get": "Outputs.X"},
        {"Get": "Steps"},
        {"Get": 3},
        {"Get": "Steps.Train.ModelArtifacts["},
        {"Get": "Parameters.Unknown"},
        {"Get": "Parameters.Epochs.More"},
        {"Std:Join": {"On": "/", "Values": "ab"}},
        {"Std:Join": {"On": "/", "Values": [["a"]]}},
        {"Std:JsonGet": {"Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Parameters.Epochs"}, "Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": 3}},
    ],
)
def test_malformed_expressions_are_refused(value: object) -> None:
    with pytest.raises(ExpressionError):
        resolve(value, SCOPE)


def test_references_are_found_inside_joins_and_property_files() -> None:
    source = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "a"}
    values = [{"Get": "Parameters.Bucket"}, {"Std:JsonGet": source}, {"x": {"Get": "Execution.PipelineName"}}]
    found = [str(reference) for reference in references({"Std:Join": {"On": "", "Values": values}})]
    assert found == ["Parameters.Bucket", "Steps.Evaluate.PropertyFiles.Report", "Execution.PipelineName"]


def test_paths_keep_what_is_in_quotes_whole() -> None:
    assert parse_path("a['b.c:d'][2].e-f") == ("a", "b.c:d", 2, "e-f")
    text = "Steps.My-Step_1.FinalMetricDataList['m:x'].Value"
    assert str(parse_get(text)) == text


def test_a_list_item_is_not_found_beyond_its_end() -> None:
    with pytest.raises(ExpressionError, match="has 0, 1"):
        look_up([1, 2], (2,))

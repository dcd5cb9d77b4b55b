"""Parameters given for an execution have the bounds of the settings that they override."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.runs.given_parameters import check_parameters
from project.errors import UsageError

DECLARED: list[dict[str, Any]] = [
    {"Name": "Epochs", "Type": "Integer", "DefaultValue": 30},
    {"Name": "AccuracyThreshold", "Type": "Float", "DefaultValue": 0.8},
    {"Name": "TrainingInstanceType", "Type": "String", "DefaultValue": "ml.g4dn.xlarge"},
    {"Name": "TransformInstanceCount", "Type": "Integer", "DefaultValue": 1},
    {"Name": "InputArchiveUri", "Type": "String", "DefaultValue": "s3://bucket/key"},
    {"Name": "InputArchiveSha256", "Type": "String", "DefaultValue": "0"},
    {"Name": "LearningRateSteps", "Type": "String", "DefaultValue": "15,22"},
    {"Name": "Shuffle", "Type": "Boolean", "DefaultValue": True},
    {"Name": "Status", "Type": "String", "DefaultValue": "Pending", "EnumValues": ["Pending", "Approved"]},
]


@pytest.mark.parametrize(
    "given",
    [
        {"Epochs": "60"},
        {"Epochs": "1000"},
        {"InputArchiveUri": "s3://bucket/key"},
        {"AccuracyThreshold": "1e-1"},
        {"AccuracyThreshold": "1"},
        {"Shuffle": "False"},
        {"Status": "Approved"},
        {},
    ],
)
def test_values_of_the_declared_type_pass(given: dict[str, str]) -> None:
    check_parameters(DECLARED, given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Epoch": "60"}, "no parameter 'Epoch'. Did you mean Epochs?"),
        ({"Colour": "red"}, "no parameter 'Colour'. It has: Epochs"),
        ({"Epochs": "0"}, "Epochs is '0': it must be at least 1"),
        ({"Epochs": "-3"}, "it must be at least 1"),
        ({"Epochs": "1001"}, "it must be at most 1000"),
        ({"Epochs": "٣"}, "not an integer"),
        ({"Epochs": "9" * 1000}, "not an integer"),
        ({"AccuracyThreshold": "80"}, "it must be at most 1"),
        ({"AccuracyThreshold": "0_1"}, "not a finite number"),
        ({"AccuracyThreshold": "1e999"}, "not a finite number"),
        ({"TransformInstanceCount": "0"}, "it must be at least 1"),
        ({"TrainingInstanceType": "g4dn"}, "such as ml.m5.large"),
        ({"TrainingInstanceType": "ml.g4dn.xxlarge"}, "did you mean ml.g4dn.xlarge?"),
        ({"InputArchiveUri": "bucket/key"}, "s3://bucket/key"),
        ({"InputArchiveSha256": "abc"}, "64 hexadecimal digits"),
        ({"LearningRateSteps": "0"}, "15,22"),
        ({"Status": "\x1b[2J"}, "cannot be printed"),
        ({"Epochs": "60.5"}, "Epochs is '60.5': not an integer"),
        ({"Epochs": ""}, "not an integer"),
        ({"AccuracyThreshold": "high"}, "not a finite number"),
        ({"AccuracyThreshold": "nan"}, "not a finite number"),
        ({"Shuffle": "yes"}, "neither true nor false"),
        ({"Status": "approved"}, "not one of Pending, Approved"),
        ({"Status": "x" * 1025}, "longer than 1024"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_parameters(DECLARED, given)
    assert words in str(caught.value)


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(UsageError, match="--parameter Colour=VALUE"):
        check_parameters([{"Name": "Colour", "Type": "String"}], {})

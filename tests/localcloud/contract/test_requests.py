"""What a request may break of botocore's service model, and what is not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.contract import requests
from localcloud.contract.definition import is_expression

SHAPE = requests.service().operation_model("CreateProcessingJob").input_shape
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
REQUEST = {
    "ProcessingJobName": "job",
    "RoleArn": "arn:aws:iam::000000000000:role/example-role",
    "AppSpecification": {"ImageUri": "image", "ContainerArguments": ["a"]},
    "ProcessingResources": {"ClusterConfig": CLUSTER},
}


def broken(**changes: Any) -> list[tuple[str, str, str]]:
    found = requests.violations(SHAPE, {**REQUEST, **changes}, is_open=is_expression)
    return [(one.rule, one.place.code, one.place.wire) for one in found]


def cluster(**changes: Any) -> Any:
    return {"ClusterConfig": {**CLUSTER, **changes}}


@pytest.mark.parametrize(
    ("changes", "rule", "code", "wire"),
    [
        ({"RoleArn": None}, "required", "RoleArn", "roleArn"),
        ({"RoleArn": 3}, "type", "RoleArn", "roleArn"),
        ({"Colour": "red"}, "unknown", "Colour", "colour"),
        ({"ProcessingJobName": "a b"}, "pattern", "ProcessingJobName", "processingJobName"),
        ({"Environment": {"A": "x" * 257}}, "greatest length", "Environment.A", "environment.A.member"),
        ({"Environment": {"9": "x"}}, "pattern", "Environment key '9'", "environment (key)"),
    ],
)
def test_each_rule_is_named_with_its_place_in_both_spellings(
    changes: dict[str, Any], rule: str, code: str, wire: str
) -> None:
    assert broken(**changes) == [(rule, code, wire)]


@pytest.mark.parametrize(
    ("changes", "rule", "member"),
    [
        ({"InstanceCount": 500}, "greatest value", "InstanceCount"),
        ({"VolumeSizeInGB": 0}, "least value", "VolumeSizeInGB"),
        ({"InstanceType": "ml.none"}, "enum", "InstanceType"),
        ({"InstanceCount": True}, "type", "InstanceCount"),
    ],
)
def test_numbers_and_enumerations_have_limits(changes: dict[str, Any], rule: str, member: str) -> None:
    [(found, code, _)] = broken(ProcessingResources=cluster(**changes))
    assert (found, code) == (rule, f"ProcessingResources.ClusterConfig.{member}")


def test_items_of_lists_are_counted_from_0_in_code_and_from_1_on_the_wire() -> None:
    arguments = {"ImageUri": "image", "ContainerArguments": ["a", "x" * 257]}
    place = ("AppSpecification.ContainerArguments[1]", "appSpecification.containerArguments.2.member")
    assert broken(AppSpecification=arguments) == [("greatest length", *place)]


def test_what_the_execution_fills_in_breaks_nothing() -> None:
    count = {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "count"}}
    assert broken(RoleArn={"Get": "Parameters.Role"}, ProcessingResources=cluster(InstanceCount=count)) == []


def test_every_pattern_of_the_model_can_be_matched() -> None:
    patterns = {requests.service().shape_for(name).metadata.get("pattern") for name in requests.service().shape_names}
    for pattern in patterns - {None}:
        requests.compiled(pattern)

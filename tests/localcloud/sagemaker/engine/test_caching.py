from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from localcloud.sagemaker.engine.caching import CacheConfig, changed, explanation, is_fresh, key

PROCESSING: dict[str, Any] = {
    "AppSpecification": {"ImageUri": "i", "ContainerArguments": ["--seed", "7"]},
    "Environment": {"A": "1"},
    "ProcessingInputs": [
        {"InputName": "code", "S3Input": {"S3Uri": "s3://b/code/1"}},
        {"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw"}},
    ],
    "ProcessingOutputConfig": {"Outputs": []},
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
    "RoleArn": "r",
    "Tags": [],
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "i"},
    "HyperParameters": {"epochs": "3", "seed": "7"},
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/t"}}}],
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large"},
    "RoleArn": "r",
}
TRANSFORM: dict[str, Any] = {
    "ModelName": "m",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": "s3://b/t"}}},
    "TransformOutput": {"S3OutputPath": "s3://b/out"},
    "TransformResources": {"InstanceType": "ml.m5.large"},
    "BatchStrategy": "SingleRecord",
}


def test_the_order_of_members_does_not_matter() -> None:
    assert key("Processing", dict(reversed(PROCESSING.items()))) == key("Processing", PROCESSING)


@pytest.mark.parametrize(
    ("kind", "request_", "member"),
    [
        *[("Processing", PROCESSING, name) for name in ("ProcessingOutputConfig", "ProcessingResources", "RoleArn")],
        *[("Processing", PROCESSING, name) for name in ("Tags", "StoppingCondition")],
        *[("Training", TRAINING, name) for name in ("OutputDataConfig", "ResourceConfig", "RoleArn")],
        *[("Transform", TRANSFORM, name) for name in ("TransformOutput", "TransformResources", "BatchStrategy")],
    ],
)
def test_instances_role_outputs_and_limits_are_not_in_the_key(kind: str, request_: Any, member: str) -> None:
    assert key(kind, {**request_, member: "other"}).digest == key(kind, request_).digest


@pytest.mark.parametrize(
    ("kind", "request_", "members"),
    [
        ("Processing", PROCESSING, ("AppSpecification", "Environment", "ProcessingInputs")),
        ("Training", TRAINING, ("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "Environment")),
        ("Training", TRAINING, ("CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations")),
        ("Transform", TRANSFORM, ("ModelName", "TransformInput", "DataProcessing", "Environment")),
    ],
)
def test_what_the_job_does_is_in_the_key(kind: str, request_: Any, members: tuple[str, ...]) -> None:
    for member in members:
        assert key(kind, {**request_, member: {"other": 1}}).digest != key(kind, request_).digest, member


def test_kinds_of_steps_do_not_share_keys() -> None:
    assert key("Processing", {"Environment": {}}).digest != key("Training", {"Environment": {}}).digest


def test_a_miss_names_the_values_that_changed() -> None:
    request = deepcopy(PROCESSING)
    request["AppSpecification"]["ContainerArguments"] = ["--seed", "8", "--fast"]
    request["ProcessingInputs"][0]["S3Input"]["S3Uri"] = "s3://b/code/2"
    del request["Environment"]["A"]
    before, now = key("Processing", PROCESSING).values, key("Processing", request).values
    assert changed(before, now) == [
        "AppSpecification.ContainerArguments[1]",
        "AppSpecification.ContainerArguments[2]",
        "Environment",
        "Environment.A",
        "ProcessingInputs.code.S3Input.S3Uri",
    ]
    assert "missed because AppSpecification.ContainerArguments[1] changed" in explanation(before, now)
    assert "Environment.A is gone" in explanation(before, now)


def test_a_miss_without_a_difference_or_a_predecessor_says_so() -> None:
    values = key("Training", TRAINING).values
    assert "expired" in explanation(values, values)
    assert "no earlier success" in explanation(None, values)


def test_a_result_is_fresh_up_to_its_age_limit() -> None:
    config = CacheConfig(timedelta(days=30))
    assert is_fresh(0.0, config, 30 * 86400.0)
    assert not is_fresh(0.0, config, 30 * 86400.0 + 1)
    assert is_fresh(0.0, CacheConfig(None), 1e12)

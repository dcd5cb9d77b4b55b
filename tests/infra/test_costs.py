"""What is published is looked at, and what bills by the month is counted."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra import costs, template
from lambdas import telemetry
from lambdas.alert import runs
from project import aws
from project.settings import Settings

ROOT = Path(__file__).parents[2]
JOB = {"Environment": {"sagemaker_endpoint_name": "x"}, "MonitoringScheduleArn": "by SageMaker"}


def of_functions() -> set[str]:
    """Names of the metrics that functions write into their logs."""
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "lambdas").rglob("*.py"))
    return {name for source in sources for name in re.findall(r'add_metric\(name="(\w+)"', source)}


def of_runs() -> set[str]:
    """Names of the metrics that function Alert publishes of a run."""
    put: list[dict[str, Any]] = []
    cloudwatch = SimpleNamespace(put_metric_data=lambda Namespace, MetricData: put.extend(MetricData))  # noqa: N803
    runs.publish(cloudwatch, {"metrics": []}, JOB, share=1.0)
    return {one["MetricName"] for one in put}


def test_every_custom_metric_is_looked_at_and_every_one_that_is_looked_at_is_published() -> None:
    found = costs.custom_metrics()
    assert {name for space, name in found if space == telemetry.NAMESPACE} == of_functions()
    assert {name for space, name in found if space == runs.OWN_NAMESPACE} == of_runs()
    assert {name for space, name in found if space == runs.DATA_NAMESPACE} == {
        "drift_severity",
        "feature_data_low_confidence",
        "feature_data_unfamiliar",
    }
    assert {name for space, name in found if space == runs.MODEL_NAMESPACE} == {"accuracy"}


def test_what_bills_by_the_month_is_said_with_a_figure_and_as_the_documentation_says_it() -> None:
    metrics, alarms, dollars = costs.monthly_dollars()
    assert f"{metrics} custom metrics and {alarms} alarm metrics, {dollars:.2f} dollars" in costs.resources(Settings())
    documented = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    assert f"{metrics} custom metrics and {alarms} alarm metrics: {dollars:.2f} dollars a month" in documented


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "a staging endpoint on 1 x ml.m5.large"),
        ({"Staging": "serverless"}, "requests to a serverless staging endpoint"),
        ({"Staging": "off"}, "no staging endpoint"),
    ],
)
def test_what_an_execution_bills_names_its_staging_endpoint(given: dict[str, str], said: str) -> None:
    assert said in costs.execution(Settings(), 3, given)


def test_metrics_of_two_projects_in_an_account_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "bikes-filter-inferences")
    assert telemetry.project("filter-inferences") == "bikes"
    names = template.load()["Resources"]["FilterInferences"]["Properties"]["FunctionName"]
    assert names == {"Fn::Sub": "${ProjectName}-filter-inferences"}


@pytest.mark.parametrize(
    ("endpoint", "billed"), [("http://127.0.0.1:4566", False), ("https://api.sagemaker.eu-west-1.amazonaws.com", True)]
)
def test_only_calls_that_reach_aws_bill(monkeypatch: pytest.MonkeyPatch, endpoint: str, billed: bool) -> None:
    asked = SimpleNamespace(meta=SimpleNamespace(endpoint_url=endpoint))
    monkeypatch.setattr(aws, "client", lambda service: asked)
    assert aws.bills() is billed

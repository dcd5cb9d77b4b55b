"""What bills, said where it begins. Prices differ by region and over time, so most are left to AWS's own page.

Alarms and custom metrics bill by the month whether anybody calls the project or not, so for these a figure is computed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra import template
from project.settings import Settings

PRICES = "https://aws.amazon.com/sagemaker/ai/pricing/"
METRIC_DOLLARS, ALARM_DOLLARS = 0.30, 0.10
"""A month, in us-east-1, for the first ten thousand: https://aws.amazon.com/cloudwatch/pricing/"""
MISSING_RUNS_METRICS = 2
"""Of the alarm that the monitor makes: each metric of an alarm bills like an alarm."""


def custom_metrics() -> set[tuple[str, str]]:
    """Namespace and name of every custom metric that an alarm or the dashboard looks at: no others are published."""
    resources = template.load()["Resources"].values()
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    looked_at = {(one["Namespace"], one["MetricName"]) for one in alarms} | set(_on_dashboard())
    return {one for one in looked_at if not one[0].startswith("AWS/")}


def monthly_dollars() -> tuple[int, int, float]:
    """Custom metrics, alarms, and what they cost a month once a model is live."""
    metrics = len(custom_metrics())
    resources = template.load()["Resources"].values()
    alarms = sum(one["Type"] == "AWS::CloudWatch::Alarm" for one in resources) + MISSING_RUNS_METRICS
    return metrics, alarms, METRIC_DOLLARS * metrics + ALARM_DOLLARS * alarms


def _on_dashboard() -> list[tuple[str, str]]:
    body = json.loads(template.load()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    found: list[tuple[str, str]] = []
    for widget in body["widgets"]:
        before: list[Any] = []
        for line in widget["properties"]["metrics"]:
            names = [one for one in line if isinstance(one, str)]
            if names[0] == "...":  # as the line before
                names = before
            elif names[0] == ".":  # the same at this place
                names = [was if one == "." else one for one, was in zip(names, before, strict=True)]
            before = names
            found.append((names[0], names[1]))
    return found


def execution(settings: Settings, processing_jobs: int, parameters: Mapping[str, str] | None = None) -> str:
    """What one execution of the pipeline bills.

    Args:
        processing_jobs: how many processing jobs the pipeline has.
        parameters: the execution's own values; instance types among them win over the settings.
    """
    types, given = settings.instances, parameters or {}
    processing = given.get("ProcessingInstanceType", types.processing)
    training = given.get("TrainingInstanceType", types.training)
    transform = given.get("TransformInstanceType", types.transform)
    return (
        f"Billed on AWS per run, by the second while a job runs: {processing_jobs} processing jobs on {processing}, "
        f"training on {training}, batch transform on {transform}; {staging(settings, given)}. "
        f"Prices in {settings.region}: {PRICES}"
    )


def staging(settings: Settings, parameters: Mapping[str, str]) -> str:
    """What trying the model out bills in a run."""
    match parameters.get("Staging", settings.serving.staging):
        case "instance":
            return f"a staging endpoint on 1 x {settings.instances.endpoint} for some ten minutes (Staging=off: none)"
        case "serverless":
            return "some 200 requests to a serverless staging endpoint (Staging=off: none)"
        case _:
            return "no staging endpoint"


def endpoint(settings: Settings) -> str:
    """What the endpoint bills for as long as it exists, with or without traffic."""
    count, kind = settings.serving.instance_count, settings.instances.endpoint
    return (
        f"Billed on AWS per hour until it is switched off: endpoint {settings.project}, {count} x {kind}; twice as "
        f"many while an update runs. Off: scones endpoint stop. Prices in {settings.region}: {PRICES}"
    )


def resources(settings: Settings) -> str:
    """What the stack itself bills: nothing by the hour."""
    metrics, alarms, dollars = monthly_dollars()
    return (
        "Billed on AWS per use: S3 storage, Lambda and Step Functions calls, logs; "
        f"{metrics} custom metrics and {alarms} alarm metrics, {dollars:.2f} dollars a month in us-east-1; "
        f"nothing by the hour until a model is approved, then {settings.serving.instance_count} x "
        f"{settings.instances.endpoint}. Remove it all: scones cleanup."
    )

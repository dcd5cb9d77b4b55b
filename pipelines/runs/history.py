"""The latest executions of a pipeline: when, how long, and in which parameters each differs from the defaults."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from pipelines.runs.executions import RUNNING, definition, describe, execution_id, newest_first
from project import aws

THREADS = 4
"""Executions that are asked about at a time: three questions each."""


@dataclass(frozen=True)
class Past:
    """One execution: `seconds` to its end, None while it runs; `differs` holds parameters that are not the defaults."""

    arn: str
    id: str
    display_name: str | None
    status: str
    started: datetime
    seconds: float | None
    differs: dict[str, str]
    reason: str | None


def latest(pipeline: str, most: int, statuses: Iterable[str] = ()) -> list[Past]:
    """The latest executions, newest first, of these statuses only if any are given.

    Raises:
        UsageError: there is no such pipeline.
    """
    wanted = set(statuses)
    matching = (
        str(one["PipelineExecutionArn"])
        for one in newest_first(pipeline)
        if not wanted or one["PipelineExecutionStatus"] in wanted
    )
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(_past, islice(matching, most)))


def _past(arn: str) -> Past:
    found = describe(arn)
    status, began = found["PipelineExecutionStatus"], found["CreationTime"]
    return Past(
        arn=arn,
        id=execution_id(arn),
        display_name=found.get("PipelineExecutionDisplayName"),
        status=status,
        started=began,
        seconds=None if status in RUNNING else (found["LastModifiedTime"] - began).total_seconds(),
        differs=_differing(arn),
        reason=found.get("FailureReason"),
    )


def _differing(arn: str) -> dict[str, str]:
    """What the execution was started with, without values that are the defaults of the definition that it runs."""
    with aws.explained(f"reading the parameters of execution {execution_id(arn)}"):
        pages = aws.client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
        found = pages.paginate(PipelineExecutionArn=arn)
        given = {one["Name"]: str(one["Value"]) for page in found for one in page["PipelineParameters"]}
    if not given:
        return {}
    defaults = {one["Name"]: _text(one.get("DefaultValue")) for one in definition(arn).get("Parameters", [])}
    return {name: value for name, value in given.items() if defaults.get(name) != value}


def _text(default: Any) -> str | None:
    """A default as an execution's parameters are written: text, without a fraction where there is none."""
    if isinstance(default, bool):
        return str(default).lower()
    return None if default is None else f"{default:g}" if isinstance(default, float) else str(default)

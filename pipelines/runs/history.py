"""The latest executions of a pipeline: when, how long, and in which parameters each differs from the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """One execution: `seconds` to its end, None while it runs; `differs` are parameters that are not defaults."""

    arn: str
    id: str
    display_name: str | None
    status: str
    started: datetime
    seconds: float | None
    differs: dict[str, str]
    reason: str | None
    started_by: str | None = None


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
        return list(pool.map(past, islice(matching, most)))


def past(arn: str, differs: dict[str, str] | None = None) -> Past:
    """One execution as it stands; `differs` is asked for unless it is given: it never changes."""
    return read(describe(arn), differing(arn) if differs is None else differs)


def read(found: Mapping[str, Any], differs: dict[str, str]) -> Past:
    """One execution from DescribePipelineExecution's answer."""
    arn, status, began = found["PipelineExecutionArn"], found["PipelineExecutionStatus"], found["CreationTime"]
    return Past(
        arn=arn,
        id=execution_id(arn),
        display_name=found.get("PipelineExecutionDisplayName"),
        status=status,
        started=began,
        seconds=None if status in RUNNING else (found["LastModifiedTime"] - began).total_seconds(),
        differs=differs,
        reason=found.get("FailureReason"),
        started_by=_who(found.get("CreatedBy", {})),
    )


def differing(arn: str) -> dict[str, str]:
    """What the execution was started with, without values that are the defaults of the definition that it runs."""
    found = given(arn)
    if not found:
        return {}
    defaults = {name: text_of(value) for name, value in declared(definition(arn)).items()}
    return {name: value for name, value in found.items() if defaults.get(name) != value}


def given(arn: str) -> dict[str, str]:
    """The parameters that the execution was started with, by name."""
    with aws.explained(f"reading the parameters of execution {execution_id(arn)}"):
        pages = aws.client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
        found = pages.paginate(PipelineExecutionArn=arn)
        return {one["Name"]: str(one["Value"]) for page in found for one in page["PipelineParameters"]}


def declared(of: Mapping[str, Any]) -> dict[str, Any]:
    """A definition's parameters with their defaults; None where there is none."""
    return {str(one["Name"]): one.get("DefaultValue") for one in of.get("Parameters", [])}


def _who(user: Mapping[str, Any]) -> str | None:
    """A name from UserContext: Studio's profile, or the last part of the caller's ARN."""
    arn = str(user.get("IamIdentity", {}).get("Arn", ""))
    return user.get("UserProfileName") or arn.rpartition("/")[2] or None


def text_of(default: Any) -> str | None:
    """A default as an execution's parameters are written: text, without a fraction where there is none."""
    if isinstance(default, bool):
        return str(default).lower()
    return None if default is None else f"{default:g}" if isinstance(default, float) else str(default)

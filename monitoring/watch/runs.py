"""Runs of the monitor: start one and wait for its verdict, and what the latest ones came to.

Jobs do not travel with this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.analysis.outcome import Outcome, of_message
from monitoring.watch.schedule import MODEL_MONITOR, Attached, ask_monitor
from project import aws, s3
from project.errors import ExecutionFailedError
from project.waiting import going_on, wait_between_looks

UNFINISHED = {"InProgress", "Stopping"}
NO_DATA = "Job inputs had no data"
"""What SageMaker says of a scheduled run without any traffic: it does not start the job, and calls that Failed."""


@dataclass(frozen=True)
class Run:
    """One run. `outcome` is None while it runs, and when it failed; then `message` says why."""

    job: str
    began: datetime
    status: str
    outcome: Outcome | None
    message: str
    output: str


@dataclass(frozen=True)
class Verdict:
    """What a run found: its summary.json and the entries of its constraint_violations.json."""

    run: Run
    outcome: Outcome
    summary: dict[str, Any]
    violations: list[dict[str, str]]


def run(start: datetime, end: datetime, model_quality: bool = False) -> Verdict:
    """Analyse what was captured from `start` to `end` now, and wait for the verdict.

    Raises:
        CloudError: nothing is watched, or a service refused.
        ExecutionFailedError: the run failed, which is no verdict.
    """
    answer = ask_monitor("run", start=start.isoformat(), end=end.isoformat(), model_quality=model_quality)
    return verdict(_wait_for(answer["job"]))


def verdict(found: Run) -> Verdict:
    """What a run that has ended found.

    Raises:
        ExecutionFailedError: it failed, or was stopped.
        DataError: it completed without its files.
    """
    if found.outcome is None:
        raise ExecutionFailedError(
            f"Monitor run {found.job} {found.status.lower()}: {found.message}",
            f"Its log: scones logs {found.job}",
        )
    violations = s3.read_json(f"{found.output}/constraint_violations.json")["violations"]
    return Verdict(found, found.outcome, s3.read_json(f"{found.output}/summary.json"), violations)


def latest(attached: Attached | None, most: int) -> list[Run]:
    """The latest runs, newest first: those of the schedule, and those by hand."""
    name = aws.names().monitor
    with aws.explained("listing the runs of the monitor"):
        client = aws.client("sagemaker")
        jobs = client.list_processing_jobs(
            NameContains=f"{name}-", SortBy="CreationTime", SortOrder="Descending", MaxResults=most
        )["ProcessingJobSummaries"]
        found = [_run(one["ProcessingJobName"]) for one in jobs]
        if attached and attached.scheduler == MODEL_MONITOR:
            executions = client.list_monitoring_executions(
                MonitoringScheduleName=name, SortBy="ScheduledTime", SortOrder="Descending", MaxResults=most
            )["MonitoringExecutionSummaries"]
            found += [_execution(one) for one in executions]
    return sorted(found, key=lambda one: one.began, reverse=True)[:most]


def _wait_for(job: str) -> Run:
    with going_on(f"Run {job} goes on: scones monitor status."):
        for _ in wait_between_looks(longest=5.0, first=0.2):
            found = _run(job)
            if found.status not in UNFINISHED:
                break
    return found


def _run(job: str) -> Run:
    with aws.explained(f"looking at run {job}"):
        found = aws.client("sagemaker").describe_processing_job(ProcessingJobName=job)
    message = str(found.get("ExitMessage") or found.get("FailureReason") or "")
    return Run(
        job=job,
        began=found["CreationTime"],
        status=found["ProcessingJobStatus"],
        outcome=of_message(message) if found["ProcessingJobStatus"] == "Completed" else None,
        message=message,
        output=found["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"],
    )


def _execution(summary: dict[str, Any]) -> Run:
    if "ProcessingJobArn" in summary:
        return _run(summary["ProcessingJobArn"].rpartition("/")[2])
    reason = summary.get("FailureReason", "")
    nothing = reason.startswith(NO_DATA)
    return Run(
        job=summary["MonitoringScheduleName"],
        began=summary["ScheduledTime"],
        status="Completed" if nothing else summary["MonitoringExecutionStatus"],
        outcome=Outcome.NO_DATA if nothing else None,
        message=reason,
        output="",
    )

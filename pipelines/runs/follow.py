"""Follow an execution to its end: a line per step transition, and for a failure its reason and last log lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines import registry
from pipelines.definition import gates
from pipelines.runs import step_log
from pipelines.runs.executions import RUNNING, describe, execution_id, list_steps
from pipelines.runs.step_log import Log
from pipelines.runs.step_progress import Watch
from project.console import say
from project.errors import ExecutionFailedError, QualityGateError
from project.progress import progress
from project.waiting import going_on, wait_between_looks

GATE, QUALITY_TOO_LOW = "CheckQuality", "QualityTooLow"
REGISTER, TEST_STAGING = "RegisterModel", "TestStaging"
LOG_GROUPS = {
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}
LOG_LINES = 20
UNFINISHED = {"Starting", "Executing", "Stopping"}
"""The statuses of a step that has not ended."""
Step = dict[str, Any]


def follow(arn: str, tell: Callable[[str], None]) -> tuple[dict[str, Any], list[Step]]:
    """Wait until the execution has ended, and `tell` each transition of a step; its description and its steps."""
    told: dict[str, str] = {}
    identifier = execution_id(arn)
    with (
        going_on(f"The execution goes on: scones status {identifier}, scones stop {identifier}."),
        progress() as show,
    ):
        watch = Watch(show)
        for _ in wait_between_looks(longest=5.0, first=0.4, share=1 / 60):
            description = describe(arn)
            steps = list_steps(arn)
            for step in steps:
                line = step_line(step)
                if told.get(step["StepName"]) != line:
                    told[step["StepName"]] = line
                    tell(line)
            if description["PipelineExecutionStatus"] not in RUNNING:
                break
            watch.show(steps)
    return description, steps


def step_line(step: Step) -> str:
    """`Train            Succeeded  41.3 s`, with `cached` instead of the time when nothing had to run.

    A step that waits for its next try says so in place of its status: `Train            try 2 of 6 in 60 s: …`.
    """
    if step["StepStatus"] in UNFINISHED and "FailureReason" in step:
        return f"{step['StepName']:<16} {remark(step)}"
    status = "Executing" if step["StepStatus"] == "Starting" else step["StepStatus"]
    return f"{step['StepName']:<16} {status:<10} {duration(step) or remark(step)}".rstrip()


def remark(step: Step) -> str:
    """Why a step failed, in one line; of one that runs for a second time or more, `try 2`; else nothing.

    AWS counts the tries (AttemptCount). The local cloud gives an unfinished step also the reason why its last try
    failed, with the number and the time of the next one before it.
    """
    if reason := step.get("FailureReason"):
        return " ".join(str(reason).split())
    return f"try {step['AttemptCount']}" if step["StepStatus"] in UNFINISHED and step.get("AttemptCount", 1) > 1 else ""


def duration(step: Step) -> str:
    """How long a finished step took: `cached`, seconds with one decimal, or nothing while it runs."""
    if is_cached(step):
        return "cached"
    if "EndTime" not in step or "StartTime" not in step:
        return ""
    return f"{(step['EndTime'] - step['StartTime']).total_seconds():.1f} s"


def is_cached(step: Step) -> bool:
    """Whether the step's result is an earlier execution's; a miss may carry an empty ARN."""
    return bool(step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"))


def raise_unless_succeeded(description: dict[str, Any], steps: list[Step]) -> None:
    """Nothing for an execution that succeeded.

    Raises:
        QualityGateError: the gate said no, or could not read its metric: nothing was registered. Or the staging
            endpoint did not do what it must: the version is rejected.
        ExecutionFailedError: anything else; the failed job's last log lines go to stderr first.
        CloudError: whether the version was rejected cannot be read.
    """
    status, arn = description["PipelineExecutionStatus"], description["PipelineExecutionArn"]
    if status == "Succeeded":
        return
    identifier = execution_id(arn)
    if status == "Stopped":
        raise ExecutionFailedError(f"Execution {identifier} was stopped.", f"Go on: scones resume {identifier} --wait.")
    failed = [step for step in steps if step["StepStatus"] == "Failed"]
    for step in failed:
        if step["StepName"] in {GATE, QUALITY_TOO_LOW}:
            raise QualityGateError(
                f"{step['StepName']}: {'; '.join(gates.failed(_reason(step))) or _reason(step)}.",
                "Nothing was registered. Train longer (--parameter Epochs=…), on more pictures, or ask for less.",
            )
    for step in failed:
        if step["StepName"] == TEST_STAGING:
            if not _was_rejected(steps):
                raise ExecutionFailedError(
                    f"{TEST_STAGING}: {_reason(step)}.",
                    "That is no fault of the model, and its version was not rejected. Mend it, then: "
                    "scones start --wait, where the finished steps are cached.",
                )
            raise QualityGateError(
                f"{TEST_STAGING}: {_reason(step)}.",
                "A version that failed its test is rejected with this reason, and its endpoint is removed. "
                "Train another one: scones start --wait.",
            )
    for step in failed:
        _say_log_tail(step)
    causes = "; ".join(f"{step['StepName']}: {_reason(step)}" for step in failed)
    raise ExecutionFailedError(
        f"Execution {identifier} {status.lower()}: {causes or description.get('FailureReason', 'no reason given')}.",
        f"After a fault outside of the code: scones resume {identifier} --wait. "
        "After changing it: scones upsert, scones start --wait.",
    )


def _was_rejected(steps: list[Step]) -> bool:
    """Whether the version that the execution registered is rejected."""
    made = [step["Metadata"][REGISTER]["Arn"] for step in steps if REGISTER in step.get("Metadata", {})]
    return any(registry.described(arn)["ModelApprovalStatus"] == "Rejected" for arn in made)


def _reason(step: Step) -> str:
    message = step.get("Metadata", {}).get("Fail", {}).get("ErrorMessage")
    return str(message or step.get("FailureReason", "no reason given")).rstrip(".")


def _say_log_tail(step: Step) -> None:
    """The job's last log lines, if the step had a job and the job wrote any."""
    for kind, group in LOG_GROUPS.items():
        job_arn = step.get("Metadata", {}).get(kind, {}).get("Arn")
        if job_arn:
            job = str(job_arn).rsplit("/", 1)[-1]
            lines = step_log.tail(Log(group, f"{job}/"), LOG_LINES)
            say(f"--- last lines of {group}, {job}" if lines else f"--- no log in {group} for {job}")
            for line in lines:
                say(f"    {line}")

"""Following a search to its end, and what it found: a line per training, a table, the best values ready to use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.tuning.search import describe, list_jobs, number_of_jobs
from project.console import table
from project.errors import ExecutionFailedError
from project.setting_groups import BuiltinHyperparameters
from project.waiting import going_on, wait_between_looks

RUNNING = {"InProgress", "Stopping"}
TrainingJob = dict[str, Any]


def follow(name: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Wait until the tuning job has ended, and `tell` each training that ends; the tuning job's description."""
    told: set[str] = set()
    with going_on(f"The search goes on: scones tune --show {name} --wait, scones tune --stop {name}."):
        for _ in wait_between_looks(longest=15.0, first=0.5, share=1 / 30):
            description = describe(name)
            total = number_of_jobs(description["HyperParameterTuningJobConfig"])
            for job in list_jobs(name):
                if job["TrainingJobStatus"] not in RUNNING and job["TrainingJobName"] not in told:
                    told.add(job["TrainingJobName"])
                    tell(line(job, len(told), total))
            if description["HyperParameterTuningJobStatus"] not in RUNNING:
                break
    return description


def line(job: TrainingJob, number: int, total: int) -> str:
    """`3/10  0.912500  41 s  learning_rate=0.0731 momentum=0.93`; a failure with its reason."""
    reached = objective(job)
    said = f"{reached:.6f}" if reached is not None else job["TrainingJobStatus"]
    values = " ".join(f"{name}={short(value)}" for name, value in sorted(job["TunedHyperParameters"].items()))
    reason = f"  {job['FailureReason']}" if job.get("FailureReason") else ""
    return f"{number}/{total}  {said:<9}  {seconds(job):>6}  {values}{reason}"


def objective(job: TrainingJob) -> float | None:
    """The last value of the objective that a training printed."""
    final = job.get("FinalHyperParameterTuningJobObjectiveMetric")
    return None if final is None else float(final["Value"])


def ranked(jobs: list[TrainingJob], metric_type: str) -> list[TrainingJob]:
    """The best first, those without an objective last."""
    sign = -1.0 if metric_type == "Maximize" else 1.0

    def key(job: TrainingJob) -> tuple[bool, float]:
        reached = objective(job)
        return reached is None, 0.0 if reached is None else sign * reached

    return sorted(jobs, key=key)


def results_table(jobs: list[TrainingJob], metric: dict[str, str]) -> str:
    """One row per training, in order of the objective."""
    names = sorted({name for job in jobs for name in job["TunedHyperParameters"]})
    rows = [
        [
            job["TrainingJobName"],
            job["TrainingJobStatus"],
            "" if (reached := objective(job)) is None else f"{reached:.6f}",
            seconds(job),
            *(short(job["TunedHyperParameters"].get(name, "")) for name in names),
        ]
        for job in ranked(jobs, metric["Type"])
    ]
    return table(rows, ["TRAINING JOB", "STATUS", metric["MetricName"], "TIME", *names])


def text(description: dict[str, Any], jobs: list[TrainingJob]) -> str:
    """What a search has found so far: its status, a table, and the best values as lines for scones.toml."""
    metric = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    lines = [f"{description['HyperParameterTuningJobName']} {description['HyperParameterTuningJobStatus']}"]
    if jobs:
        lines.append(results_table(jobs, metric))
    if best := description.get("BestTrainingJob"):
        reached = f"{metric['MetricName']} {objective(best):.6f}"
        lines += ["", f"# {reached} on the validation split; for scones.toml:"]
        lines.append(settings_lines(description, best["TunedHyperParameters"]))
    return "\n".join(lines)


def document(description: dict[str, Any], jobs: list[TrainingJob]) -> dict[str, Any]:
    """The same as one JSON object, best training first."""
    metric = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    best = description.get("BestTrainingJob")
    return {
        "name": description["HyperParameterTuningJobName"],
        "arn": description["HyperParameterTuningJobArn"],
        "status": description["HyperParameterTuningJobStatus"],
        "reason": description.get("FailureReason"),
        "objective": metric["MetricName"],
        "best": best["TrainingJobName"] if best else None,
        "jobs": [
            {
                "name": job["TrainingJobName"],
                "status": job["TrainingJobStatus"],
                "objective": objective(job),
                "hyperparameters": job["TunedHyperParameters"],
                "started": job.get("TrainingStartTime"),
                "ended": job.get("TrainingEndTime"),
                "reason": job.get("FailureReason"),
            }
            for job in ranked(jobs, metric["Type"])
        ],
    }


def settings_lines(description: dict[str, Any], values: dict[str, str]) -> str:
    """The values as lines of scones.toml: those with a place of their own first, then the algorithm's section."""
    image = description["TrainingJobDefinition"]["AlgorithmSpecification"]["TrainingImage"]
    algorithm = "builtin" if "/image-classification:" in image else "pytorch"
    section = set(BuiltinHyperparameters.model_fields) if algorithm == "builtin" else values.keys() - {"epochs", "seed"}
    top = [f"{name} = {_toml(value)}" for name, value in sorted(values.items()) if name not in section]
    inside = [f"{name} = {_toml(value)}" for name, value in sorted(values.items()) if name in section]
    return "\n".join([*top, *([f"[{algorithm}]", *inside] if inside else [])])


def raise_unless_found(description: dict[str, Any], jobs: list[TrainingJob]) -> None:
    """Nothing for a search that has a best training.

    Raises:
        ExecutionFailedError: it failed, or was stopped before any training had ended.
    """
    status, name = description["HyperParameterTuningJobStatus"], description["HyperParameterTuningJobName"]
    if status == "Failed" or (status == "Stopped" and "BestTrainingJob" not in description):
        reason = description.get("FailureReason", "No training gave an objective.")
        failed = next(
            (f" {job['TrainingJobName']}: {job['FailureReason']}" for job in jobs if "FailureReason" in job), ""
        )
        raise ExecutionFailedError(f"Tuning job {name} {status.lower()}: {reason}{failed}")


def short(value: str) -> str:
    """A value with at most four significant digits if it is a number with a fraction; it may be quoted."""
    text = value.strip('"')
    try:
        return text if text.lstrip("-").isdecimal() else f"{float(text):.4g}"
    except ValueError:
        return text


def seconds(job: TrainingJob) -> str:
    """How long a training ran."""
    if "TrainingStartTime" not in job or "TrainingEndTime" not in job:
        return ""
    return f"{(job['TrainingEndTime'] - job['TrainingStartTime']).total_seconds():.0f} s"


def _toml(value: str) -> str:
    text = short(value)
    try:
        float(text)
    except ValueError:
        return f'"{text}"'
    return text

"""When a search is over, from its record and its training jobs."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker.jobs.lifecycle import RESTARTED
from localcloud.sagemaker.store import Resource
from localcloud.sagemaker.tuning import children
from localcloud.sagemaker.tuning.search import ALL_FAILED, OUT_OF_TIME, SearchVerdict, judge

CREATED = 1000.0


def tuning(status: str = "InProgress", kind: str = "Maximize", target: float | None = None, jobs: int = 3) -> Resource:
    config: dict[str, Any] = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": kind, "MetricName": "score"},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": jobs,
            "MaxParallelTrainingJobs": 2,
            "MaxRuntimeInSeconds": 600,
        },
        "ParameterRanges": {"IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "99"}]},
    }
    if target is not None:
        config["TuningJobCompletionCriteria"] = {"TargetObjectiveMetricValue": target}
    body = {"HyperParameterTuningJobConfig": config}
    return Resource("HyperParameterTuningJob", "t", "arn", "", status, CREATED, CREATED, body)


def child(number: int, status: str = "Completed", score: float | None = None, **more: Any) -> Resource:
    metrics = [] if score is None else [{"MetricName": "score", "Value": score}]
    values = {"TunedHyperParameters": {"n": str(number)}}
    body = {"Trial": number, "FinalMetricDataList": metrics, "TrainingJobStatus": status, **values, **more}
    return Resource("TrainingJob", f"t-{number:03d}", "arn", "t", status, CREATED + number, CREATED, body)


THREE = [child(0, score=0.1), child(1, "Failed"), child(2, score=0.3)]


@pytest.mark.parametrize(
    ("job", "found", "later", "verdict"),
    [
        (tuning(), [], 0, None),
        (tuning(), [child(0, score=0.1), child(1, "InProgress")], 0, None),
        (tuning(), THREE, 0, SearchVerdict("Completed")),
        (tuning(), [*THREE[:2], child(2, "InProgress")], 0, None),
        (tuning(), [*THREE[:2], child(2, "Stopped", CutOff=True)], 0, None),
        (tuning(), [*THREE[:2], child(2, "Failed", FailureReason=RESTARTED)], 0, None),
        (tuning(), [child(number, "Failed") for number in range(3)], 0, SearchVerdict("Failed", ALL_FAILED)),
        (tuning(jobs=9), [child(number, "Failed") for number in range(4)], 0, None),
        (tuning(jobs=9), [child(number, "Failed") for number in range(5)], 0, SearchVerdict("Failed", ALL_FAILED)),
        (tuning(target=0.1), [child(0, score=0.1), child(1, "InProgress")], 0, SearchVerdict("Completed")),
        (tuning(target=0.2), [child(0, score=0.1), child(1, "InProgress")], 0, None),
        (tuning(kind="Minimize", target=0.2), [child(0, score=0.1)], 0, SearchVerdict("Completed")),
        (tuning(), [child(0, "InProgress")], 599, None),
        (tuning(), [child(0, "InProgress")], 600, SearchVerdict("Stopped", OUT_OF_TIME)),
        (tuning("Stopping"), [child(0, "InProgress")], 0, SearchVerdict("Stopped")),
    ],
)
def test_a_search_is_over(job: Resource, found: list[Resource], later: float, verdict: SearchVerdict | None) -> None:
    assert judge(job, found, CREATED + later) == verdict


def test_the_best_is_a_completed_training_and_the_first_of_equals() -> None:
    found = [child(0, score=0.2), child(1, score=0.4), child(2, "Stopped", score=0.9), child(3, score=0.4)]
    best = children.best(tuning().body, found)
    assert best and best.name == "t-001"
    least = children.best(tuning(kind="Minimize").body, found)
    assert least and least.name == "t-000"
    assert children.best(tuning().body, [child(0, "Failed", score=0.9), child(1)]) is None


def test_a_failure_of_the_service_counts_as_retryable() -> None:
    failed = [child(0, "Failed", FailureReason=RESTARTED), child(1, "Failed", FailureReason="AlgorithmError: no")]
    counted = children.counters(tuning().body, [*failed, child(2, "Stopping")])["TrainingJobStatusCounters"]
    assert (counted["RetryableError"], counted["NonRetryableError"], counted["InProgress"]) == (1, 1, 1)


def test_objectives_are_turned_so_that_higher_is_better() -> None:
    found = [child(1, "Failed"), child(0, score=0.2)]
    assert [one.objective for one in children.trials(tuning().body, found)] == [0.2, None]
    assert [one.objective for one in children.trials(tuning(kind="Minimize").body, found)] == [-0.2, None]

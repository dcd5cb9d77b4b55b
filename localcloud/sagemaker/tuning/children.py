"""The training jobs of a tuning job: their requests, and what they say about the search.

A trial is a set of values with a number, from 0. A trial whose training job was cut off, because this server was
killed or shut down, is tried again by another training job; there is therefore one training job per trial, or more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from localcloud.sagemaker import protocol
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs.job_types import TRAINING, UNFINISHED
from localcloud.sagemaker.jobs.lifecycle import RESTARTED
from localcloud.sagemaker.store import Body, Resource
from localcloud.sagemaker.tuning.ranges import Values
from localcloud.sagemaker.tuning.strategies import Trial

OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
LEAST_GIGABYTES = 1
"""A volume's size where the request gives none, which it need not."""
RETRYABLE = "InternalServerError"
"""How the reason of a failure begins that is the service's own, and that another attempt may not have."""
TAKEN_OVER = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
    "AlgorithmSpecification",
)
"""What a training job has of the TrainingJobDefinition as it is."""


def request(tuning: Body, name: str, values: Values) -> Body:
    """CreateTrainingJob's request for one trial of a tuning job's request."""
    definition = tuning["TrainingJobDefinition"]
    metric = objective_of(tuning)["MetricName"]
    return {
        "TrainingJobName": name,
        **{member: definition[member] for member in TAKEN_OVER if member in definition},
        "ResourceConfig": resources(definition),
        "HyperParameters": {
            OBJECTIVE_HYPERPARAMETER: metric,
            **definition.get("StaticHyperParameters", {}),
            **values,
        },
    }


def described_definition(tuning: Body) -> Body:
    """The TrainingJobDefinition as Describe shows it: AWS's recorded answers name the objective among the static
    hyperparameters, and the SDK 2 takes it out of there when it attaches to a tuning job. It reads a ResourceConfig as
    well, though what it has sent is a HyperParameterTuningResourceConfig.
    """
    definition = tuning["TrainingJobDefinition"]
    metric = {OBJECTIVE_HYPERPARAMETER: objective_of(tuning)["MetricName"]}
    static = {**metric, **definition.get("StaticHyperParameters", {})}
    return {**definition, "ResourceConfig": resources(definition), "StaticHyperParameters": static}


def resources(definition: Body) -> Body:
    """A training job's ResourceConfig: the definition's own, or what its HyperParameterTuningResourceConfig says.

    Of several kinds of instances it is the first, which the allocation strategy Prioritized would take as well.
    """
    chosen = definition.get("HyperParameterTuningResourceConfig")
    if not chosen:
        return dict(definition["ResourceConfig"])
    given = {**chosen, **(chosen.get("InstanceConfigs") or [{}])[0]}
    shape = protocol.operation("CreateTrainingJob").input_shape.members["ResourceConfig"]
    known = {member: value for member, value in given.items() if member in shape.members}
    return {"InstanceCount": 1, "VolumeSizeInGB": LEAST_GIGABYTES, **known}


def name(tuning: str, number: int) -> str:
    """`<tuning job>-<number, three digits>-<eight hexadecimal digits>`; numbers count from 1."""
    return f"{tuning}-{number:03d}-{secrets.token_hex(4)}"


def of(cloud: Cloud, tuning: str) -> list[Resource]:
    """The training jobs of a tuning job, oldest first."""
    return cloud.store.page(TRAINING.name, parent=tuning, descending=False)[0]


def objective_of(tuning: Body) -> dict[str, str]:
    """The tuning job's objective: its Type and MetricName."""
    found: dict[str, str] = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return found


def is_cut_off(child: Resource) -> bool:
    """Whether it ended with this server, not by itself."""
    return bool(child.body.get("CutOff")) or child.body.get("FailureReason") == RESTARTED


def value(child: Resource, metric: str) -> float | None:
    """The last value of the metric that a training job printed; None while it runs, if it failed, or for none."""
    if child.status not in ("Completed", "Stopped"):
        return None
    found = (m["Value"] for m in child.body.get("FinalMetricDataList", []) if m["MetricName"] == metric)
    return next(found, None)


def trials(tuning: Body, children: Sequence[Resource]) -> list[Trial]:
    """What was tried so far, by the trials' numbers; objectives turned so that higher is better."""
    objective = objective_of(tuning)
    sign = 1.0 if objective["Type"] == "Maximize" else -1.0
    found: dict[int, Trial] = {}
    for child in children:
        reached = None if is_cut_off(child) else value(child, objective["MetricName"])
        found[child.body["Trial"]] = Trial(
            child.body["TunedHyperParameters"], None if reached is None else sign * reached
        )
    return [found[number] for number in sorted(found)]


def best(tuning: Body, children: Sequence[Resource]) -> Resource | None:
    """The completed training job with the best objective, the earliest of equals."""
    objective = objective_of(tuning)
    sign = 1.0 if objective["Type"] == "Maximize" else -1.0
    rated = [
        (sign * reached, child)
        for child in children
        if child.status == "Completed" and (reached := value(child, objective["MetricName"])) is not None
    ]
    return max(rated, key=lambda one: one[0])[1] if rated else None


def summary(tuning: Body, child: Resource) -> dict[str, Any]:
    """The training job as HyperParameterTrainingJobSummary has it."""
    objective = objective_of(tuning)
    reached = value(child, objective["MetricName"])
    final = {} if reached is None else {"FinalHyperParameterTuningJobObjectiveMetric": {**objective, "Value": reached}}
    return {**child.body, "CreationTime": child.created, "ObjectiveStatus": _objective_status(child, reached), **final}


def counters(tuning: Body, children: Sequence[Resource]) -> Body:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    metric = objective_of(tuning)["MetricName"]
    statuses = [_counted_status(child) for child in children]
    objectives = [_objective_status(child, value(child, metric)) for child in children]
    kinds = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {kind: statuses.count(kind) for kind in kinds},
        "ObjectiveStatusCounters": {kind: objectives.count(kind) for kind in ("Succeeded", "Pending", "Failed")},
    }


def _counted_status(child: Resource) -> str:
    if child.status in UNFINISHED:
        return "InProgress"
    if child.status == "Failed":
        retryable = child.body.get("FailureReason", "").startswith(RETRYABLE)
        return "RetryableError" if retryable else "NonRetryableError"
    return child.status


def _objective_status(child: Resource, reached: float | None) -> str:
    if child.status in UNFINISHED:
        return "Pending"
    return "Failed" if reached is None else "Succeeded"

"""Hyperparameter search: the Train step, again and again with other values, as a SageMaker tuning job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.contract.definition import Json
from pipelines.definition.build import build
from pipelines.definition.bundle import Bundle
from pipelines.runs import executions, upsert
from pipelines.tuning import ranges, script_mode
from pipelines.tuning.train_request import Resolver, train_request
from project import aws
from project.errors import DataError, SconesError
from project.names import Names

NAME_CHARACTERS = 32
TAKEN_OVER = ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition", "Environment")
CLASSES = {
    "Std:JsonGet": {"PropertyFile": {"Get": "Steps.BuildManifests.PropertyFiles.ManifestReport"}, "Path": "classes"}
}


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes:
        ranges: a ParameterRanges structure.
        strategy: Bayesian, Random or Grid.
        objective: the metric of the training log whose last value is to be as high as possible.
        jobs: how many trainings; a grid has as many as it has combinations.
        parallel: how many of them at a time, at most.
    """

    ranges: Json
    objective: str
    strategy: str
    jobs: int
    parallel: int
    seed: int


@dataclass(frozen=True)
class Prepared:
    """A search that can be started: the request, and the job code that its trainings need."""

    names: Names
    request: Json
    bundles: tuple[Bundle, ...]


def prepare(names: Names, execution: str, given: Mapping[str, str], search: Search) -> Prepared:
    """A search on the data of an execution; nothing is sent yet.

    `execution`: ARN; `given`: pipeline parameters that are not to have their defaults.

    Raises:
        UsageError: a parameter that the pipeline does not have, or a value that does not fit.
        DataError: the execution did not get as far as the data, or has them for other classes.
    """
    built = build(names)
    classes = Resolver(built.definition, execution, {}).resolved(CLASSES)
    if list(classes) != list(names.settings.classes):
        raise DataError(
            f"Execution {executions.execution_id(execution)} has data for the classes {', '.join(classes)}, "
            f"and scones.toml says {', '.join(names.settings.classes)}.",
            "Start an execution with these settings first: scones upsert, scones start --wait.",
        )
    request = script_mode.without_entry_point(train_request(built.definition, execution, given), names)
    wanted = tuning_request(_name(names, datetime.now(UTC)), request, search)
    wanted["Tags"] = [{"Key": "project", "Value": names.settings.project}]
    return Prepared(names, wanted, tuple(bundle for bundle in built.bundles if bundle.job == "train"))


def start_search(prepared: Prepared) -> str:
    """Upload the job code that is missing and start the search; the tuning job's name.

    Raises:
        CloudError: the service refused.
    """
    name = str(prepared.request["HyperParameterTuningJobName"])
    if prepared.bundles:
        script_mode.upload(prepared.names)
    for bundle in prepared.bundles:
        upsert.upload(prepared.names, bundle)
    with aws.explained(f"starting tuning job {name}"):
        aws.client("sagemaker").create_hyper_parameter_tuning_job(**prepared.request)
    return name


def tuning_request(name: str, training: Json, search: Search) -> Json:
    """CreateHyperParameterTuningJob's request for a training job's request; what is searched is no longer static.

    Raises:
        SconesError: the training request has something that a tuning job cannot carry.
    """
    unknown = sorted(set(training) - {*TAKEN_OVER, "AlgorithmSpecification", "HyperParameters"})
    if unknown:
        raise SconesError(f"The Train step has {', '.join(unknown)}, which a tuning job cannot carry.")
    changed = ranges.names(search.ranges)
    limits = {"MaxParallelTrainingJobs": search.parallel}
    if search.strategy != "Grid":
        limits["MaxNumberOfTrainingJobs"] = search.jobs
    static = {key: value for key, value in training["HyperParameters"].items() if key not in changed}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": search.strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": search.objective},
            "ResourceLimits": limits,
            "ParameterRanges": search.ranges,
            "TrainingJobEarlyStoppingType": "Off",
            "RandomSeed": search.seed,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": training["AlgorithmSpecification"],
            **{member: training[member] for member in TAKEN_OVER if member in training},
        },
    }


def cost(request: Json) -> str:
    """What a tuning request may use, in words: `10 x ml.g4dn.xlarge, 2 at a time: …`."""
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    jobs, limits = number_of_jobs(config), config["ResourceLimits"]
    instance = definition["ResourceConfig"]["InstanceType"]
    hours = definition["StoppingCondition"]["MaxRuntimeInSeconds"] / 3600
    return (
        f"{jobs} x {instance}, {min(jobs, limits['MaxParallelTrainingJobs'])} at a time: AWS bills the seconds that "
        f"each training takes, and stops it after {hours:g} h."
    )


def number_of_jobs(config: Json) -> int:
    """How many trainings a HyperParameterTuningJobConfig asks for."""
    if config["Strategy"] != "Grid":
        return int(config["ResourceLimits"]["MaxNumberOfTrainingJobs"])
    combinations = 1
    for one in config["ParameterRanges"].get("CategoricalParameterRanges", []):
        combinations *= len(one["Values"])
    return combinations


def stop_search(name: str) -> None:
    """Ask a tuning job to end; its running trainings are stopped."""
    with aws.explained(f"stopping tuning job {name}"):
        aws.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def describe(name: str) -> dict[str, Any]:
    """DescribeHyperParameterTuningJob's answer."""
    with aws.explained(f"describing tuning job {name}"):
        answer: dict[str, Any] = aws.client("sagemaker").describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
    return answer


def list_jobs(name: str) -> list[dict[str, Any]]:
    """The trainings of a tuning job, by name, which is the order in which they were started."""
    with aws.explained(f"listing the training jobs of tuning job {name}"):
        pages = aws.client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        found = pages.paginate(HyperParameterTuningJobName=name, SortBy="Name", SortOrder="Ascending")
        return [job for page in found for job in page["TrainingJobSummaries"]]


def _name(names: Names, now: datetime) -> str:
    """`<project>-<year, month, day>-<time, UTC>`, the project cut to what fits."""
    moment = now.strftime("%y%m%d-%H%M%S")
    return f"{names.settings.project[: NAME_CHARACTERS - len(moment) - 1].rstrip('-')}-{moment}"

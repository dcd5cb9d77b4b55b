"""What a CreateHyperParameterTuningJob request may ask for, beyond its shape.

The texts are AWS's where public issues show them (no metric, untunable hyperparameters, too few combinations).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from localcloud.image_table import Tunable
from localcloud.sagemaker import images, protocol
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import training
from localcloud.sagemaker.jobs.failure_reasons import PROGRAMS_EXTRA
from localcloud.sagemaker.tuning import children, ranges
from localcloud.sagemaker.tuning.ranges import Categorical, Integer, Range

MAX_RANGES = 30
NOT_DONE = {
    "TrainingJobDefinitions": "several training job definitions; give one TrainingJobDefinition",
    "WarmStartConfig": "warm starts; leave WarmStartConfig out",
    "Autotune": "Autotune; leave it out and give ParameterRanges",
}
NOT_DONE_IN_DEFINITION = ("TuningObjective", "HyperParameterRanges")
"""Members that belong to TrainingJobDefinitions."""


def check(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    for name, what in NOT_DONE.items():
        if request.get(name):
            raise validation(f"The local SageMaker does not do {what}.")
    definition = request.get("TrainingJobDefinition")
    if not definition:
        raise validation("TrainingJobDefinition is missing.")
    for name in NOT_DONE_IN_DEFINITION:
        if definition.get(name):
            raise validation(f"The local SageMaker does not support {name} in a TrainingJobDefinition.")
    _check_resources(definition)
    config = request["HyperParameterTuningJobConfig"]
    if config["Strategy"] == "Bayesian" and find_spec("numpy") is None:
        raise validation(f"Strategy Bayesian needs numpy, which is not installed here. Install it: {PROGRAMS_EXTRA}.")
    _check_config(config)
    space = ranges.parse(config.get("ParameterRanges", {}))
    _check_names(space, definition.get("StaticHyperParameters", {}))
    _check_number(config, space)
    first = children.name(request["HyperParameterTuningJobName"], 1)
    job = children.request(request, first, {one.name: one.at(0.0) for one in space})
    training.check(protocol.check_request("CreateTrainingJob", job))
    _check_metric(definition["AlgorithmSpecification"], config["HyperParameterTuningJobObjective"]["MetricName"])
    _check_tunable(definition["AlgorithmSpecification"]["TrainingImage"], space)


def number_of_jobs(config: dict[str, Any], space: list[Range]) -> int:
    """How many training jobs a checked request asks for; a grid's combinations if it does not say."""
    return int(config["ResourceLimits"].get("MaxNumberOfTrainingJobs") or ranges.size(space))


def _check_config(config: dict[str, Any]) -> None:
    if config["Strategy"] == "Hyperband" or config.get("StrategyConfig"):
        raise validation("The local SageMaker does the strategies Random, Grid and Bayesian, not Hyperband.")
    if not config.get("HyperParameterTuningJobObjective"):
        raise validation("HyperParameterTuningJobObjective is missing.")
    for name in config.get("TuningJobCompletionCriteria", {}):
        if name != "TargetObjectiveMetricValue":
            raise validation(f"The local SageMaker does not support {name} in TuningJobCompletionCriteria.")
    if config.get("ParameterRanges", {}).get("AutoParameters"):
        raise validation("The local SageMaker does not do AutoParameters; give ranges.")


def _check_resources(definition: dict[str, Any]) -> None:
    """A definition says what its training jobs run on once: in either of two members."""
    chosen = definition.get("HyperParameterTuningResourceConfig")
    if bool(chosen) == bool(definition.get("ResourceConfig")):
        raise validation(
            "TrainingJobDefinition needs either a ResourceConfig or a HyperParameterTuningResourceConfig, not both."
        )
    if not chosen:
        return
    for one in chosen.get("InstanceConfigs") or [chosen]:
        if not one.get("InstanceType"):
            raise validation("HyperParameterTuningResourceConfig names no InstanceType.")


def _check_names(space: list[Range], static: dict[str, str]) -> None:
    names = [one.name for one in space]
    if not names:
        raise validation("ParameterRanges names no hyperparameter to tune.")
    if len(names) > MAX_RANGES:
        raise validation(f"ParameterRanges names {len(names)} hyperparameters, and {MAX_RANGES} is the most.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise validation(f"ParameterRanges names a hyperparameter twice: [{', '.join(twice)}].")
    both = sorted(set(names) & set(static))
    if both:
        raise validation(f"StaticHyperParameters and ParameterRanges have hyperparameters in common: {_list(both)}.")


def _check_number(config: dict[str, Any], space: list[Range]) -> None:
    limits, combinations = config["ResourceLimits"], ranges.size(space)
    wanted = limits.get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        if not all(isinstance(one, Categorical) for one in space):
            raise validation("The strategy Grid takes only CategoricalParameterRanges.")
        if wanted is not None and wanted != combinations:
            raise validation(
                f"MaxNumberOfTrainingJobs, [{wanted}], must be the number of combinations of the grid, "
                f"[{combinations}], or be left out."
            )
        return
    if wanted is None:
        raise validation("ResourceLimits.MaxNumberOfTrainingJobs is missing.")
    if combinations < wanted:
        raise validation(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges, [{combinations}], must be equal or greater than the value of "
            f"MaxNumberOfTrainingJobs, [{wanted}]. Provide additional ranges."
        )


def _check_metric(algorithm: dict[str, Any], metric: str) -> None:
    own = [name for name, _ in images.program(algorithm["TrainingImage"], "train").metrics]
    defined = [item["Name"] for item in algorithm.get("MetricDefinitions", [])]
    if not own and not defined:
        raise validation(
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions."
        )
    if metric not in (*own, *defined):
        raise validation(
            f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid. "
            f"Choose one of {_list([*own, *defined])}."
        )


def _check_tunable(image: str, space: list[Range]) -> None:
    tunable = images.program(image, "train").tunable
    if not tunable:
        return
    untunable = [one.name for one in space if one.name not in tunable]
    if untunable:
        raise validation(
            f"The hyperparameter tuning job you requested has the following untunable hyperparameters: "
            f"{_list(untunable)}. For the algorithm, {image}, you can tune only {_list(list(tunable))}. "
            "Delete untunable hyperparameters."
        )
    for one in space:
        allowed = tunable[one.name]
        if isinstance(one, Categorical):
            fits = allowed.kind == "Categorical" and set(one.values) <= set(allowed.values)
        else:
            kind = "Integer" if isinstance(one, Integer) else "Continuous"
            fits = allowed.kind == kind and allowed.low <= one.low and one.high <= allowed.high
        if not fits:
            raise validation(
                f"The range of the hyperparameter [{one.name}] isn't valid for the algorithm, {image}: it takes "
                f"{_described(allowed)}."
            )


def _described(allowed: Tunable) -> str:
    if allowed.kind == "Categorical":
        return f"a categorical range of {_list(list(allowed.values))}"
    return f"an {allowed.kind.lower()} range within [{allowed.low:g}, {allowed.high:g}]".replace("an c", "a c")


def _list(words: list[str]) -> str:
    return f"[{', '.join(words)}]"

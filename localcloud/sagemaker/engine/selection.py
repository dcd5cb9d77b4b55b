"""Selective execution: which steps of an execution run, and what the others offer from a reference execution.

"Selective execution of pipeline steps" in the developer guide: all steps on every path between two selected steps are
selected too, and what a selected step needs of others comes from the source execution, which must have it. AWS's
sentence for a missing source is known from aws/sagemaker-python-sdk issue 4444; the other sentences are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.contract.definition import ancestors
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import graph, records
from localcloud.sagemaker.engine.definition import PipelineDefinition
from localcloud.sagemaker.store import Resource

_OF_ONE_RUN = ("CacheKey", "CacheValues", "CacheMiss", "CacheHitResult")


class SelectionError(Exception):
    """The selected steps cannot be run alone."""


def names(config: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The names of the selected steps of a SelectiveExecutionConfig; None when every step is to run."""
    return frozenset(item["StepName"] for item in config["SelectedSteps"]) if config else None


def taken_over(
    cloud: Cloud, definition: PipelineDefinition, config: Mapping[str, Any], source: Resource | None
) -> list[Resource]:
    """The records of the source execution that stand for the steps before the selected ones.

    Raises:
        SelectionError: a step is not there, a step between two is missing, or the source lacks what one needs.
    """
    selected = names(config) or frozenset()
    waits = graph.waiting(definition)
    if unknown := sorted(selected - set(waits)):
        raise SelectionError(
            f"Invalid SelectiveExecutionConfig. The pipeline has no steps {_listed(unknown)}; it has {_listed(waits)}."
        )
    before = {name: ancestors(name, waits) for name in waits}
    between = sorted(
        name for name in set(waits) - selected if before[name] & selected and any(name in before[s] for s in selected)
    )
    if between:
        raise SelectionError(
            "Invalid SelectiveExecutionConfig. All steps on the paths between selected steps must be selected, and "
            f"{_listed(between)} are not."
        )
    needed = {name: sorted(waits[name] - selected) for name in sorted(selected) if waits[name] - selected}
    everything = sorted({other for others in needed.values() for other in others})
    if everything and source is None:
        raise SelectionError(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps {_listed(needed)} have dependencies on "
            f"{_listed(everything)}"
        )
    if source is None:
        return []
    if source.status in records.UNFINISHED:
        raise SelectionError(f"Invalid SourcePipelineExecutionArn: {source.arn}. The execution is {source.status}.")
    done = {
        name: step
        for name, step in records.steps(cloud, source.name).items()
        if step.status == "Succeeded" and name in waits and step.body["StepType"] == definition.steps[name].type
    }
    _require(definition, needed, done, source)
    wanted = set().union(*(before[name] for name in selected)) - selected
    return [step for name, step in done.items() if name in wanted]


def copied(run: Resource, source: Resource, step: Resource) -> dict[str, Any]:
    """The record of a step of `run` that stands for the one of the source execution."""
    return {
        **{name: value for name, value in step.body.items() if name not in _OF_ONE_RUN},
        "PipelineExecutionArn": run.arn,
        "SelectiveExecutionResult": {"SourcePipelineExecutionArn": source.arn},
    }


def _require(
    definition: PipelineDefinition, needed: Mapping[str, list[str]], done: Mapping[str, Resource], source: Resource
) -> None:
    """Refuse a source execution in which a step did not succeed, or a condition went the other way."""
    missing = sorted({other for others in needed.values() for other in others if other not in done})
    if missing:
        raise SelectionError(
            f"Invalid SourcePipelineExecutionArn: {source.arn}. The selected steps {_listed(needed)} have dependencies "
            f"on {_listed(missing)}, which have not succeeded in that execution"
        )
    for name, others in needed.items():
        step = definition.steps[name]
        if step.parent in others and done[step.parent].body["Outcome"] != step.branch:
            raise SelectionError(
                f"Invalid SourcePipelineExecutionArn: {source.arn}. The selected step [{name}] runs when "
                f"[{step.parent}] is {step.branch}, and it was {not step.branch} in that execution"
            )


def _listed(steps: Iterable[str]) -> str:
    return f"[{', '.join(steps)}]"

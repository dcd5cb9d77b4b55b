"""Run conditions: steps that run when another one failed, was stopped, or ended in whatever way.

StepDependency of SDK 3.27: a DependsOn entry with the Trigger Failed, Stopped or Any; "a pipeline whose steps run on a
failed upstream step ends in the CompletedWithFailures status instead of Failed". AWS documents no more. Ours is: after
a failure only such steps start, and those that wait for one of them; a step that was never reached has not ended; an
execution that is stopped starts nothing more, whatever the trigger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from localcloud.sagemaker.engine.definition import PipelineDefinition, RunnableStep


def let(step: RunnableStep, ended: Mapping[str, str]) -> bool:
    """Whether everything that the step waits for has ended as it must."""
    return all(_is_met(step.triggers.get(name), ended.get(name)) for name in step.waits_for)


def following(definition: PipelineDefinition) -> frozenset[str]:
    """The steps that may start after a failure: those with a trigger, and what waits for them."""
    found: set[str] = set()
    while True:
        more = {name for name, step in definition.steps.items() if step.triggers or step.waits_for & found}
        if more == found:
            return frozenset(found)
        found = more


def followed(definition: PipelineDefinition, ended: Mapping[str, str]) -> bool:
    """Whether every step that did not succeed has one that ran because of that."""
    caught = {
        name
        for step in definition.steps.values()
        if step.name in ended
        for name in step.triggers
        if ended.get(name) != "Succeeded"
    }
    return all(status == "Succeeded" or name in caught for name, status in ended.items())


def to_follow_again(definition: PipelineDefinition, ended: Collection[str]) -> frozenset[str]:
    """The steps that have ended, but after one that is tried again, so that they have to follow it again."""
    again: set[str] = set()
    while True:
        left = set(ended) - again
        more = {name for name in left if not left.issuperset(definition.steps[name].waits_for)}
        if not more:
            return frozenset(again)
        again |= more


def _is_met(trigger: str | None, status: str | None) -> bool:
    return status is not None and (trigger == "Any" or status == (trigger or "Succeeded"))

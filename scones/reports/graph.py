"""The steps of a pipeline's definition with what one execution made of them, for the drawing of its graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from localcloud.contract.definition import Json, dependencies, steps
from pipelines.runs.executions import RUNNING
from scones.reports.charts.pipeline_graph import GraphStep, State
from scones.reports.facts import StepFact

STATES: Mapping[str, State] = {
    "Starting": "running",
    "Executing": "running",
    "Stopping": "running",
    "Succeeded": "succeeded",
    "Cached": "cached",
    "Failed": "failed",
    "Stopped": "stopped",
}
BRANCHES = {"IfSteps": "yes", "ElseSteps": "no"}


def graph_steps(definition: Json, reached: Iterable[StepFact], status: str) -> list[GraphStep]:
    """Every step of the definition, in its order, with its state in the execution that is `status`."""
    found = {step.name: step for step in reached}
    waits = dependencies(definition)
    return [
        GraphStep(
            step.name,
            step.type,
            _state(found.get(step.name), step.within, found, status),
            tuple(waits[step.name]),
            step.within,
            BRANCHES.get(step.branch or ""),
            _took(found.get(step.name)),
        )
        for step in steps(definition)
    ]


def _state(step: StepFact | None, within: str | None, found: Mapping[str, StepFact], status: str) -> State:
    if step is not None:
        return STATES.get(step.status, "waiting")
    if within is not None and within in found and found[within].status == "Succeeded" and status not in RUNNING:
        return "not taken"
    return "waiting" if status in RUNNING else "not reached"


def _took(step: StepFact | None) -> str:
    if step is None or step.seconds is None or step.status not in {"Succeeded", "Failed"}:
        return ""
    took = f"{step.seconds:.1f}\N{NO-BREAK SPACE}s"
    return took if step.status == "Succeeded" else f"failed, {took}"

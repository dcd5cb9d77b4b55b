"""The graph of an execution: the steps of the definition that it runs, each with what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localcloud.contract.definition import Json, Step, dependencies, steps
from pipelines.definition.drawing import BRANCHES, condition_text
from pipelines.runs.follow import UNFINISHED, is_cached
from scones.reports.charts.pipeline_graph import GraphStep, State
from scones.reports.charts.words import duration

ENDED: dict[str, State] = {"Succeeded": "succeeded", "Failed": "failed", "Stopped": "stopped"}
OUTCOMES = {"True": "yes", "False": "no"}


def graph_steps(
    definition: Json,
    listed: Sequence[Mapping[str, Any]],
    is_running: bool,
    address: Callable[[str], str] | None = None,
    selected: str = "",
) -> list[GraphStep]:
    """The steps in the definition's order; for anybody's pipeline.

    Args:
        listed: ListPipelineExecutionSteps' entries; a step that was not reached is not among them.
        address: where a click on the step of a name leads; without one there are no links.
        selected: the name of the step that is marked.
    """
    known = {str(one["StepName"]): one for one in listed}
    waits = dependencies(definition)
    untaken: set[str] = set()
    found = []
    for step in steps(definition):
        if step.within and step.name not in known:
            outcome = outcome_of(known.get(step.within, {}))
            if step.within in untaken or (outcome and outcome != BRANCHES[step.branch or "IfSteps"]):
                untaken.add(step.name)
        state = _state(known.get(step.name), step.name in untaken, is_running)
        found.append(
            GraphStep(
                name=step.name,
                type=step.type,
                state=state,
                after=tuple(waits[step.name]),
                within=step.within,
                branch=BRANCHES.get(step.branch or ""),
                note=_note(step, known.get(step.name, {}), state),
                address=address(step.name) if address else "",
                is_selected=step.name == selected,
            )
        )
    return found


def state_of(step: Mapping[str, Any]) -> State:
    """What became of a step that was reached."""
    if step["StepStatus"] in UNFINISHED:
        return "running"
    if step["StepStatus"] == "Succeeded" and source_of(step):
        return "cached"
    return ENDED.get(str(step["StepStatus"]), "running")


def source_of(step: Mapping[str, Any]) -> str:
    """The ARN of the execution whose result the step took over, cached or selected; "" for its own."""
    reused = step.get("SelectiveExecutionResult", {}).get("SourcePipelineExecutionArn")
    return str(step["CacheHitResult"]["SourcePipelineExecutionArn"] if is_cached(dict(step)) else reused or "")


def outcome_of(step: Mapping[str, Any]) -> str:
    """How a condition step decided: "yes" or "no"; "" while it has not."""
    return OUTCOMES.get(str(step.get("Metadata", {}).get("Condition", {}).get("Outcome", "")), "")


def asked(step: Step) -> str:
    """A condition step's question in one line; nothing if it is of a kind that is not known here."""
    try:
        return condition_text(step)
    except (KeyError, TypeError):
        return ""


def _state(step: Mapping[str, Any] | None, is_untaken: bool, is_running: bool) -> State:
    if step is not None:
        return state_of(step)
    if is_untaken:
        return "not taken"
    return "waiting" if is_running else "not reached"


def _note(step: Step, reached: Mapping[str, Any], state: State) -> str:
    if step.type == "Condition":
        question, outcome = asked(step), outcome_of(reached)
        return f"{question}: {outcome}" if question and outcome else question or outcome or state
    if state == "running" and reached.get("AttemptCount", 1) > 1:
        return f"running, try {reached['AttemptCount']}"
    if state in ("succeeded", "failed", "stopped") and "StartTime" in reached and "EndTime" in reached:
        took = duration((reached["EndTime"] - reached["StartTime"]).total_seconds())
        return took if state == "succeeded" else f"{state}, {took}"
    return state

"""One step of an execution: what it took, made and measured, and its log as it grows."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Literal

import streamlit as st

from pipelines.runs import step_log
from pipelines.runs.executions import execution_id
from project.errors import SconesError
from scones.desk.data.pipelines import Execution
from scones.desk.data.step_facts import StepFacts, file_metrics, step_facts
from scones.desk.linked import address, show_linked
from scones.desk.wording import clock, plain, problem, told
from scones.reports.charts.pipeline_graph import GraphStep, State
from scones.reports.execution_graph import source_of

LOG_LINES = 300
LONG, LOG_HEIGHT = 16, 420
"""Text of more lines is scrolled in so many pixels."""
COLOURS: dict[State, Literal["blue", "green", "violet", "red", "orange", "gray"]] = {
    "running": "blue",
    "succeeded": "green",
    "cached": "violet",
    "failed": "red",
    "stopped": "orange",
}


def show_step(execution: Execution, chosen: GraphStep) -> None:
    """Draw the step."""
    reached = next((one for one in execution.steps if one["StepName"] == chosen.name), None)
    body = _body(execution.definition, chosen.name)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(chosen.name))
            st.badge(chosen.state, color=COLOURS.get(chosen.state, "gray"))
        about = [chosen.type, str(body.get("DisplayName") or ""), str(body.get("Description") or "")]
        st.caption("  ·  ".join(plain(one) for one in about if one))
        if reached is None:
            st.markdown(_why_not(chosen))
            _defined(body)
            return
        _when(execution, reached)
        try:
            facts = step_facts(execution.arn, reached)
        except SconesError as error:
            problem(error)
            facts = StepFacts(reason=str(reached.get("FailureReason", "")))
        if facts.reason and chosen.state != "succeeded":
            st.error(plain(facts.reason), icon=":material/error:")
        _tabs(facts, body)


def _tabs(facts: StepFacts, body: dict[str, Any]) -> None:
    log, inputs, outputs, metrics, defined = st.tabs(
        ["Log", "Inputs", "Outputs", "Metrics", "As defined"], key="step-tabs"
    )
    with log, told():
        _log(facts)
    with inputs:
        _pairs([*facts.inputs, *facts.settings], "The step names no inputs.")
    with outputs:
        _pairs([*facts.outputs, *([("made", facts.arn)] if facts.arn else [])], "The step has made nothing yet.")
    with metrics, told():
        found = [*facts.metrics, *file_metrics(body, facts)]
        _pairs([(name, f"{value:.6g}") for name, value in found], "The step has measured nothing.")
    with defined:
        _defined(body)


def _why_not(chosen: GraphStep) -> str:
    if chosen.state == "not taken":
        return "The execution took the other branch."
    if chosen.state == "waiting":
        return f"It waits for {', '.join(map(plain, chosen.after))}." if chosen.after else "It has not begun yet."
    return "The execution ended before it came to this step."


def _when(execution: Execution, reached: dict[str, Any]) -> None:
    facts = []
    if "StartTime" in reached:
        facts.append(clock(reached["StartTime"]))
    if "StartTime" in reached and "EndTime" in reached:
        facts.append(f"to {clock(reached['EndTime'])[11:]}")
    if reached.get("AttemptCount", 1) > 1:
        facts.append(f"try {reached['AttemptCount']}")
    if facts:
        st.caption(", ".join(facts))
    source = source_of(reached)
    if source and source != execution.arn:
        pipeline = source.rpartition(":pipeline/")[2].partition("/")[0]
        link = address({"pipeline": pipeline, "execution": execution_id(source), "step": reached["StepName"]})
        st.caption("Its result was taken over from an earlier execution:")
        _source_link(link, execution_id(source))


def _source_link(link: str, identifier: str) -> None:
    if show_linked(f'<a href="{escape(link)}">{escape(identifier)}</a>', "source"):
        st.rerun()


def _log(facts: StepFacts) -> None:
    if facts.log is None:
        st.caption("Nothing writes a log here.")
        return
    lines = step_log.tail(facts.log, LOG_LINES)
    if not lines:
        st.caption("Nothing was written yet, or it is no longer kept.")
        return
    height: int | Literal["content"] = LOG_HEIGHT if len(lines) > LONG else "content"
    with st.container(height=height, autoscroll=len(lines) > LONG, border=False):
        st.code("\n".join(lines), language=None, wrap_lines=True)
    if len(lines) == LOG_LINES:
        st.caption(f"The last {LOG_LINES} lines of {plain(facts.log.group)} {plain(facts.log.prefix)}")


def _pairs(pairs: list[tuple[str, str]], nothing: str) -> None:
    rows = [{"name": plain(name), "value": plain(value)} for name, value in pairs]
    if rows:
        st.table(rows, hide_index=True, hide_header=True, border="horizontal", alt="Names and values")
    else:
        st.caption(nothing)


def _defined(body: dict[str, Any]) -> None:
    text = json.dumps(body, indent=1)
    with st.container(height=LOG_HEIGHT if text.count("\n") > LONG else "content", border=False):
        st.code(text, language="json", wrap_lines=True)


def _body(definition: dict[str, Any], name: str) -> dict[str, Any]:
    """A step's entry in the definition, wherever it stands."""
    left = list(definition.get("Steps", []))
    while left:
        one = left.pop()
        if one.get("Name") == name:
            return dict(one)
        arguments = one.get("Arguments") or {}
        left += [*(arguments.get("IfSteps") or []), *(arguments.get("ElseSteps") or [])]
    return {}

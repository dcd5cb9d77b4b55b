"""One execution of a pipeline: its graph, as it goes, and one of its steps."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pipelines.runs import executions
from pipelines.runs.executions import resolve
from project.errors import SconesError
from project.s3 import split
from scones.desk.data.objects import body
from scones.desk.data.pipelines import Execution
from scones.desk.desk import OperationsDesk, forget_answers
from scones.desk.linked import address, go_to, show_linked
from scones.desk.refresh import fragment
from scones.desk.views.step import show_step
from scones.desk.wording import READ_ONLY, age, clock, now, plain, problem, theme, told
from scones.reports.charts.pipeline_graph import GraphStep, graph_width, pipeline_graph
from scones.reports.charts.words import duration
from scones.reports.execution_graph import graph_steps
from scones.reports.publish import report_uri

EVERY_SECONDS = 3
BESIDE = 620
"""Pixels of a graph that leave room for a step beside it."""
SMALLEST = 0.75
"""What a graph may be drawn at to fit, of its own size, before it is scrolled."""
BADGES = {
    "Executing": ("Running", "blue", ":material/play_circle:"),
    "Stopping": ("Stopping", "orange", ":material/stop_circle:"),
    "Stopped": ("Stopped", "orange", ":material/stop_circle:"),
    "Succeeded": ("Succeeded", "green", ":material/check_circle:"),
    "Failed": ("Failed", "red", ":material/error:"),
    "CompletedWithFailures": ("Completed with failures", "orange", ":material/error:"),
}
RESUMABLE = ("Failed", "Stopped", "CompletedWithFailures")


def show(desk: OperationsDesk, pipeline: str) -> dict[str, str] | None:
    """Draw the execution that the address names; its parameters, or None, with the reason shown, if it is not there."""
    st.button(
        f"All executions of {plain(pipeline)}",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=go_to,
        args=({"pipeline": pipeline},),
    )
    if said := st.session_state.pop("started", None):
        st.success(said, icon=":material/check_circle:")
    try:
        arn = resolve(pipeline, st.query_params["execution"])
        found = desk.known(desk.pipelines.execution, arn)
    except SconesError as error:
        problem(error)
        return None
    is_running = found.is_running

    @fragment(run_every=EVERY_SECONDS if is_running else None)
    def live() -> None:
        try:
            present = desk.known(desk.pipelines.execution, arn)
        except SconesError as error:
            problem(error)
            return
        if present.is_running != is_running:
            st.rerun()  # with or without looking again
        _execution(desk, pipeline, present)

    live()
    return found.values


def _execution(desk: OperationsDesk, pipeline: str, found: Execution) -> None:
    _summary(found)
    _buttons(desk, pipeline, found)
    steps = _graph_steps(pipeline, found)
    drawn = pipeline_graph(steps, theme())
    width = graph_width(drawn)
    if width <= BESIDE:
        graph, step = st.columns([6, 5], gap="medium")
    else:
        graph, step = st.container(), st.container()
    with graph:
        show_linked(f'<div class="graph" style="--least: {SMALLEST * width:.0f}px">{drawn}</div>', "graph")
        if found.is_running:
            st.caption(f"Looked at {clock(now())}; looks again every {EVERY_SECONDS} seconds.")
    with step:
        chosen = next((one for one in steps if one.is_selected), None)
        if chosen:
            show_step(found, chosen)
        else:
            st.caption("Choose a step of the graph: its log, inputs, outputs and metrics stand here then.")
        _parameters(found)


def _graph_steps(pipeline: str, found: Execution) -> list[GraphStep]:
    """The steps; the one that the address names is marked, or else what failed, or else what runs."""

    def leads_to(step: str) -> str:
        return address({"pipeline": pipeline, "execution": found.past.id, "step": step})

    draw = partial(graph_steps, found.definition, found.steps, found.is_running, leads_to)
    wanted = st.query_params.get("step", "")
    if not wanted:
        by_state = {one.state: one.name for one in draw()}
        wanted = by_state.get("failed") or by_state.get("running") or ""
    return draw(wanted)


def _summary(found: Execution) -> None:
    past = found.past
    text, colour, icon = BADGES.get(past.status, (past.status, "gray", ":material/help:"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(text, color=colour, icon=icon)
        st.markdown(f"**{plain(past.display_name or past.id)}**")
    seconds = (now() - past.started).total_seconds()
    facts = [
        past.id if past.display_name else "",
        f"started {clock(past.started)}, {age(seconds)}",
        f"for {duration(seconds)} now" if past.seconds is None else f"took {duration(past.seconds)}",
        f"by {past.started_by}" if past.started_by else "",
    ]
    st.caption("  ·  ".join(plain(fact) for fact in facts if fact))
    if past.reason:
        st.error(plain(past.reason), icon=":material/error:")


def _buttons(desk: OperationsDesk, pipeline: str, found: Execution) -> None:
    past = found.past
    shut = None if desk.allow_changes else READ_ONLY
    with st.container(horizontal=True, vertical_alignment="center"):
        if found.is_running:
            _confirmed(
                "Stop", ":material/stop:", "Its jobs get their stop signal.", partial(executions.stop, past.arn), shut
            )
        elif past.status in RESUMABLE:
            what = "Failed and unfinished steps run again, with the same definition and parameters."
            _confirmed("Resume", ":material/replay:", what, partial(executions.retry, past.arn), shut)
        if pipeline == desk.names.settings.pipeline_name:
            with told():
                _report(desk, past.id)
    if shut and (found.is_running or past.status in RESUMABLE):
        st.caption(shut)


def _confirmed(verb: str, icon: str, what: str, act: partial[None], shut: str | None) -> None:
    """A button that says what will follow, and does it at the second click."""
    with st.popover(f"{verb}…", icon=icon, disabled=shut is not None, help=shut, key=f"{verb}-execution"):
        st.markdown(what)
        if st.button(f"{verb} now", type="primary", key=f"{verb}-now", disabled=shut is not None):
            try:
                act()
            except SconesError as error:
                problem(error)
            else:
                forget_answers()
                st.rerun()


def _report(desk: OperationsDesk, execution: str) -> None:
    uri = report_uri(desk.names, execution)
    content = body(*split(uri))
    if content is None:
        st.caption(f"No report was published: `scones report {plain(execution)}` writes one.")
        return
    st.download_button(
        "The execution's report",
        content,
        file_name=f"execution-{execution}.html",
        mime="text/html",
        icon=":material/description:",
        type="tertiary",
        on_click="ignore",
    )


def _parameters(found: Execution) -> None:
    number = len(found.differs)
    heading = f"Parameters, {number} not the default" if number else "Parameters, all as by default"
    with st.expander(heading, icon=":material/tune:"):
        rows = [
            {"parameter": f"**{plain(name)}**" if name in found.differs else plain(name), "value": plain(value)}
            for name, value in sorted(found.values.items(), key=lambda one: one[0] not in found.differs)
        ]
        if rows:
            st.table(rows, hide_index=True, border="horizontal", alt="The execution's parameters")
        else:
            st.caption("The pipeline has no parameters.")

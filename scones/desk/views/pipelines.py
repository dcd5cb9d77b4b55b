"""Pipelines: what ran, what runs, and where one may start something; for any pipeline of the account."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import streamlit as st

from pipelines.runs.upsert import DeployedPipeline, deployed
from project.errors import SconesError
from scones.desk.data.pipelines import ANY_TIME, Created, Listed
from scones.desk.desk import OperationsDesk
from scones.desk.filters import PERIODS, choose_period
from scones.desk.linked import go_to, show_linked
from scones.desk.refresh import fragment
from scones.desk.views import execution, starting
from scones.desk.views.executions_table import MORE, STATES, executions_table
from scones.desk.wording import plain, plural, problem, told, zone

EVERY_SECONDS = 5


def show(desk: OperationsDesk) -> None:
    """Draw the page: one execution if the address names it, else the pipeline's executions."""
    st.title("Pipelines")
    known: list[str] = []
    with told():
        known = desk.known(desk.pipelines.names)
    is_listed = not st.query_params.get("execution")
    with st.container(horizontal=True, vertical_alignment="bottom", key="pipelines-choice"):
        pipeline = _choose_pipeline(desk, known)
        created = _choose_time() if is_listed else ANY_TIME
    current: DeployedPipeline | None = None
    with told():
        current = desk.known(deployed, pipeline)
        if current is None:
            hint = " `scones upsert` creates it." if pipeline == desk.names.settings.pipeline_name else ""
            st.info(f"No data: there is no pipeline {plain(pipeline)} yet.{hint}", icon=":material/inbox:")
            return
    values: dict[str, str] | None = {}
    if is_listed:
        _list(desk, pipeline, _choose_states(pipeline), created)
    else:
        values = execution.show(desk, pipeline)
    if current and values is not None:
        declared = current.definition.get("Parameters", [])
        starting.form(desk, pipeline, declared, values, st.query_params.get("execution", ""))


def _choose_pipeline(desk: OperationsDesk, known: list[str]) -> str:
    ours = desk.names.settings.pipeline_name
    wanted = st.query_params.get("pipeline", ours)
    choices = list(dict.fromkeys([ours, *([wanted] if wanted not in known else []), *known]))
    st.session_state["pipeline"] = wanted

    def choose() -> None:
        go_to({"pipeline": st.session_state["pipeline"]})

    def named(one: str) -> str:
        return f"{one} (this project's)" if one == ours else one

    chosen: str = st.selectbox(
        "Pipeline", choices, format_func=named, key="pipeline", on_change=choose, width=420, filter_mode="contains"
    )
    return chosen


def _choose_states(pipeline: str) -> list[str]:
    names = list(STATES)
    st.session_state["states"] = [one for one in st.query_params.get("state", "").split() if one in STATES]

    def choose() -> None:
        chosen = " ".join(one for one in names if one in st.session_state["states"])
        go_to({"pipeline": pipeline, "state": chosen})

    chosen: list[str] = st.pills(
        "State",
        names,
        selection_mode="multi",
        format_func=lambda one: STATES[one][0],
        key="states",
        wrap=True,
        on_change=choose,
    )
    return chosen


def _choose_time() -> Created:
    """When the executions began: on some days, else in the last so many seconds. Both stay in the address."""
    are_days_given = bool(st.session_state.get("days") or st.query_params.get("days"))
    period = choose_period(disabled=are_days_given)
    days = st.date_input(
        "Days",
        (),
        key="days",
        bind="query-params",
        format="YYYY-MM-DD",
        width=230,
        help="The first and the last day, in the time zone of this page. They take the place of the period.",
    )
    if not isinstance(days, tuple) or not days:
        return Created(PERIODS[period])
    midnight = datetime.combine(days[0], time(), zone())
    end = datetime.combine(days[-1] + timedelta(days=1), time(), zone()) if len(days) > 1 else None
    return Created(after=midnight, before=end)


def _list(desk: OperationsDesk, pipeline: str, statuses: list[str], created: Created) -> None:
    @fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        given = st.query_params.get("most", "")
        most = int(given) if given.isdecimal() and len(given) < 5 else MORE
        try:
            listed = desk.known(desk.pipelines.executions, pipeline, tuple(statuses), max(most, MORE), created)
        except SconesError as error:
            problem(error)
            return
        if not listed.found:
            _nothing(listed, statuses, created)
        elif show_linked(executions_table(pipeline, listed, statuses, most), "executions"):
            st.rerun()
        elif not listed.is_all and statuses and len(listed.found) < most:
            st.caption(f"Among the latest {plural(listed.looked_at, 'execution')}.")

    live()


def _nothing(listed: Listed, statuses: list[str], created: Created) -> None:
    if statuses or created != ANY_TIME:
        among = "" if listed.is_all else f" among the latest {listed.looked_at:,}"
        when = "" if created == ANY_TIME else " in this time"
        st.info(f"No data: there is no such execution{when}{among}.", icon=":material/inbox:")
    else:
        st.info("No data: it has no execution yet. Start one below, or with `scones start`.", icon=":material/inbox:")

"""Start an execution: a field for each parameter of the pipeline, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pipelines.runs import executions, history, inputs
from project.errors import SconesError
from scones.desk.desk import OperationsDesk, forget_answers
from scones.desk.linked import go_to
from scones.desk.wording import READ_ONLY, plain, problem


def form(
    desk: OperationsDesk, pipeline: str, declared: list[dict[str, Any]], values: Mapping[str, str], of: str
) -> None:
    """The form for the parameters `declared`, filled with their defaults, or with `values` of execution `of`."""
    heading = "Start another with these parameters" if of else "Start an execution"
    with st.expander(heading, icon=":material/play_arrow:"):
        _fields(desk, pipeline, declared, values, of)


def _fields(
    desk: OperationsDesk, pipeline: str, parameters: list[dict[str, Any]], values: Mapping[str, str], of: str
) -> None:
    declared = {str(one["Name"]): one for one in parameters}
    defaults = {name: history.text_of(one.get("DefaultValue")) or "" for name, one in declared.items()}
    shut = not desk.allow_changes
    with st.form("start-pipeline", border=False):
        name = st.text_input("Display name", key="start-name", placeholder="to find it by", disabled=shut)
        given = {}
        for column, (parameter, one) in zip(_columns(len(declared)), declared.items(), strict=True):
            with column:
                kind, allowed = str(one.get("Type", "String")), [str(value) for value in one.get("EnumValues") or []]
                given[parameter] = st.text_input(
                    plain(parameter),
                    values.get(parameter, defaults[parameter]),
                    key=f"start-{pipeline}-{of}-{parameter}",
                    help=plain(f"{kind}{': one of ' + ', '.join(allowed) if allowed else ''}"),
                    placeholder="" if "DefaultValue" in one else "must be given",
                    disabled=shut,
                )
        pressed = st.form_submit_button(
            "Start", type="primary", icon=":material/play_arrow:", disabled=shut, help=READ_ONLY if shut else None
        )
    if shut:
        st.caption(READ_ONLY)
    elif pressed:
        changed = {parameter: value for parameter, value in given.items() if value != defaults[parameter]}
        _start(desk, pipeline, changed, name.strip() or None)


def _columns(number: int) -> list[DeltaGenerator]:
    left, right = st.columns(2)
    return [left if index % 2 == 0 else right for index in range(number)]


def _start(desk: OperationsDesk, pipeline: str, given: Mapping[str, str], name: str | None) -> None:
    try:
        if pipeline == desk.names.settings.pipeline_name:
            arn = executions.start(pipeline, given, name, inputs.commit(Path.cwd()))
        else:
            arn = executions.start_unchecked(pipeline, given, name)
    except SconesError as error:
        problem(error)
        return
    forget_answers()
    identifier = executions.execution_id(arn)
    st.session_state["started"] = f"Started {identifier}."
    go_to({"pipeline": pipeline, "execution": identifier})
    st.rerun()

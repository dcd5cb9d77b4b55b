"""Models: versions side by side, people's word on them, and what becomes of it."""

from __future__ import annotations

import streamlit as st

from pipelines import registry
from pipelines.runs.versions import METRICS, Measured
from scones.desk.data import serving
from scones.desk.desk import OperationsDesk
from scones.desk.refresh import fragment
from scones.desk.views.decision import decide
from scones.desk.wording import APPROVALS, NONE, age, clock, measured, now, plain, plural, told
from stepfunctions.executions import Execution, latest, states_entered

EVERY_SECONDS = 3
SIDE_BY_SIDE = 6
STATES = 12
"""Of a deployment, the latest that are shown."""


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Models")
    with told():
        found = desk.known(desk.versions.all)
        if not found:
            st.info("No data: no model is registered. Train one with `scones start --wait`.", icon=":material/inbox:")
        else:
            live = desk.known(serving.live_version)
            _table(found, live)
            decide(desk, found, live)
    _deployments(desk)


def _table(found: list[Measured], live: int | None) -> None:
    """A column per version, a row per fact."""
    rows: dict[str, list[str]] = {"": [], "decision": []}
    for one in found[:SIDE_BY_SIDE]:
        number = one.version.number
        rows[""].append(f"**version {number}**" + (" ● live" if number == live else ""))
        rows["decision"].append(APPROVALS.get(one.version.approval, (one.version.approval,))[0])
        for name, (label, is_share) in METRICS.items():
            bounds = one.metrics.get(f"{name}_low"), one.metrics.get(f"{name}_high")
            rows.setdefault(label, []).append(measured(one.metrics.get(name), *bounds, is_share))
        for label, text in (
            ("registered", clock(one.version.registered)),
            ("algorithm", one.properties.get("algorithm", NONE)),
            ("staging", registry.staging(one.properties) or NONE),
            ("decided by", one.who or NONE),
            ("because", one.why or NONE),
        ):
            rows.setdefault(label, []).append(plain(text))
    table = [{"fact": label, **{str(n): cell for n, cell in enumerate(cells)}} for label, cells in rows.items()]
    st.table(table, hide_index=True, hide_header=True, border="horizontal", alt="Versions side by side")


def _deployments(desk: OperationsDesk) -> None:
    st.subheader("Deployments")

    @fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        with told():
            found = desk.known(latest, desk.names.state_machine("deploy"), 5)
            if not found:
                st.info("No data: nothing was deployed yet.", icon=":material/inbox:")
            for one in found:
                _deployment(desk, one)

    live()


def _deployment(desk: OperationsDesk, one: Execution) -> None:
    marks = {"RUNNING": ":material/sync:", "SUCCEEDED": ":material/check_circle:"}
    icon = marks.get(one.status, ":material/error:")
    ago = age((now() - one.started).total_seconds())
    heading = f"{_package(one)}: {one.status.lower()}, started {ago}, {one.seconds:.0f} s"
    with st.expander(heading, expanded=one.status == "RUNNING", icon=icon):
        if one.error:
            st.error(plain(f"{one.error}: {one.problem}"))
        elif message := one.output.get("message"):
            st.markdown(plain(str(message)))
        entered = desk.known(states_entered, one.arn)
        for name, when in entered[-STATES:]:
            st.markdown(f"`{(when - one.started).total_seconds():6.1f} s` {name}")
        if len(entered) > STATES:
            st.caption(f"The last {STATES} of {plural(len(entered), 'state')}.")


def _package(one: Execution) -> str:
    """Which version the execution is about, as its input says: an event of the registry, or a request."""
    arn = one.input.get("model_package_arn") or one.input.get("detail", {}).get("ModelPackageArn", "")
    return f"Version {arn.rpartition('/')[2]}" if arn else one.name

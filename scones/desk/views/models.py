"""Models: versions side by side, people's word on them, and what becomes of it."""

from __future__ import annotations

import streamlit as st

from pipelines import registry
from project.errors import SconesError
from scones.desk.data import serving
from scones.desk.data.versions import METRICS, Measured
from scones.desk.desk import OperationsDesk
from scones.desk.wording import NONE, READ_ONLY, age, clock, cloud_answers, now, plain, plural, problem, share, told
from stepfunctions.executions import Execution, latest, states_entered

EVERY_SECONDS = 3
SIDE_BY_SIDE = 6
STATES = 12
"""Of a deployment, the latest that are shown."""
APPROVALS = {
    "Approved": ("Approved", "green", ":material/check_circle:"),
    "Rejected": ("Rejected", "red", ":material/cancel:"),
    registry.WAITING: ("Waits for a decision", "orange", ":material/pending:"),
}


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Models")
    with told():
        found = desk.versions.all()
        if not found:
            st.info("No data: no model is registered. Train one with `scones start --wait`.", icon=":material/inbox:")
        else:
            live = serving.live_version()
            _table(found, live)
            _decision(desk, found)
    _deployments(desk)


def _table(found: list[Measured], live: int | None) -> None:
    """A column per version, a row per fact."""
    rows: dict[str, list[str]] = {"": [], "decision": []}
    for one in found[:SIDE_BY_SIDE]:
        number = one.version.number
        rows[""].append(f"**version {number}**" + (" ● live" if number == live else ""))
        rows["decision"].append(APPROVALS.get(one.version.approval, (one.version.approval,))[0])
        for name, (label, is_share) in METRICS.items():
            rows.setdefault(label, []).append(_written(one.metrics.get(name), is_share))
            if name == "accuracy":
                rows.setdefault("its 95 % interval", []).append(_interval(one.metrics))
        for label, text in (
            ("registered, UTC", clock(one.version.registered)),
            ("algorithm", one.properties.get("algorithm", NONE)),
            ("staging", registry.staging(one.properties) or NONE),
            ("comment", one.comment or NONE),
        ):
            rows.setdefault(label, []).append(plain(text))
    table = [{"fact": label, **{str(n): cell for n, cell in enumerate(cells)}} for label, cells in rows.items()]
    st.table(table, hide_index=True, hide_header=True, border="horizontal", alt="Versions side by side")


def _decision(desk: OperationsDesk, found: list[Measured]) -> None:
    st.subheader("Decide")
    waiting = next((i for i, one in enumerate(found) if one.version.approval == registry.WAITING), 0)
    with st.form("decision", border=True):
        chosen = st.selectbox("Version", found, index=waiting, format_func=_named)
        comment = st.text_input(
            "Comment", key="comment", disabled=not desk.allow_changes, placeholder="kept in the registry"
        )
        with st.container(horizontal=True):
            shut = {"disabled": not desk.allow_changes, "help": None if desk.allow_changes else READ_ONLY}
            approve = st.form_submit_button("Approve", icon=":material/check:", type="primary", **shut)
            reject = st.form_submit_button("Reject", icon=":material/close:", **shut)
        if not desk.allow_changes:
            st.caption(READ_ONLY)
    if approve or reject:
        _decide(desk, chosen, "Approved" if approve else "Rejected", comment)
    if said := st.session_state.pop("models-said", None):
        st.success(said, icon=":material/check_circle:")


def _decide(desk: OperationsDesk, chosen: Measured, approval: registry.Approval, comment: str) -> None:
    try:
        version = registry.choose(desk.versions.group, chosen.version.arn, approval)
        ahead = registry.untested(version) if approval == "Approved" else ""
        registry.decide(version, approval, comment.strip())
    except SconesError as error:
        problem(error)
        return
    what = (
        "The deploy workflow starts now."
        if approval == "Approved"
        else "If it is live or being deployed, the newest version still approved takes its place."
    )
    st.session_state["models-said"] = f"Version {version.number} is {approval.lower()}. {what} {ahead}".rstrip()
    st.rerun()


def _deployments(desk: OperationsDesk) -> None:
    st.subheader("Deployments")

    @st.fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        if not cloud_answers():
            return
        with told():
            found = latest(desk.names.state_machine("deploy"), 5)
            if not found:
                st.info("No data: nothing was deployed yet.", icon=":material/inbox:")
            for one in found:
                _deployment(one)

    live()


def _deployment(one: Execution) -> None:
    marks = {"RUNNING": ":material/sync:", "SUCCEEDED": ":material/check_circle:"}
    icon = marks.get(one.status, ":material/error:")
    ago = age((now() - one.started).total_seconds())
    heading = f"{_package(one)}: {one.status.lower()}, started {ago}, {one.seconds:.0f} s"
    with st.expander(heading, expanded=one.status == "RUNNING", icon=icon):
        if one.error:
            st.error(plain(f"{one.error}: {one.problem}"))
        elif message := one.output.get("message"):
            st.markdown(plain(str(message)))
        entered = states_entered(one.arn)
        for name, when in entered[-STATES:]:
            st.markdown(f"`{(when - one.started).total_seconds():6.1f} s` {name}")
        if len(entered) > STATES:
            st.caption(f"The last {STATES} of {plural(len(entered), 'state')}.")


def _package(one: Execution) -> str:
    """Which version the execution is about, as its input says: an event of the registry, or a request."""
    arn = one.input.get("model_package_arn") or one.input.get("detail", {}).get("ModelPackageArn", "")
    return f"Version {arn.rpartition('/')[2]}" if arn else one.name


def _written(value: float | None, is_share: bool) -> str:
    if value is None:
        return NONE
    return share(value) if is_share else f"{value:.4f}"


def _interval(metrics: dict[str, float]) -> str:
    low, high = metrics.get("accuracy_low"), metrics.get("accuracy_high")
    return f"{share(low)} to {share(high)}" if low is not None and high is not None else NONE


def _named(one: Measured) -> str:
    approval = APPROVALS.get(one.version.approval, (one.version.approval,))[0].lower()
    return f"{one.version.number}: accuracy {_written(one.metrics.get('accuracy'), True)}, {approval}"

"""Deciding about a version: what it is beside the live one, what will follow, and who decides why."""

from __future__ import annotations

import getpass
from functools import partial

import streamlit as st

from pipelines import registry
from pipelines.registry import Approval
from pipelines.runs import comparison, in_service, live_comparison
from pipelines.runs.versions import Measured
from project.errors import SconesError
from project.s3 import split
from scones.desk.data.objects import body
from scones.desk.desk import OperationsDesk, forget_answers
from scones.desk.wording import APPROVALS, READ_ONLY, clock, measured, plain, problem, told
from scones.reports.collect import gates_of

VERBS: dict[Approval, str] = {"Approved": "Approve", "Rejected": "Reject"}
ASKED = "models-asked"
"""The decision that was asked for and waits for its second click: version and approval."""


def decide(desk: OperationsDesk, found: list[Measured], live: int | None) -> None:
    """Draw it. Nothing is decided by the first click: it shows what will follow, and asks who and why."""
    st.subheader("Decide")
    chosen: Measured = st.selectbox("Version", found, index=_first_to_look_at(found, live), format_func=_named)
    with st.container(border=True, key="decision"):
        _beside(chosen, next((one for one in found if one.version.number == live), None))
        with told():
            _gate(desk, chosen)
        _lineage(chosen)
        with told():
            _buttons(desk, chosen, found)
    if said := st.session_state.pop("models-said", None):
        st.success(said, icon=":material/check_circle:")


def _first_to_look_at(found: list[Measured], live: int | None) -> int:
    """The newest that waits, unless something newer is live: an older one is nobody's next step."""
    for place, one in enumerate(found):
        if one.version.approval == registry.WAITING and one.version.number > (live or 0):
            return place
    return 0


def _beside(chosen: Measured, live: Measured | None) -> None:
    number = chosen.version.number
    if live and live.version.number == number:  # the widget gives a copy, so `is` would not tell
        live = None
    rows = []
    for one in comparison.compared(chosen.metrics, live.metrics if live else {}):
        row = {"metric": one.name, f"version {number}": measured(*one.chosen, one.is_share)}
        if live:
            row |= {
                f"version {live.version.number}, live": measured(*one.live, one.is_share),
                "difference": one.verdict,
            }
        rows.append(row)
    number_live = live.version.number if live else None
    answered = live_comparison.beside(chosen.reviewed, number_live)
    if answered:
        ours, theirs = (
            measured(answered[kind], answered[f"{kind}_low"], answered[f"{kind}_high"], True)
            for kind in ("new", "accuracy")
        )
        rows.append(
            {
                "metric": f"accuracy on {answered['images']:,} reviewed deliveries",
                f"version {number}": ours,
                f"version {number_live}, live": theirs,
                "difference": live_comparison.difference(answered),
            }
        )
    if rows:
        st.table(rows, hide_index=True, border="horizontal", alt=f"Version {number} beside the live version")
        st.caption(
            "On each version's test set, unless said otherwise; in brackets the 95 % interval. What chance explains is "
            "called no difference."
        )
        told_of = live_comparison.neither if answered else partial(live_comparison.words, live=number_live)
        if said := told_of(chosen.reviewed):
            st.caption(plain(said))
    else:
        st.info(f"No data: version {number} was registered without an evaluation.", icon=":material/inbox:")


def _gate(desk: OperationsDesk, chosen: Measured) -> None:
    execution = chosen.properties.get("execution")
    if not execution:
        return
    for gate in desk.known(gates_of, execution):
        name = gate.metric.removeprefix("metrics.")
        if not gate.is_asked:
            st.markdown(f":gray-badge[not asked] {plain(name)}: no comparison with a live model")
            continue
        badge = ":green-badge[:material/check_circle: met]" if gate.is_met else ":red-badge[:material/cancel: not met]"
        value, asked = gate.words
        st.markdown(f"{badge} {plain(name)} {value}, asked for {asked} ({plain(gate.parameter)})")


def _lineage(chosen: Measured) -> None:
    properties = chosen.properties
    facts = [
        ("algorithm", properties.get("algorithm")),
        ("classes", properties.get("classes")),
        ("", registry.staging(properties)),
        ("execution", properties.get("execution", "").rpartition("/")[2]),
        ("commit", properties.get("commit", "").replace("-", " ")),
        ("data SHA-256", properties.get("data_sha256", "")[:16]),
        ("registered", clock(chosen.version.registered)),
    ]
    st.caption("  ·  ".join(f"{name} {plain(value)}".strip() for name, value in facts if value))
    uri = properties.get("report")
    if uri:
        st.download_button(
            "The execution's report",
            data=partial(_report, uri),
            file_name=f"version-{chosen.version.number}.html",
            mime="text/html",
            icon=":material/description:",
            type="tertiary",
        )
    else:
        st.caption("No report was noted with it: `scones report EXECUTION` writes one.")


def _report(uri: str) -> bytes:
    content = body(*split(uri))
    return content if content is not None else f"{uri} is gone: write it again with scones report.".encode()


def _buttons(desk: OperationsDesk, chosen: Measured, found: list[Measured]) -> None:
    number, stands = chosen.version.number, chosen.version.approval
    if stands in VERBS:
        st.markdown(_decided(chosen))
    with st.container(horizontal=True):
        for approval, verb in VERBS.items():
            already = f"Version {number} is {approval.lower()} already." if stands == approval else None
            st.button(
                f"{verb} version {number}…",
                icon=":material/check:" if approval == "Approved" else ":material/close:",
                disabled=not desk.allow_changes or already is not None,
                help=READ_ONLY if not desk.allow_changes else already,
                on_click=partial(_ask, chosen.version.arn, approval),
            )
    if not desk.allow_changes:
        st.caption(READ_ONLY)
        return
    arn, approval = st.session_state.get(ASKED, ("", "Approved"))
    if arn == chosen.version.arn and stands != approval:
        _confirm(desk, chosen, approval, found)


def _ask(arn: str, approval: Approval) -> None:
    st.session_state[ASKED] = (arn, approval)


def _confirm(desk: OperationsDesk, chosen: Measured, approval: Approval, found: list[Measured]) -> None:
    version, verb = chosen.version, VERBS[approval]
    follows = in_service.after_approval if approval == "Approved" else in_service.after_rejection
    st.info(
        plain(follows(version, [one.version for one in found], desk.known(in_service.found))),
        icon=":material/arrow_forward:",
    )
    if approval == "Approved" and (ahead := registry.untested(version)):
        st.warning(plain(ahead), icon=":material/warning:")
    with st.form("decision-form", border=False):
        who = st.text_input("Your name", getpass.getuser(), key="decider", width=260)
        why = st.text_input("Why", key="comment", placeholder="required; kept in the registry with your name")
        with st.container(horizontal=True):
            go = st.form_submit_button(f"{verb} version {version.number} now", type="primary")
            st.form_submit_button("Cancel", on_click=partial(st.session_state.pop, ASKED, None))
    if go:
        _decide(chosen, approval, who, why)


def _decide(chosen: Measured, approval: Approval, who: str, why: str) -> None:
    try:
        if not why.strip():
            raise SconesError("Nothing was decided: there is no reason.", "Say why.")
        group = chosen.version.arn.rpartition("/")[0].rpartition("/")[2]
        version = registry.choose(group, chosen.version.arn, approval)
        registry.decide(version, approval, registry.signed(who, why))
    except SconesError as error:
        problem(error)
        return
    forget_answers()
    st.session_state.pop(ASKED, None)
    done = f"Version {version.number} is {approval.lower()}."
    st.session_state["models-said"] = f"{done} What the deploy workflow does about it stands under Deployments."
    st.rerun()


def _decided(one: Measured) -> str:
    by = f" by **{plain(one.who)}**" if one.who else ""
    because = f", because: {plain(one.why)}" if one.why else ""
    return f"Version {one.version.number} is {one.version.approval.lower()}{by}{because.rstrip('.')}."


def _named(one: Measured) -> str:
    approval = APPROVALS.get(one.version.approval, (one.version.approval,))[0].lower()
    accuracy = one.metrics.get("accuracy")
    known = "no evaluation" if accuracy is None else f"accuracy {measured(accuracy, None, None, True)}"
    return f"{one.version.number}: {known}, {approval}"

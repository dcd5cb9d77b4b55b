"""Review: people say what doubtful pictures show."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from project.errors import SconesError
from scones.desk.data import review
from scones.desk.data.labels import NEITHER, Given
from scones.desk.data.records import Records, names_of
from scones.desk.desk import OperationsDesk
from scones.desk.filters import traffic
from scones.desk.pictures import described, shown
from scones.desk.wording import READ_ONLY, plural, problem, share, told

GALLERY = 13
"""Pictures at a time: the first, which the keys are for, and those that come next."""
ORDERS: tuple[review.Order, ...] = ("least certain", "at random")
KEYS = "123456789"
SMALL = 164
"""Pixels of a card in the gallery: six beside each other on a desk, two on a phone."""


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Review")
    with told():
        desk.labels.refresh()
        chosen = traffic(desk, "review")
        table, records = chosen.table, chosen.records
        labels = desk.labels.all()
        _accuracy(records, labels, desk)
        if not len(records):
            return
        with st.container(horizontal=True, vertical_alignment="bottom", key="review-settings"):
            order = st.segmented_control("Order", ORDERS, default=ORDERS[0], key="review-order", required=True)
            _reviewer(desk)
        skipped = st.session_state.setdefault("review-skipped", [])
        rows = review.queue(records, labels, order or ORDERS[0], GALLERY + len(skipped))
        waiting = [row for row in rows.tolist() if names_of(records[row])[0] not in skipped][:GALLERY]
        if not waiting:
            st.success("Every record of this choice has been looked at.", icon=":material/done_all:")
            _undo(desk)
            return
        _first(desk, table.files, records[waiting[0]])
        _others(desk, table.files, records, waiting[1:])


def _accuracy(records: Records, labels: dict[str, int], desk: OperationsDesk) -> None:
    found = review.live_accuracy(records, labels)
    if found is None:
        st.caption(
            "Live accuracy: no data, no record has a label yet."
            + (f" {plural(desk.labels.bad, 'label')} in S3 could not be read." if desk.labels.bad else "")
        )
        return
    with st.container(horizontal=True, gap="medium", key="live-accuracy"):
        st.metric(
            "Right, of labelled records",
            share(found.accuracy),
            help=f"95 % interval {share(found.low)} to {share(found.high)}. Labels of the least certain records alone "
            "make it look worse than traffic is: label at random for a fair number.",
            width="content",
        )
        st.metric(
            "Weighted to all traffic",
            share(found.weighted),
            help="Each tenth of confidence counts by its share of the traffic; it needs a label in each.",
            width="content",
        )
        st.metric("Labelled", f"{found.labelled:,}", width="content")
        st.metric("Neither", f"{found.neither:,}", width="content")


def _reviewer(desk: OperationsDesk) -> str:
    name: str = st.text_input(
        "Your name", value=getpass.getuser(), key="reviewer", disabled=not desk.allow_changes, width=240
    )
    return name


def _first(desk: OperationsDesk, files: Sequence[str], record: Any) -> None:
    """The picture that the keys are for."""
    with st.container(border=True, horizontal=True, key="review-first"):
        with st.container(width=256):
            shown(desk, files, record, f"Captured picture, called {described(desk, record)}", width=256)
        with st.container(width="stretch"):
            st.markdown(f"The model says **{described(desk, record)}**. What is it?")
            with st.container(horizontal=True):
                for number, name in enumerate(desk.classes[: len(KEYS)]):
                    _answer(desk, record, number, name, KEYS[number])
                _answer(desk, record, NEITHER, "neither" if len(desk.classes) == 2 else "none of these", "0")
            with st.container(horizontal=True):
                st.button(
                    "Skip",
                    key="skip",
                    shortcut="s",
                    type="tertiary",
                    icon=":material/skip_next:",
                    on_click=partial(_skip, names_of(record)[0]),
                )
                _undo(desk)
            if not desk.allow_changes:
                st.caption(READ_ONLY)
            _said()


def _answer(desk: OperationsDesk, record: Any, label: int, name: str, key: str) -> None:
    st.button(
        name,
        key=f"answer-{label}",
        shortcut=key,
        disabled=not desk.allow_changes,
        help=None if desk.allow_changes else READ_ONLY,
        on_click=partial(_give, desk, names_of(record)[0], label),
    )


def _others(desk: OperationsDesk, files: Sequence[str], records: Records, rows: list[int]) -> None:
    if not rows:
        return
    st.subheader("Next")
    answers = [*range(len(desk.classes)), NEITHER]
    with st.container(horizontal=True, key="review-gallery"):
        for row in rows:
            record = records[row]
            event = names_of(record)[0]
            with st.container(border=True, width=SMALL):
                shown(desk, files, record, f"Captured picture, called {described(desk, record)}")
                st.caption(described(desk, record))
                st.pills(
                    "What is it?",
                    answers,
                    format_func=lambda label: "neither" if label == NEITHER else desk.classes[label],
                    key=f"label-{event}",
                    disabled=not desk.allow_changes,
                    label_visibility="collapsed",
                    on_change=partial(_give_chosen, desk, event),
                )


def _give_chosen(desk: OperationsDesk, event: str) -> None:
    label = st.session_state.get(f"label-{event}")
    if label is not None:
        _give(desk, event, label)


def _give(desk: OperationsDesk, event: str, label: int) -> None:
    try:
        given = desk.labels.give(event, label, st.session_state.get("reviewer") or getpass.getuser())
    except SconesError as error:
        st.session_state["review-problem"] = error
        return
    st.session_state.setdefault("given", []).append(given)


def _skip(event: str) -> None:
    st.session_state["review-skipped"].append(event)


def _undo(desk: OperationsDesk) -> None:
    given: list[Given] = st.session_state.setdefault("given", [])
    st.button(
        f"Undo ({len(given)})" if given else "Undo",
        key="undo",
        shortcut="u",
        type="tertiary",
        icon=":material/undo:",
        disabled=not (desk.allow_changes and given),
        on_click=partial(_take_back, desk),
    )


def _take_back(desk: OperationsDesk) -> None:
    given: list[Given] = st.session_state["given"]
    try:
        desk.labels.undo(given[-1])
    except SconesError as error:
        st.session_state["review-problem"] = error
        return
    given.pop()


def _said() -> None:
    """What became of the last answer."""
    if error := st.session_state.pop("review-problem", None):
        problem(error)
    given: list[Given] = st.session_state.get("given", [])
    if given:
        st.caption(f"{plural(len(given), 'label')} given here. Keys: 1, 2, … for a class, 0 for neither, S, U.")
    else:
        st.caption("Keys: 1, 2, … for a class, 0 for neither, S to skip, U to undo.")

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
from scones.desk.filters import traffic, unfamiliarity_limit
from scones.desk.pictures import content, described, shown
from scones.desk.wording import READ_ONLY, plural, problem, share, told

GALLERY = 13
"""Pictures at a time: the first, which the keys are for, and those that come next."""
LOOKED_AT = 4 * GALLERY
"""Records among which equal pictures are sought: one that was sent again is asked about once."""
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
        limit = _limit(desk)
        rows = review.queue(records, labels, order or ORDERS[0], LOOKED_AT + len(skipped), limit)
        kept = [row for row in rows.tolist() if names_of(records[row])[0] not in skipped][:LOOKED_AT]
        waiting = review.same_pictures(records, kept, lambda row: content(desk, table.files, records[row]), GALLERY)
        if not waiting:
            st.success("Every record of this choice has been looked at.", icon=":material/done_all:")
            _undo(desk)
            return
        _first(desk, table.files, records[waiting[0]], limit)
        _others(desk, table.files, records, waiting[1:], limit)


def _limit(desk: OperationsDesk) -> float:
    """How unfamiliar a picture may be; the greatest, which nothing is above, when that cannot be read."""
    found = unfamiliarity_limit(desk)
    return found.value if found else 1.0


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


def _first(desk: OperationsDesk, files: Sequence[str], same: Records, limit: float) -> None:
    """The picture that the keys are for; the records `same` all show it."""
    record = same[0]
    with st.container(border=True, horizontal=True, key="review-first"):
        with st.container(width=256):
            shown(desk, files, record, f"Captured picture, called {described(desk, record)}", width=256)
        with st.container(width="stretch"):
            st.markdown(
                f"The model says **{described(desk, record)}**{_strange(record, limit)}. What is it?{_often(same)}"
            )
            with st.container(horizontal=True):
                for number, name in enumerate(desk.classes[: len(KEYS)]):
                    _answer(desk, same, number, name, KEYS[number])
                _answer(desk, same, NEITHER, "neither" if len(desk.classes) == 2 else "none of these", "0")
            with st.container(horizontal=True):
                st.button(
                    "Skip",
                    key="skip",
                    shortcut="s",
                    type="tertiary",
                    icon=":material/skip_next:",
                    on_click=partial(_skip, _events(same)),
                )
                _undo(desk)
            if not desk.allow_changes:
                st.caption(READ_ONLY)
            _said()


def _strange(record: Any, limit: float) -> str:
    """Why a picture is asked about although the model may be sure."""
    unfamiliarity = float(record["unfamiliarity"])
    return f", unlike the training pictures ({unfamiliarity:.1%})" if unfamiliarity > limit else ""


def _often(same: Records) -> str:
    return f" It was sent {len(same)} times, and your answer holds for each." if len(same) > 1 else ""


def _events(same: Records) -> list[str]:
    return [names_of(record)[0] for record in same]


def _answer(desk: OperationsDesk, same: Records, label: int, name: str, key: str) -> None:
    st.button(
        name,
        key=f"answer-{label}",
        shortcut=key,
        disabled=not desk.allow_changes,
        help=None if desk.allow_changes else READ_ONLY,
        on_click=partial(_give, desk, _events(same), label),
    )


def _others(
    desk: OperationsDesk, files: Sequence[str], records: Records, groups: list[list[int]], limit: float
) -> None:
    if not groups:
        return
    st.subheader("Next")
    answers = [*range(len(desk.classes)), NEITHER]
    with st.container(horizontal=True, key="review-gallery"):
        for rows in groups:
            record, events = records[rows[0]], _events(records[rows])
            event = events[0]
            with st.container(border=True, width=SMALL):
                shown(desk, files, record, f"Captured picture, called {described(desk, record)}")
                often = f", sent {len(rows)} times" if len(rows) > 1 else ""
                st.caption(described(desk, record) + _strange(record, limit) + often)
                st.pills(
                    "What is it?",
                    answers,
                    format_func=lambda label: "neither" if label == NEITHER else desk.classes[label],
                    key=f"label-{event}",
                    disabled=not desk.allow_changes,
                    label_visibility="collapsed",
                    on_change=partial(_give_chosen, desk, events),
                )


def _give_chosen(desk: OperationsDesk, events: list[str]) -> None:
    label = st.session_state.get(f"label-{events[0]}")
    if label is not None:
        _give(desk, events, label)


def _give(desk: OperationsDesk, events: list[str], label: int) -> None:
    given: list[Given] = []
    try:
        for event in events:
            given.append(desk.labels.give(event, label, st.session_state.get("reviewer") or getpass.getuser()))
    except SconesError as error:
        st.session_state["review-problem"] = error
    if given:
        st.session_state.setdefault("given", []).append(given)


def _skip(events: list[str]) -> None:
    st.session_state["review-skipped"].extend(events)


def _undo(desk: OperationsDesk) -> None:
    given: list[list[Given]] = st.session_state.setdefault("given", [])
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
    given: list[list[Given]] = st.session_state["given"]
    try:
        for one in given[-1]:
            desk.labels.undo(one)
    except SconesError as error:
        st.session_state["review-problem"] = error
        return
    given.pop()


def _said() -> None:
    """What became of the last answer."""
    if error := st.session_state.pop("review-problem", None):
        problem(error)
    given: list[list[Given]] = st.session_state.get("given", [])
    if given:
        st.caption(f"{plural(len(given), 'answer')} given here. Keys: 1, 2, … for a class, 0 for neither, S, U.")
    else:
        st.caption("Keys: 1, 2, … for a class, 0 for neither, S to skip, U to undo.")

"""Review: people say what doubtful pictures show."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from monitoring.analysis.ground_truth import NEITHER, NEITHER_NAME
from monitoring.measures.rounding import beside
from monitoring.watch.labels import Given, slug
from pipelines.runs.live_history import version_at
from project.errors import SconesError
from scones.desk.data import review
from scones.desk.data.agreement import said
from scones.desk.data.records import Records, names_of
from scones.desk.desk import OperationsDesk
from scones.desk.filters import Traffic, threshold, traffic, unfamiliarity_limit
from scones.desk.pictures import content, described, shown
from scones.desk.views.review_summary import show_summary
from scones.desk.wording import READ_ONLY, clock, plain, plural, problem, times, told

GALLERY = 13
"""Pictures at a time: the first, which the keys are for, and those that come next."""
LOOKED_AT = 4 * GALLERY
"""Records among which equal pictures are sought: one that was sent again is asked about once."""
ORDERS: tuple[review.Order, ...] = ("least certain", "at random", "second look", "wrong")
NOTHING: dict[review.Order, str] = {
    "least certain": "Every record of this choice has been looked at.",
    "at random": "Every record of this choice has been looked at.",
    "second look": "There is nothing that others have labelled and you have not.",
    "wrong": "No label says something else than the model did.",
}
PLACES = "review-places"
NEIGHBOURS = 2
"""Records shown before and after the first one."""
KEYS = "123456789"
TINY = 80
SMALL = 164
"""Pixels of a card in the gallery: six beside each other on a desk, two on a phone."""


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Review")
    with told():
        desk.known(desk.labels.refresh)
        chosen = traffic(desk, "review")
        table, records = chosen.table, chosen.records
        labels = desk.labels.all()
        setting = threshold(desk)
        with st.container():  # which stays one, or with the first label everything below would be made anew
            show_summary(desk, chosen, labels, setting.value if setting else 0.0)
        if not len(records):
            return
        with st.container(horizontal=True, vertical_alignment="bottom", key="review-settings"):
            order = st.segmented_control(
                "Order", ORDERS, default=ORDERS[0], key="order", required=True, wrap=True, bind="query-params"
            )
            reviewer = _reviewer(desk)
        limit = _limit(desk)
        waiting = _waiting(desk, chosen, labels, order or ORDERS[0], slug(reviewer), limit)
        if not waiting:
            st.success(NOTHING[order or ORDERS[0]], icon=":material/done_all:")
            _undo(desk)
            return
        _first(desk, chosen, waiting[0], labels if order == "wrong" else {}, limit)
        _others(desk, table.files, records, waiting[1:], limit)


def _limit(desk: OperationsDesk) -> float:
    """How unfamiliar a picture may be; the greatest, which nothing is above, when that cannot be read."""
    found = unfamiliarity_limit(desk)
    return found.value if found else 1.0


def _waiting(
    desk: OperationsDesk,
    chosen: Traffic,
    labels: dict[str, int],
    order: review.Order,
    reviewer: str,
    limit: float,
) -> list[list[int]]:
    """Groups of equal pictures to look at. Those that stood here before keep their places: whatever comes in meanwhile,
    an answer must not meet another picture than the one that was looked at."""
    records, skipped = chosen.records, st.session_state.setdefault("review-skipped", [])
    mine = {event: by[reviewer] for event, by in said(desk.labels.given()).items() if reviewer in by}
    rows = review.queue(records, labels, order, LOOKED_AT + len(skipped), mine=mine, limit=limit).tolist()
    rows = [row for row in rows if names_of(records[row])[0] not in skipped][:LOOKED_AT]
    of_what, stood = st.session_state.get(PLACES, (None, {}))
    if of_what == (order, chosen.version, st.session_state.get("period")):
        rows.sort(key=lambda row: stood.get(names_of(records[row])[0], len(stood)))
    found = review.same_pictures(records, rows, lambda row: content(desk, chosen.table.files, records[row]), GALLERY)
    places = {names_of(records[row])[0]: place for place, group in enumerate(found) for row in group}
    st.session_state[PLACES] = ((order, chosen.version, st.session_state.get("period")), places)
    return found


def _reviewer(desk: OperationsDesk) -> str:
    name: str = st.text_input(
        "Your name", value=getpass.getuser(), key="reviewer", disabled=not desk.allow_changes, width=240
    )
    return name


def _first(desk: OperationsDesk, chosen: Traffic, rows: list[int], labels: dict[str, int], limit: float) -> None:
    """The picture that the keys are for; the records in `rows` all show it."""
    files, same = chosen.table.files, chosen.records[rows]
    record = same[0]
    with st.container(border=True, horizontal=True, key="review-first"):
        with st.container(width=256):
            shown(desk, files, record, f"Captured picture, called {described(desk, record)}", width=256)
        with st.container(width="stretch"):
            st.markdown(
                f"The model says **{described(desk, record)}**{_strange(record, limit)}. What is it?{_often(same)}"
            )
            st.caption(_about(desk, chosen, record, labels))
            with st.container(horizontal=True):
                for number, name in enumerate(desk.classes[: len(KEYS)]):
                    _answer(desk, same, number, name, KEYS[number])
                _answer(desk, same, NEITHER, NEITHER_NAME if len(desk.classes) == 2 else "none of these", "0")
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
        _neighbours(desk, chosen, rows[0])


def _about(desk: OperationsDesk, chosen: Traffic, record: Any, labels: dict[str, int]) -> str:
    """When it came, which version answered, and how far the second class was behind."""
    version = version_at(chosen.deployed, int(record["time"]))
    parts = [
        clock(datetime.fromtimestamp(int(record["time"]), UTC)),
        f"version {version}" if version is not None else "no version was live",
        f"the second class was {record['margin']:.3f} behind",
    ]
    given = next((labels[name] for name in names_of(record) if name in labels), None)
    if given is not None:
        parts.append(f"labelled {'neither' if given == NEITHER else plain(desk.classes[given])}")
    return " · ".join(parts)


def _neighbours(desk: OperationsDesk, chosen: Traffic, row: int) -> None:
    """What came just before and after: a burst of one scene is seen as one."""
    records = chosen.records
    around = [
        near for near in range(row - NEIGHBOURS, row + NEIGHBOURS + 1) if near != row and 0 <= near < len(records)
    ]
    if not around:
        return
    with st.container(width="stretch", key="review-neighbours"):
        st.caption("Before and after it")
        with st.container(horizontal=True):
            for near in around:
                record, away = records[near], int(records[near]["time"]) - int(records[row]["time"])
                with st.container(width=TINY):
                    shown(desk, chosen.table.files, record, f"Neighbour, called {described(desk, record)}")
                    st.caption(f"{away:+,} s, {described(desk, record)}")


def _strange(record: Any, limit: float) -> str:
    """Why a picture is asked about although the model may be sure."""
    unfamiliarity = float(record["unfamiliarity"])
    return f", unfamiliar ({beside(unfamiliarity, limit, 2)}, limit {limit:g})" if unfamiliarity > limit else ""


def _often(same: Records) -> str:
    return f" It was sent {times(len(same))}, and your answer holds for each." if len(same) > 1 else ""


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
                often = f", sent {times(len(rows))}" if len(rows) > 1 else ""
                st.caption(described(desk, record) + _strange(record, limit) + often)
                st.pills(
                    "What is it?",
                    answers,
                    format_func=lambda label: NEITHER_NAME if label == NEITHER else desk.classes[label],
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

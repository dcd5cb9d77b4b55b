"""What stands around every page: which project in which account people look at, in which time zone, and whether a
cloud answers. Without one, what was read before stays, marked as stale, and the page goes on by itself."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from project import settings
from project.errors import SconesError
from scones.desk.connection import cloud_name, problem_of_cloud
from scones.desk.desk import OperationsDesk, changes_are_allowed
from scones.desk.refresh import fragment
from scones.desk.wording import ZONE, clock, now, plain, problem_text

EVERY_SECONDS = 2
GONE = "bar-gone"
"""Since when no cloud has answered, as this visitor's page saw it."""
STALE = """
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] > :not(:has(.st-key-banner, .st-key-bar)) {
    filter: grayscale(1)
}
.st-key-banner {margin-top: 1rem}
[data-testid="stMetricLabel"] p::after, [data-testid="stHeading"] h1::after, [data-testid="stHeading"] h3::after {
    content: " · stale"; font-weight: 400
}
[data-testid="stPlotlyChart"], [data-testid="stTable"], [data-testid="stImage"] {
    outline: 2px dashed; outline-offset: 2px
}
"""


def tab(title: str, found: OperationsDesk | None) -> str:
    """The words of the browser's tab."""
    return " · ".join([title, *_place(found), _mode()])


def show_bar(found: OperationsDesk | None) -> None:
    """Where people are, and the zone in which this page tells the time; it stays in the address as `tz`."""
    project, *rest = map(plain, _place(found))
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        st.markdown(f"**{project}** · {' · '.join(rest)}", width="content")
        if changes_are_allowed():
            st.badge("Changes allowed", icon=":material/edit:", color="orange")
        else:
            st.badge("Read-only", icon=":material/lock:", color="gray")
        _choose_zone()


def _place(found: OperationsDesk | None) -> list[str]:
    try:
        known = settings.load()
        account = [f"account {found.names.account}"] if found else []
        return [known.project, *account, known.region, cloud_name()]
    except SconesError:
        return ["Scones Unlimited"]  # the page says what is wrong with the settings


def _mode() -> str:
    return "changes allowed" if changes_are_allowed() else "read-only"


def _choose_zone() -> None:
    zones = list(dict.fromkeys(["UTC", st.context.timezone or "UTC"]))
    chosen = st.selectbox(
        "Time zone",
        zones,
        key="tz",
        bind="query-params",
        accept_new_options=True,
        label_visibility="collapsed",
        help="Of every time on these pages: UTC, your own, or a name such as Asia/Tokyo.",
        width=190,
    )
    found = _zone(chosen or "UTC")
    if found is None:
        st.caption(f":material/warning: There is no time zone {plain(str(chosen))}.")
    st.session_state[ZONE] = found or UTC


def _zone(name: str) -> tzinfo | None:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@fragment(run_every=EVERY_SECONDS)
def show_banner() -> None:
    """One sentence while no cloud answers, and the mark on what was read before; when one does, the page again."""
    error = problem_of_cloud()
    if error is None:
        if st.session_state.pop(GONE, None):
            st.rerun()
        return
    since: datetime = st.session_state.setdefault(GONE, now())
    with st.container(key="banner"):
        st.error(
            f"{problem_text(error)}\n\nSince {clock(since)}. What stands below was read before and is marked as stale. "
            f"This page looks again every {EVERY_SECONDS} seconds and goes on by itself.",
            icon=":material/cloud_off:",
        )
        st.html(f"<style>{STALE}</style>")

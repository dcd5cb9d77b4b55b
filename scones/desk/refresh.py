"""What is drawn again by itself: parts of pages every few seconds, or a whole page when there is something new."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from project.errors import SconesError
from scones.desk.wording import cloud_answers, zone
from scones.reports.charts.words import in_zone

LOOK_SECONDS = 3
AGAIN_SECONDS = 20
"""A page with charts is not drawn again more often by itself: people look at it."""
P = ParamSpec("P")


def fragment(run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Streamlit's fragment, whose charts tell the time in the reader's zone as the rest of the page does."""

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def drawn(*asked: P.args, **more: P.kwargs) -> None:
            with in_zone(zone()):
                draw(*asked, **more)

        part: Callable[P, None] = st.fragment(drawn, run_every=run_every)
        return part

    return decorate


def show_again_when(state: Callable[[], object], drawn: object) -> None:
    """Draw the page again once `state()` is no longer `drawn`, and not before AGAIN_SECONDS have gone.

    What people typed or chose stays: the page has the same widgets then, and their state is the session's.
    """
    _look(state, drawn, time.monotonic() + AGAIN_SECONDS)


@fragment(run_every=LOOK_SECONDS)
def _look(state: Callable[[], object], drawn: object, not_before: float) -> None:
    if time.monotonic() < not_before or not cloud_answers():
        return
    try:
        is_news = state() != drawn
    except SconesError:
        return  # the page itself says why, when it asks
    if is_news:
        st.rerun()

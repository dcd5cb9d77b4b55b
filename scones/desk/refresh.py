"""Parts of pages that are drawn again alone: when somebody uses them, or every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from scones.desk.wording import zone
from scones.reports.charts.words import in_zone

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

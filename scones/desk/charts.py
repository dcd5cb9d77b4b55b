"""Charts on the desk's pages: those of scones/reports/charts, in the colours of the reader's theme."""

from __future__ import annotations

from typing import Any

import streamlit as st
from plotly.graph_objects import Figure

from scones.desk.wording import theme
from scones.reports.charts.theme import painted

CONFIG = {"displayModeBar": False, "displaylogo": False}
"""No tool bar over the chart; zooming by dragging stays, a double click ends it."""


DRAWN_ONCE = {"datarevision": 1}
"""Streamlit hands Plotly a copy of every chart that it has just drawn, and other data as another chart. Told that data
are as before, Plotly does not look for what is new in them, and draws nothing twice."""


def show_chart(figure: Figure, key: str, alt: str, **more: Any) -> Any:
    """Draw a chart; `alt` says in words what a reader who cannot see it misses. Returns what was chosen in it."""
    shown = painted(figure, theme()).update_layout(DRAWN_ONCE)
    return st.plotly_chart(shown, key=key, theme=None, config=CONFIG, alt=alt, **more)

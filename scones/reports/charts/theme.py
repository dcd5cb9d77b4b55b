"""Colours by role, for light and for dark surroundings, and the layout that every figure has."""

from __future__ import annotations

import re
from typing import Any, Literal

import plotly.graph_objects as go

Role = str
Theme = Literal["light", "dark"]

COLOURS: dict[Role, tuple[str, str]] = {
    # role: light, dark
    "page": ("#f6f5f1", "#14171b"),
    "surface": ("#ffffff", "#1d2126"),
    "ink": ("#1f2730", "#e7e9ec"),
    "muted": ("#5f6a76", "#9aa5b1"),
    "line": ("#dcd9d0", "#363c44"),
    "grid": ("#ece9e2", "#2a2f36"),
    "good": ("#237a57", "#58c99b"),
    "bad": ("#bf3b30", "#f0857a"),
    "warn": ("#9a6700", "#e0b04c"),
    "series1": ("#2863ae", "#7ab2f7"),
    "series2": ("#cf6a17", "#f2a35e"),
    "series3": ("#237a57", "#58c99b"),
    "series4": ("#7f4fa8", "#c49be8"),
    "series5": ("#b83b66", "#f08cab"),
    "series6": ("#7a6a4f", "#c9b791"),
}
"""Every text role reaches a contrast of 4.5 to 1 on `surface` (WCAG 2.1, level AA); a test measures it."""

SERIES = 6
ROLE = re.compile(r"var\(--(\w+)\)")
FONT = '"Source Sans", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
"""The first is Streamlit's, which comes with the desk's pages; where it is missing the reader's own font is taken."""


def series(index: int) -> Role:
    """The role of the n-th series, counted from 0; after the last colour they begin again."""
    return f"series{index % SERIES + 1}"


def colour(role: Role, theme: Theme) -> str:
    """The colour of a role as `#rrggbb`."""
    return COLOURS[role][("light", "dark").index(theme)]


def paint(role: Role) -> str:
    """What stands in a figure for the colour of `role`: a CSS variable, which Plotly's checks let pass."""
    return f"var(--{role})"


def palette(theme: Theme) -> dict[Role, str]:
    """Every role's colour."""
    return {role: colour(role, theme) for role in COLOURS}


def painted(figure: go.Figure, theme: Theme) -> go.Figure:
    """The figure with a theme's colours in the place of roles."""
    return untemplated(go.Figure(_painted(figure.to_plotly_json(), theme)))


def untemplated(figure: go.Figure) -> go.Figure:
    """The figure without the template that Plotly, or Streamlit, gives to each: 6 KB of what LAYOUT says otherwise."""
    figure.layout.template = None
    return figure


def _painted(value: Any, theme: Theme) -> Any:
    if isinstance(value, str):
        found = ROLE.fullmatch(value)
        return colour(found[1], theme) if found and found[1] in COLOURS else value
    if isinstance(value, dict):
        return {name: _painted(one, theme) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_painted(one, theme) for one in value]
    return value


_AXIS = {
    "automargin": False,  # Plotly draws a chart twice to find margins out
    "gridcolor": paint("grid"),
    "linecolor": paint("line"),
    "showline": False,
    "tickcolor": paint("line"),
    "ticks": "",
    "title": {"standoff": 10},
    "zeroline": False,
}
ANNOTATION = {"showarrow": False, "font": {"color": paint("ink"), "size": 11}}
SHAPE = {"line": {"color": paint("muted"), "dash": "dash", "width": 1.4}}
LAYOUT = {
    "bargap": 0.06,
    "font": {"family": FONT, "size": 12, "color": paint("muted")},
    "hoverlabel": {
        "align": "left",
        "bgcolor": paint("surface"),
        "bordercolor": paint("line"),
        "font": {"color": paint("ink")},
        "namelength": -1,
    },
    "hovermode": "closest",
    "legend": {
        "orientation": "h",
        "x": 0,
        "y": 1.02,
        "yanchor": "bottom",
        "font": {"color": paint("ink")},
        "traceorder": "normal",
    },
    "margin": {"l": 62, "r": 22, "t": 34, "b": 56},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "xaxis": {**_AXIS, "showgrid": False, "showline": True, "ticks": "outside", "nticks": 7},
    "yaxis": {**_AXIS, "nticks": 7},
}
"""What every figure, annotation and shape has unless it says something else. These are no template of Plotly's: a
figure that has one is drawn again whenever it is compared with a copy of itself."""


def filled(said: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """What is `said`, and what is `usual` where nothing is; at every depth."""
    both = {name: filled(said[name], usual[name]) for name in said if _are_dicts(said[name], usual.get(name))}
    return {**usual, **said, **both}


def _are_dicts(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)

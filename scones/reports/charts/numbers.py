"""A chart as a table, for readers who cannot see it and for those without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape

import plotly.graph_objects as go


@dataclass(frozen=True)
class Numbers:
    """A header, and rows with as many cells; plain text."""

    header: list[str]
    rows: list[list[str]]


def numbers(figure: go.Figure) -> Numbers:
    """What the pointer would show: where each point is and what is there, one column per name.

    Lines whose points lie at different places (records, ROC curves) are listed one after the other instead.
    """
    traces = [trace for trace in figure.data if trace.hoverinfo != "skip"]
    if traces and traces[0].type == "heatmap":
        [matrix] = traces
        rows = [[name, *cells] for name, cells in zip(matrix.y, matrix.text, strict=True)]
        return _plain(["actual, by predicted", *matrix.x], rows)
    places = [list(trace.hovertext or ()) for trace in traces]
    names = [trace.name or "" for trace in traces]
    if len(traces) > 1 and all(one == places[0] for one in places):
        rows = [list(row) for row in zip(places[0], *(trace.text for trace in traces), strict=True)]
        return _plain(["", *names], [row for row in rows if any(row[1:])])
    alone = len(set(names)) < 2
    listed = [
        [where, said] if alone else [where, name, said]
        for name, trace, here in zip(names, traces, places, strict=True)
        for where, said in zip(here, trace.text or (), strict=True)
        if said
    ]
    return _plain(["", names[0] if names else ""] if alone else ["", "", ""], listed)


def _plain(header: list[str], rows: list[list[str]]) -> Numbers:
    return Numbers([unescape(one) for one in header], [[unescape(str(cell)) for cell in row] for row in rows])

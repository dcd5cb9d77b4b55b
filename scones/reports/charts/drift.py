"""Charts of how far traffic is from the baseline: per feature, over the runs, over time, and as distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from monitoring.analysis.checks import Drift, times_allowed
from monitoring.analysis.features import BY_NAME, Floats
from monitoring.analysis.profile import Profile
from monitoring.measures.rounding import apart, beside
from monitoring.watch.history import History, stretches
from scones.reports.charts.layout import (
    ROW,
    ROWS_MARGIN,
    Guide,
    Mark,
    axis,
    chart,
    names_axis,
    rows_axis,
    share_axis,
    spanning,
    time_axis,
)
from scones.reports.charts.marks import Interval, bars, bars_at, line, row_bars
from scones.reports.charts.theme import Role, series
from scones.reports.charts.traffic import HELD, ROUTED
from scones.reports.charts.words import literal, moment, times

SEVEREST = 4.0
"""Drift beyond this many times its threshold is drawn as this much; its number is written beside it."""
MOST_LINES = 6
"""Features that one chart of the history can hold: there are so many colours."""


def drift_per_feature(drifts: Sequence[Drift]) -> go.Figure:
    """How far each feature is from the baseline, in units of what it is allowed; the farthest first."""
    rows = sorted(drifts, key=lambda one: -one.severity)
    names = [one.feature.replace("_", " ") + (" ▲" if one.exceeded else "") for one in rows]
    trace = row_bars(
        "distance",
        names,
        [min(one.severity, SEVEREST) for one in rows],
        [HELD if one.exceeded else ROUTED for one in rows],
        words=[beside(one.severity, 1.0, 1) for one in rows],
        where=[f"{name}, {one.times}: {drift_note(one)}" for name, one in zip(names, rows, strict=True)],
        least=0.01,
    )
    x = axis("times what is allowed", 0, 1.15 * SEVEREST, "d") | {"showgrid": True, "dtick": 1}
    limit = Guide("limit", x=1.0, role="ink")
    return chart([trace], x, rows_axis(names), [limit], height=90 + ROW * len(rows), margin=ROWS_MARGIN)


def drift_note(drift: Drift) -> str:
    """What is behind the severity: the largest gap between the distributions and the one allowed, or the p-values."""
    if drift.p_value is not None:
        p, least = apart(drift.p_value, drift.threshold, 2, "g")
        return f"{f'p = {p}' if drift.p_value > 1e-99 else 'p below 1e-99'}, allowed down to {least}"
    gap, allowed = apart(drift.simple, drift.allowed, 3)
    return f"gap {gap}, allowed {allowed}"


def drift_over_runs(
    runs: Sequence[tuple[float, Sequence[Drift]]], features: Sequence[str], marks: Sequence[Mark] = ()
) -> go.Figure:
    """The severity of `features` in each run (seconds since 1970, drifts); a run that did not compare one is a gap."""
    time = [when for when, _ in runs]
    found = [{one.feature: one for one in drifts} for _, drifts in runs]
    traces = []
    for index, name in enumerate(features):
        notes = [drift_note(one[name]) if name in one else "" for one in found]
        severities = [min(one[name].severity, 3 * SEVEREST) if name in one else None for one in found]
        where = [f"{moment(when)}, {note}" for when, note in zip(time, notes, strict=True)]
        dashed = index >= MOST_LINES // 2
        traces += line(
            name,
            times(time),
            severities,
            series(index),
            where=where,
            write=times_allowed,
            dots=True,
            dashed=dashed,
        )
    room = 0.02 * (max(time) - min(time))
    top = max([1.2, *(1.1 * value for trace in traces for value in trace["y"] if value is not None)])
    limit = Guide("limit", y=1.0, role="ink")
    x = time_axis(min(time) - room, max(time) + room)
    return chart(traces, x, axis("times what is allowed", 0, top), [limit], marks=marks)


def feature_over_time(history: History, name: str, baseline: Profile | None, marks: Sequence[Mark] = ()) -> go.Figure:
    """Median and middle 80 % of a picture feature over time, and the same of the baseline as level lines."""
    cut = stretches(history.time)
    low, middle, high = cut.quantiles(history.measured[name], (0.1, 0.5, 0.9)).tolist()
    then = baseline.features.get(name) if baseline else None
    levels = then.sketch.quantiles(np.array([0.1, 0.5, 0.9])).tolist() if then and then.count else []
    finite = [value for value in (*low, *high, *levels) if np.isfinite(value)]
    bounds = spanning(finite, most=float("inf") if finite else 1.0)
    guides = [Guide(label, y=y, role="ink" if label else "muted") for label, y in _labelled(levels)]
    where = [moment(t) for t in cut.middles]
    traces = line(
        "median",
        times(cut.middles),
        Interval(middle, low, high),
        ROUTED,
        where=where,
        write="{:.3f}".format,
        dots=len(cut.middles) < 60,
    )
    x, y = time_axis(float(cut.edges[0]), float(cut.edges[-1])), axis("", *bounds, "~g")
    return chart(traces, x, y, guides, marks=marks, height=270)


def _labelled(levels: Sequence[float]) -> list[tuple[str, float]]:
    return list(zip(("", "baseline median", ""), levels, strict=True)) if levels else []


def distributions(
    feature: str, edges: Floats | None, names: Sequence[str], sides: Mapping[str, Floats | None]
) -> go.Figure:
    """Baseline and traffic over the same bins: shares float (b,) between `edges` (b + 1,), or one per name."""
    roles: dict[str, Role] = {name: series(index) for index, name in enumerate(sides)}
    known = {name: shares for name, shares in sides.items() if shares is not None}
    top = 1.1 * max([float(shares.max()) for shares in known.values()] + [0.01])
    y = share_axis("share of records", 0, top)
    if edges is None:
        shown = [literal(name) for name in names]
        traces = [bars_at(side, shown, shares.tolist(), roles[side], where=names) for side, shares in known.items()]
        return chart(traces, names_axis(names), y, barmode="group")
    where = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges.tolist())]
    opacity = 1.0 if len(known) == 1 else 0.62  # one behind the other, both are seen through
    traces = [
        bars(side, edges.tolist(), shares.tolist(), roles[side], where=where, opacity=opacity)
        for side, shares in known.items()
    ]
    return chart(traces, axis(feature, float(edges[0]), float(edges[-1])), y, barmode="overlay")


def meaning(feature: str) -> str:
    """A feature's name and what it measures, in words."""
    return f"{feature.replace('_', ' ')}: {BY_NAME[feature].meaning}" if feature in BY_NAME else feature

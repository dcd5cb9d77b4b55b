"""Charts of captured traffic over time.

Two colours carry the story everywhere: blue is within its limit, orange is not. They differ in lightness as
well, so that no kind of colour blindness hides the difference, and a line, a label or bold text says the same again.
Time without traffic is a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from monitoring.analysis.features import Floats
from monitoring.watch.history import History, stretches
from scones.reports.charts.layout import Guide, Mark, axis, chart, count_axis, share_axis, time_axis
from scones.reports.charts.marks import Interval, Trace, bars, line, named_level, points
from scones.reports.charts.theme import Role, series
from scones.reports.charts.words import moment, percent, stretches_in_words, tenths, times

ROUTED, HELD = "series1", "series2"
PARTS = (("above the threshold", ROUTED, "circle"), ("below the threshold", HELD, "x"))
DOTS = 400
"""Up to this many records are drawn one by one; more as medians and bands."""
CLASS_ROLES = ("series4", "line", "series3", "series6", "series5")
"""Classes are neither good nor bad: purple and pale grey first, whose lightness tells them apart for every eye."""
BIN = 0.025


def confidence_over_time(history: History, marks: Sequence[Mark] = ()) -> go.Figure:
    """Every record's confidence, or medians with the middle 80 %, above and below the threshold."""
    if len(history) <= DOTS:
        found = history.answered
        words = [history.classes[number] for number in history.predicted[found]]
        return records(history.time[found], history.confidence[found], words, history.threshold, marks=marks)
    cut = stretches(history.time)
    chosen = (history.answered & ~history.low, history.low)
    traces: list[Trace] = []
    for (name, role, _), some in zip(PARTS, chosen, strict=True):
        low, middle, high = cut.quantiles(history.confidence, (0.1, 0.5, 0.9), some).tolist()
        counts = cut.counts(some)
        where = [f"{moment(t)}, {n:.0f} records" for t, n in zip(cut.middles, counts, strict=True)]
        found_then = Interval(middle, low, high)
        traces += line(name, times(cut.middles), found_then, role, where=where, dots=True)
    return _with_threshold(traces, history.threshold, history.time, history.confidence, marks)


def records(
    time: Floats,
    confidence: Floats,
    words: Sequence[str],
    threshold: float,
    where: Sequence[str] = (),
    marks: Sequence[Mark] = (),
) -> go.Figure:
    """Each of n records as a point; one that is clicked gives back its place among them.

    Args:
        time: seconds since 1970, float (n,).
        words: what each was taken for.
        where: more than the time about each.
    """
    where = where or [moment(one) for one in time]
    traces = []
    for (name, role, symbol), some in zip(PARTS, (confidence >= threshold, confidence < threshold), strict=True):
        places = np.flatnonzero(some).tolist()
        traces.append(
            points(
                name,
                times(time[some]) if places else [],
                confidence[some].tolist(),
                role,
                where=[where[i] for i in places],
                words=[f"{words[i]} {tenths(float(confidence[i]), threshold)}" for i in places],
                symbol=symbol,
                chosen=places,
            )
        )
    return _with_threshold(traces, threshold, time, confidence, marks)


def _with_threshold(
    traces: list[Trace], threshold: float, time: Floats, confidence: Floats, marks: Sequence[Mark]
) -> go.Figure:
    span = span_of(time)
    start, end = times(span)
    level = named_level(f"threshold {percent(threshold)}", (start, end), threshold)
    y = share_axis("confidence", _least(confidence), 1.01)
    return chart([*traces, level], time_axis(*span), y, marks=marks)


def span_of(time: Floats) -> tuple[float, float]:
    """The seconds that an axis shows for records at `time`: a little more, or points would stand on its ends."""
    if not len(time):
        return 0.0, 60.0
    low, high = float(time.min()), float(time.max())
    room = max(1.0, 0.02 * (high - low))
    return low - room, high + room


def _least(confidence: Floats) -> float:
    return max(0.0, min(0.5, float(np.nanmin(confidence)) - 0.02)) if np.isfinite(confidence).any() else 0.5


def confidence_histogram(history: History) -> go.Figure:
    """How many records have which confidence; the threshold is the edge of a bar, so that each has one colour."""
    values = history.confidence[history.answered]
    low = min(0.5, float(np.floor(values.min() * 20) / 20)) if len(values) else 0.5
    edges = _edges(low, history.threshold)
    counts = np.histogram(values, edges)[0].astype(float)
    below = np.array(edges[1:]) <= history.threshold + 1e-9
    where = [f"confidence {percent(a)} to {percent(b)}" for a, b in pairwise(edges)]
    traces = [
        bars(name, edges, np.where(some, counts, np.nan).tolist(), role, where=where, write="{:,.0f}".format)
        for (name, role, _), some in zip(PARTS[::-1], (below, ~below), strict=True)
    ]
    guide = Guide(f"threshold {percent(history.threshold)}", x=history.threshold, role="ink")
    x = share_axis("confidence", edges[0], edges[-1]) | {"tick0": 0, "dtick": 0.1}
    return chart(traces, x, count_axis("records", counts), [guide], barmode="stack")


def _edges(low: float, threshold: float) -> list[float]:
    """Bins of about BIN on both sides of the threshold."""
    inside = min(max(threshold, low), 1.0)
    parts = [np.linspace(a, b, max(1, round((b - a) / BIN)) + 1) for a, b in ((low, inside), (inside, 1.0)) if b > a]
    return [float(edge) for edge in np.unique(np.round(np.concatenate(parts), 9))]


def above_and_below(history: History, marks: Sequence[Mark] = ()) -> go.Figure:
    """How many records were above the threshold and how many below it, over time."""
    cut = stretches(history.time)
    low, high = cut.counts(history.low), cut.counts(history.answered & ~history.low)
    empty, edges = low + high == 0, cut.edges.tolist()
    traces = [
        bars(
            name,
            edges,
            np.where(empty, np.nan, counts).tolist(),
            role,
            where=stretches_in_words(edges),
            write="{:,.0f}".format,
            clock=True,
        )
        for (name, role, _), counts in zip(PARTS[::-1], (low, high), strict=True)
    ]
    x, y = time_axis(edges[0], edges[-1]), count_axis("records", low + high)
    return chart(traces, x, y, marks=marks, barmode="stack")


def class_mix(history: History, baseline: Mapping[str, int], marks: Sequence[Mark] = ()) -> go.Figure:
    """The share of each predicted class over time. With two classes, a line at the baseline's share of the first."""
    cut = stretches(history.time)
    answered = history.predicted >= 0
    total = cut.counts(answered)
    sizes = np.bincount(history.predicted[answered], minlength=len(history.classes))
    shown = sorted(np.argsort(-sizes, kind="stable")[: len(CLASS_ROLES)].tolist())
    parts: list[tuple[str, Role, Any]] = [
        (history.classes[number], CLASS_ROLES[position], history.predicted == number)
        for position, number in enumerate(shown)
    ]
    if len(history.classes) > len(shown):
        parts.append(("all others", "muted", answered & ~np.isin(history.predicted, shown)))
    edges = cut.edges.tolist()
    traces = []
    for name, role, some in parts:
        shares = np.divide(cut.counts(some), total, out=np.full(len(total), np.nan), where=total > 0)
        traces.append(bars(name, edges, shares.tolist(), role, where=stretches_in_words(edges), clock=True))
    guides = []
    usual = sum(count for count in baseline.values())
    if len(parts) == 2 and usual:
        first = baseline.get(parts[0][0], 0) / usual
        guides = [Guide(f"baseline: {percent(round(first, 3))} {parts[0][0]}", y=first, role="ink")]
    y = share_axis("share of records", 0, 1)
    return chart(traces, time_axis(edges[0], edges[-1]), y, guides, marks=marks, barmode="stack")


@dataclass(frozen=True)
class LatencyLine:
    """What a metric store knows of one measure: seconds since 1970, and milliseconds at them; float (m,) each."""

    name: str
    time: Floats
    milliseconds: Floats
    dashed: bool = False


def latency_over_time(
    lines: Sequence[LatencyLine], span: tuple[float, float] | None = None, marks: Sequence[Mark] = ()
) -> go.Figure:
    """How long answers took. `span` is the time that the chart shows; else that of the lines."""
    drawn = [(one.name, one.time, one.milliseconds, one.dashed) for one in lines]
    return _measured_over_time(drawn, span, marks, "milliseconds", "{:.4g} ms".format)


def requests_over_time(
    variants: Mapping[str, tuple[Floats, Floats]], span: tuple[float, float], marks: Sequence[Mark] = ()
) -> go.Figure:
    """How many requests a minute each variant had: seconds since 1970, and the rate at them."""
    drawn = [(name, time, rate, False) for name, (time, rate) in variants.items()]
    return _measured_over_time(drawn, span, marks, "requests a minute", "{:.4g} a minute".format)


def _measured_over_time(
    lines: Sequence[tuple[str, Floats, Floats, bool]],
    span: tuple[float, float] | None,
    marks: Sequence[Mark],
    title: str,
    write: Callable[[float], str],
) -> go.Figure:
    traces: list[Trace] = []
    for index, (name, known, measured, dashed) in enumerate(lines):
        time, values = _interrupted(known, measured)
        where = [moment(t) for t in time]
        shown = (name, times(time), values.tolist(), series(index))
        traces += line(*shown, where=where, write=write, dots=True, dashed=dashed)
    every = [float(t) for _, known, *_ in lines for t in known]
    low, high = span or ((min(every), max(every)) if every else (0.0, 60.0))
    top = max([1.0, *(float(np.nanmax(values)) for _, known, values, _ in lines if len(known))])
    return chart(traces, time_axis(low, high), axis(title, 0, 1.1 * top), marks=marks)


def _interrupted(time: Floats, values: Floats) -> tuple[Floats, Floats]:
    """A gap wherever points are farther apart than the closest ones: time without requests has no points."""
    if len(time) < 2:
        return time, values
    steps = np.diff(time)
    after = np.flatnonzero(steps > 1.5 * steps.min()) + 1
    return np.insert(time, after, time[after - 1] + steps.min()), np.insert(values, after, np.nan)

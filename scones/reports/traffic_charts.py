"""The charts of captured traffic, each a function from what was gathered to a drawing: report and dashboard share them.

Two colours carry the story everywhere: blue is routed or within its limit, orange is not. They differ in lightness as
well, so that no kind of colour blindness hides the difference, and a line, a label or bold text says the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.checks import Drift
from monitoring.analysis.features import BY_NAME, Floats
from monitoring.analysis.profile import Profile
from monitoring.watch.history import History, Stretches, stretches
from scones.reports.charts.axes import Axis, percent, spanning, whole
from scones.reports.charts.clock import Clock, clock, written
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.plots import Guide, Series, lines
from scones.reports.charts.stacks import Layer, Level, levels, stacked

ROUTED, HELD = "series1", "series2"
DOTS = 400
"""Up to this many records are drawn one by one; more as medians and bands."""
WIDTH = 560.0
CLASS_ROLES = ("series4", "line", "series3", "series6", "series5")
"""Classes are neither good nor bad: purple and pale grey first, whose lightness tells them apart for every eye."""
SEVEREST = 4.0
"""Drift beyond this many times its threshold is drawn as this much; its number is written beside it."""
LATE = 0.9


def confidence_over_time(history: History) -> Drawing:
    """Every record's confidence, or medians with the middle 80 %, above and below the threshold."""
    low = min(0.5, float(np.nanmin(history.confidence)) - 0.02) if history.answered.any() else 0.5
    y_axis = Axis("confidence", max(0.0, low), 1.005, percent)
    axis = _span(history)
    parts = [("routed", ROUTED, history.answered & ~history.low), ("below the threshold", HELD, history.low)]
    if len(history) <= DOTS:
        shown = [_dots(history, name, role, chosen) for name, role, chosen in parts]
        return lines("Confidence of every record over time", axis, y_axis, [*shown, _threshold(history, axis)])
    cut = stretches(history.time)
    shown = []
    for name, role, chosen in parts:
        low_bound, middle, high_bound = cut.quantiles(history.confidence, (0.1, 0.5, 0.9), chosen).tolist()
        counts = cut.counts(chosen)
        tips = [
            f"{written(t)}: {n:.0f} {name}, median {percent(m)}"
            for t, n, m in zip(cut.middles, counts, middle, strict=True)
        ]
        shown.append(Series(name, cut.middles.tolist(), middle, role, low_bound, high_bound, tips, dots=True))
    title = "Confidence over time, medians and middle 80%"
    return lines(title, axis, y_axis, [*shown, _threshold(history, axis)])


def _threshold(history: History, axis: Clock) -> Series:
    """A line that the legend names: a label beside it would lie on the data."""
    level = (history.threshold, history.threshold)
    return Series(f"threshold {percent(history.threshold)}", (axis.low, axis.high), level, "ink", dashed=True)


def _dots(history: History, name: str, role: str, chosen: NDArray[np.bool_]) -> Series:
    """Points without a line between them: a gap after each."""
    x, y, tips = [], [], []
    for i in np.flatnonzero(chosen):
        moment, value = float(history.time[i]), float(history.confidence[i])
        x += [moment, moment]
        y += [value, float("nan")]
        tips += [f"{written(moment)}: {history.classes[history.predicted[i]]} {percent(value)}", ""]
    return Series(name, x, y, role, tips=tips)


def confidence_histogram(history: History) -> Drawing:
    """How many records have which confidence; the threshold is the edge of a bar, so that each has one colour."""
    values = history.confidence[history.answered]
    low = min(0.5, float(np.floor(values.min() * 20) / 20)) if len(values) else 0.5
    edges = _edges(low, history.threshold)
    counts = np.histogram(values, edges)[0].astype(float)
    below = np.array(edges[1:]) <= history.threshold + 1e-9
    layers = [
        Layer("below the threshold", HELD, (counts * below).tolist()),
        Layer("routed", ROUTED, (counts * ~below).tolist()),
    ]
    return stacked(
        "Histogram of confidence",
        Axis("confidence", edges[0], edges[-1], percent),
        _counting(counts),
        edges,
        layers,
        [Guide(f"threshold {percent(history.threshold)}", x=history.threshold, role="ink")],
        bin_name=lambda a, b: f"{percent(a)} to {percent(b)}",
    )


def _edges(low: float, threshold: float) -> list[float]:
    """Bins of about 2.5 % on both sides of the threshold."""
    below = (
        np.linspace(low, threshold, max(1, round((threshold - low) / 0.025)) + 1)
        if threshold > low
        else np.array([low])
    )
    above = (
        np.linspace(max(threshold, low), 1.0, max(1, round((1 - threshold) / 0.025)) + 1)
        if threshold < 1
        else below[-1:]
    )
    return [float(edge) for edge in np.unique(np.round(np.concatenate([below, above]), 9))]


def above_and_below(history: History) -> Drawing:
    """How many records were routed, and how many were not, over time."""
    cut = stretches(history.time)
    low, high = cut.counts(history.low), cut.counts(history.answered & ~history.low)
    layers = [Layer("below the threshold", HELD, low.tolist()), Layer("routed", ROUTED, high.tolist())]
    return stacked(
        "Records above and below the threshold over time",
        _stretched(cut),
        _counting(low + high),
        cut.edges.tolist(),
        layers,
        bin_name=_when,
    )


def class_mix(history: History, baseline: Mapping[str, int]) -> Drawing:
    """The share of each predicted class over time. With two classes, a line at the baseline's share of the first."""
    cut = stretches(history.time)
    total = np.maximum(cut.counts(history.predicted >= 0), 1)
    sizes = np.bincount(history.predicted[history.predicted >= 0], minlength=len(history.classes))
    shown = sorted(np.argsort(-sizes, kind="stable")[: len(CLASS_ROLES)].tolist())
    layers = [
        Layer(history.classes[c], CLASS_ROLES[position], (cut.counts(history.predicted == c) / total).tolist())
        for position, c in enumerate(shown)
    ]
    if len(history.classes) > len(shown):
        rest = (history.predicted >= 0) & ~np.isin(history.predicted, shown)
        layers.append(Layer("all others", "muted", (cut.counts(rest) / total).tolist()))
    guides = []
    if layers and len(layers) == 2 and sum(baseline.values()):
        first = baseline.get(layers[0].name, 0) / sum(baseline.values())
        guides = [Guide(f"baseline: {percent(round(first, 3))} {layers[0].name}", y=first, role="ink")]
    return stacked(
        "Predicted classes over time",
        _stretched(cut),
        Axis("share of records", 0.0, 1.0, percent),
        cut.edges.tolist(),
        layers,
        guides,
        bin_name=_when,
    )


def drift_per_feature(drifts: Sequence[Drift]) -> Drawing:
    """How far each feature is from the baseline, in units of what it is allowed; the farthest first."""
    rows = [
        Level(drift.feature.replace("_", " "), drift.severity, drift_note(drift), drift.exceeded)
        for drift in sorted(drifts, key=lambda drift: -drift.severity)
    ]
    axis = Axis("times what is allowed", 0.0, SEVEREST, lambda value: f"{value:g}", 4)
    return levels("Drift per feature against its threshold", axis, 1.0, "limit", rows, width=WIDTH)


def drift_note(drift: Drift) -> str:
    """The largest gap between the distributions, or the p-value, as a few digits."""
    if drift.p_value is not None:
        return f"p = {drift.p_value:.2g}" if drift.p_value > 1e-99 else "p < 1e-99"
    return f"{drift.simple:.3f}"


def feature_over_time(history: History, name: str, baseline: Profile | None) -> Drawing:
    """Median and middle 80 % of a picture feature over time, and the same of the baseline as level lines."""
    cut = stretches(history.time)
    low, middle, high = cut.quantiles(history.measured[name], (0.1, 0.5, 0.9))
    then = baseline.features.get(name) if baseline else None
    levels_then = then.sketch.quantiles(np.array([0.1, 0.5, 0.9])).tolist() if then and then.count else []
    finite = [value for value in (*low, *high, *levels_then) if np.isfinite(value)]
    bottom, top = spanning(finite, most=float("inf") if finite else 1.0)
    guides = [Guide("baseline median", y=levels_then[1], role="ink")] if levels_then else []
    guides += [Guide("", y=value) for value in (levels_then[0], levels_then[2])] if levels_then else []
    tips = [f"{written(t)}: median {m:.3f}" for t, m in zip(cut.middles, middle, strict=True)]
    line = Series(
        name,
        cut.middles.tolist(),
        middle.tolist(),
        ROUTED,
        low.tolist(),
        high.tolist(),
        tips,
        dots=len(cut.middles) < 60,
    )
    title = f"{name}: {BY_NAME[name].meaning}"
    return lines(
        title,
        _stretched(cut),
        Axis("", bottom, top, lambda v: f"{v:.3g}"),
        [line],
        guides,
        height=250,
    )


@dataclass(frozen=True)
class Latency:
    """What a metric store knows: times in seconds since 1970, and milliseconds at them; floats (m,)."""

    time: Floats
    median: Floats
    slowest: Floats


def latency_over_time(latency: Latency) -> Drawing:
    """Median and 90 % quantile of the endpoint's answers."""
    top = 1.1 * float(np.nanmax(latency.slowest)) if len(latency.slowest) else 1.0
    axis = clock(float(latency.time.min()), float(latency.time.max())) if len(latency.time) else clock(0, 60)
    shown = [
        Series("median", latency.time.tolist(), latency.median.tolist(), ROUTED, dots=True),
        Series(
            f"{percent(LATE)} answered by then",
            latency.time.tolist(),
            latency.slowest.tolist(),
            HELD,
            dots=True,
            dashed=True,
        ),
    ]
    return lines("Latency over time", axis, Axis("milliseconds", 0.0, top), shown)


def _span(history: History) -> Clock:
    return clock(float(history.time.min()), float(history.time.max())) if len(history) else clock(0, 60)


def _stretched(cut: Stretches) -> Clock:
    return clock(float(cut.edges[0]), float(cut.edges[-1]))


def _counting(counts: Floats) -> Axis:
    most = max(1.0, float(counts.max())) if counts.size else 1.0
    return Axis("records", 0.0, most if most < 10 else 1.08 * most, whole, min(6, int(most)))


def _when(start: float, end: float) -> str:
    return f"{written(start)} to {written(end)}"

"""Charts of one execution: how its model learned, what it gets right, when to trust it, where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from scones.reports.charts.layout import (
    HEIGHT,
    ROW,
    ROWS_MARGIN,
    Guide,
    axis,
    chart,
    count_axis,
    names_axis,
    rows_axis,
    share_axis,
    spanning,
)
from scones.reports.charts.marks import HOVER_ALONE, Interval, bars_at, gaps, line, row_bars
from scones.reports.charts.theme import Role, paint, series
from scones.reports.charts.words import literal, percent, tenths

Json = Mapping[str, Any]
MOST_NAMES = 25
"""Classes whose names a confusion matrix has room for; the pointer names them in a larger one."""
MOST_COUNTS = 12
"""Classes whose counts fit into the cells."""
MOST_ROC_CURVES = 6


def training_curves(epochs: Sequence[int], train: Sequence[float | None], validation: Interval) -> go.Figure:
    """Accuracies after each of n epochs; None where the log has none."""
    where = [f"epoch {number}" for number in epochs]
    known = [value for value in gaps(validation.value) if value is not None]
    best = max(known, default=None)
    guides = [] if best is None else [Guide(f"best: {percent(best)}", x=epochs[list(validation.value).index(best)])]
    traces = [
        *line("training", epochs, train, "series1", where=where),
        *line("validation", epochs, validation, "series2", where=where),
    ]
    bounds = spanning([*train, *validation.value, *validation.low])
    few = {"dtick": 1} if epochs[-1] - epochs[0] < 8 else {}
    x = axis("epoch", epochs[0] - 0.5, epochs[-1] + 0.5, "d") | few
    return chart(traces, x, share_axis("accuracy", *bounds), guides)


def confusion_matrix(names: Sequence[str], counts: Sequence[Sequence[int]]) -> go.Figure:
    """Rows are the actual class, columns the predicted one, shaded by the share of their row."""
    k = len(names)
    cells = [[(a, p, count, max(1, sum(row))) for p, count in enumerate(row)] for a, row in enumerate(counts)]
    trace = {
        "type": "heatmap",
        "x": [literal(name) for name in names],
        "y": [literal(name) for name in names],
        "z": [[_shade(count / total) * (1 if a == p else -1) for a, p, count, total in row] for row in cells],
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, paint("bad")], [0.5, paint("grid")], [1, paint("series1")]],
        "showscale": False,
        "xgap": 2 if k <= MOST_NAMES else 0,
        "ygap": 2 if k <= MOST_NAMES else 0,
        "text": [[str(count) for *_, count, _ in row] for row in cells],
        "texttemplate": "%{text}" if k <= MOST_COUNTS else "",
        "textfont": {"size": 16 if k <= 6 else 12},
        "hovertext": [
            [literal(f"{count} of {total} {names[a]} pictures were called {names[p]}") for a, p, count, total in row]
            for row in cells
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    labels = {"showticklabels": k <= MOST_NAMES, "constrain": "domain", "showline": False}
    x = names_axis(names) | labels | {"title": {"text": "predicted"}, "side": "top"}
    y = rows_axis(names) | labels | {"title": {"text": "actual"}, "scaleanchor": "x"}
    return chart([trace], x, y, height=360, margin={"l": 16, "r": 16, "t": 16, "b": 16})


def _shade(share: float) -> float:
    """Strength of colour for a share: a few mistakes must still be visible beside many right answers."""
    return 0.0 if share == 0 else 0.12 + 0.83 * share**0.7


MEASURES = {"recall": "found", "precision": "trusted"}


def per_class(classes: Mapping[str, Json]) -> go.Figure:
    """Recall (found) and precision (trusted) of each class with their intervals."""
    rows = []
    for index, (name, found) in enumerate(classes.items()):
        for measure, word in MEASURES.items():
            if found[measure] is not None:
                value, low, high = (float(found[f"{measure}{end}"]) for end in ("", "_low", "_high"))
                rows.append(RowInterval(f"{name}, {word}", value, low, high, measure, series(index)))
    return row_intervals("share of pictures", rows)


@dataclass(frozen=True)
class RowInterval:
    """A share with its interval in a row of its own; `measure` is what the pointer calls it."""

    name: str
    value: float
    low: float
    high: float
    measure: str
    role: Role


def row_intervals(title: str, rows: Sequence[RowInterval]) -> go.Figure:
    """A point with its interval in each row, and its value beside it."""
    traces = [
        {
            "type": "scatter",
            "name": title,
            "x": [row.value],
            "y": [literal(row.name)],
            "mode": "markers",
            "marker": {"size": 10, "color": paint(row.role)},
            "error_x": {
                "array": [row.high - row.value],
                "arrayminus": [row.value - row.low],
                "color": paint(row.role),
                "thickness": 2,
            },
            "text": [
                f"{tenths(row.value)} (95% interval {tenths(row.low)} to {tenths(row.high)}); {row.measure}",
            ],
            "hovertext": [literal(row.name)],
            "hovertemplate": HOVER_ALONE,
            "showlegend": False,
            "cliponaxis": False,
        }
        for row in rows
    ]
    beside = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8}
    values = [{**beside, "y": literal(row.name), "text": f"<b>{tenths(row.value)}</b>"} for row in rows]
    bounds = spanning([bound for row in rows for bound in (row.low, row.high)])
    x = share_axis(title, *bounds) | {"showgrid": True, "nticks": 4}
    y, height = rows_axis([row.name for row in rows]), 80 + ROW * max(2, len(rows))
    return chart(traces, x, y, height=height, annotations=values, margin=ROWS_MARGIN | {"r": 64})


def roc(classes: Sequence[str], curves: Mapping[str, Json]) -> go.Figure:
    """False and true positives of each class against the rest; of many classes those with the least area."""
    place = {name: index for index, name in enumerate(classes)}
    shown = sorted(curves, key=lambda name: float(curves[name]["auc"]))[:MOST_ROC_CURVES]
    traces = [
        trace
        for name in sorted(shown, key=lambda name: place[name])
        for trace in line(
            f"{name} {curves[name]['auc']:.3f}",
            curves[name]["false_positive_rates"],
            curves[name]["true_positive_rates"],
            series(0 if len(curves) == 1 else place[name]),
            where=[f"{tenths(x)} false positives" for x in curves[name]["false_positive_rates"]],
        )
    ]
    x, y = share_axis("false positives"), share_axis("true positives", 0, 1.01)
    return chart(traces, x, y, [Guide()], height=HEIGHT + 10 * len(shown))  # a narrow legend has a line for each


def reliability(bins: Sequence[Json]) -> go.Figure:
    """Accuracy of the answers in each bin of confidence."""
    lowest = min(float(one["low"]) for one in bins)
    found = Interval(*([one[key] for one in bins] for key in ("accuracy", "accuracy_low", "accuracy_high")))
    where = [f"{one['images']} pictures of confidence {tenths(one['confidence'])}" for one in bins]
    traces = line("", [one["confidence"] for one in bins], found, "series1", where=where, dots=True)
    return chart(traces, share_axis("confidence", lowest, 1.005), share_axis("accuracy", 0, 1.02), [Guide()])


def confidence_of_answers(bins: Sequence[Json], threshold: float) -> go.Figure:
    """How many right and how many wrong answers have which confidence."""
    edges = sorted({round(edge, 6) for one in bins for edge in (one["low"], one["high"])})
    by_low = {round(one["low"], 6): one for one in bins}
    kept = [by_low.get(edge, {"images": 0, "wrong": 0}) for edge in edges[:-1]]
    where = [f"confidence {percent(low)} to {percent(high)}" for low, high in pairwise(edges)]
    counts: tuple[tuple[str, list[float], Role], ...] = (
        ("right", [one["images"] - one["wrong"] for one in kept], "series1"),
        ("wrong", [one["wrong"] for one in kept], "bad"),
    )
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    traces = [bars_at(name, middles, n, role, where=where, write="{:.0f}".format) for name, n, role in counts]
    guides = [Guide(f"set: {percent(threshold)}", x=threshold)] if edges[0] < threshold < edges[-1] else []
    most = count_axis("pictures", [n for _, values, _ in counts for n in values])
    x = share_axis("confidence", edges[0], edges[-1]) | {"tick0": 0, "dtick": 0.1}
    return chart(traces, x, most, guides, barmode="group")


@dataclass(frozen=True)
class Share:
    """One line of a threshold curve: shares float (n,), perhaps with an interval."""

    name: str
    values: Sequence[float | None] | Interval
    role: Role
    dashed: bool = False


def threshold_curve(
    thresholds: Sequence[float], shares: Sequence[Share], guides: Sequence[Guide], *, counts: Sequence[str]
) -> go.Figure:
    """What a threshold costs, and what it buys; `counts` says of how many pictures each point tells."""
    where = [f"at {one:g}, {count}" for one, count in zip(thresholds, counts, strict=True)]
    traces = [
        trace
        for one in shares
        for trace in line(one.name, thresholds, one.values, one.role, where=where, dashed=one.dashed)
    ]
    lowest = [v for one in shares for v in (one.values.low if isinstance(one.values, Interval) else one.values)]
    low, _ = spanning(lowest)
    x = share_axis("confidence threshold", thresholds[0], thresholds[-1])
    return chart(traces, x, share_axis("share of pictures", low, 1.01), guides)


@dataclass(frozen=True)
class Span:
    """Something that lasted, in seconds since the beginning."""

    name: str
    start: float
    end: float
    words: str
    role: Role = "series1"


def durations(spans: Sequence[Span]) -> go.Figure:
    """A bar per span from its start to its end."""
    total = max([span.end for span in spans] + [1e-9])
    names = [span.name for span in spans]
    trace = row_bars(
        "time",
        names,
        [span.end - span.start for span in spans],
        [span.role for span in spans],
        words=[span.words for span in spans],
        where=names,
        least=0.004 * total,
        starts=[span.start for span in spans],
    )
    x = axis("seconds since the start", 0, 1.22 * total) | {"showgrid": True, "nticks": 6}
    return chart([trace], x, rows_axis(names), height=80 + ROW * max(2, len(spans)), margin=ROWS_MARGIN)

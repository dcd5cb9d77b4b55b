"""Charts of captured traffic: correct with nothing, one record and very many; legible to every eye."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from plotly.graph_objects import Figure

from monitoring.analysis.checks import Drift
from monitoring.analysis.features import MEASURED, Limits
from monitoring.watch.history import History, stretches
from scones.reports.charts import drift, layout, traffic, words
from scones.reports.charts.layout import Mark
from scones.reports.charts.numbers import numbers
from scones.reports.charts.theme import COLOURS, paint
from scones.reports.charts.traffic import CLASS_ROLES, HELD, ROUTED, LatencyLine
from scones.reports.charts.words import times

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()


def history(n: int, *, threshold: float = 0.93, classes: tuple[str, ...] = ("bicycle", "motorcycle")) -> History:
    random = np.random.default_rng(n)
    confidence = 0.5 + 0.5 * random.beta(8, 1, n)
    return History(
        time=NOON + 3.0 * np.arange(n),
        confidence=confidence,
        unfamiliarity=random.random(n),
        predicted=random.integers(0, len(classes), n),
        classes=classes,
        measured={name: random.random(n) for name in MEASURED},
        pictures=n,
        limits=Limits(confidence=threshold),
    )


def trace_of(figure: Figure, role: str) -> Any:
    """The trace that the pointer answers to, of a colour."""
    answering = [one for one in figure.data if one.hoverinfo != "skip"]
    return next(one for one in answering if paint(role) in (one.marker.color, "line" in one and one.line.color))


def total(trace: Any) -> float:
    return sum(value or 0 for value in trace.y)


def compared(feature: str, severity: float) -> Drift:
    return Drift(feature, "Robust", 0.1, 0.3, None, 0.05, severity)


def every(one: History) -> list[Figure]:
    return [
        traffic.confidence_over_time(one),
        traffic.confidence_histogram(one),
        traffic.above_and_below(one),
        traffic.class_mix(one, {"bicycle": 3, "motorcycle": 2}),
        drift.feature_over_time(one, "brightness", None),
    ]


@pytest.mark.parametrize("n", [0, 1, 2, 400, 401, 100_000])
def test_every_chart_can_be_drawn_of_any_number_of_records_and_stays_small(n: int) -> None:
    for figure in every(history(n)):
        text = figure.to_json()
        assert "NaN" not in text and "Infinity" not in text
        assert len(text) < 150_000
        assert numbers(figure).rows or n == 0


@pytest.mark.parametrize("n", [1, 399, 5000])
def test_counts_in_the_charts_are_the_counts_of_the_records(n: int) -> None:
    one = history(n)
    for figure in (traffic.above_and_below(one), traffic.confidence_histogram(one)):
        for role, expected in ((HELD, one.low.sum()), (ROUTED, (~one.low).sum())):
            assert total(trace_of(figure, role)) == expected


def test_few_records_are_dots_in_the_colour_of_their_decision() -> None:
    one = history(50)
    figure = traffic.confidence_over_time(one)
    held, routed = trace_of(figure, HELD), trace_of(figure, ROUTED)
    assert len(held.y) == one.low.sum() > 0 and max(held.y) < one.threshold
    assert len(routed.y) == (~one.low).sum() and min(routed.y) >= one.threshold, "above is routed"
    assert (held.mode, held.marker.symbol, routed.marker.symbol) == ("markers", "x", "circle")
    assert [trace.y for trace in figure.data if trace.name == "threshold 93%"] == [(0.93, 0.93)]
    first, last = figure.layout.xaxis.range
    assert first < min(held.x + routed.x) and max(held.x + routed.x) < last, "no point on the end of the axis"
    assert figure.layout.xaxis.type == "date" and routed.x[0].startswith("2026-05-04T12:00:")


def test_a_point_gives_back_its_place_among_the_records() -> None:
    one = history(50)
    figure = traffic.records(one.time, one.confidence, ["bus"] * 50, 0.93)
    for trace in figure.data[:2]:
        assert one.confidence[list(trace.customdata)].tolist() == list(trace.y)


def test_hours_without_traffic_are_a_gap_in_lines_bands_and_bars() -> None:
    one = history(4000)
    one.time[2000:] += 6 * 3600.0
    figure = traffic.confidence_over_time(one)
    for trace in (trace_of(figure, ROUTED), trace_of(drift.feature_over_time(one, "contrast", None), ROUTED)):
        assert None in trace.y and trace.y[0] is not None and trace.y[-1] is not None
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(bands) == 2 and all(band.y.count(None) == 2 for band in bands), "two stretches, so two areas"
    for shown in (traffic.above_and_below(one), traffic.class_mix(one, {})):
        assert all(None in trace.y for trace in shown.data), "no data is not zero"


def test_few_bursts_of_traffic_are_not_joined_across_the_hours_between() -> None:
    one = history(600)
    for burst in range(3):
        one.time[200 * burst : 200 * (burst + 1)] = NOON + burst * 6 * 3600.0 + np.arange(200) / 10
    figure = drift.feature_over_time(one, "contrast", None)
    drawn = trace_of(figure, ROUTED)
    assert [there for there, _ in groupby(drawn.y, lambda value: value is not None)].count(True) == 3
    [band] = [trace for trace in figure.data if trace.fill == "toself"]
    assert band.y.count(None) == 3


CHANGED = [Mark(NOON - 60, "version 1"), Mark(NOON + 30, "version 2"), Mark(NOON + 31, "threshold 0.9")]


@pytest.mark.parametrize(
    "draw",
    [
        lambda one: traffic.confidence_over_time(one, CHANGED),
        lambda one: traffic.above_and_below(one, CHANGED),
        lambda one: traffic.class_mix(one, {}, CHANGED),
        lambda one: traffic.records(one.time, one.confidence, ["bus"] * len(one), 0.93, marks=CHANGED),
        lambda one: drift.feature_over_time(one, "contrast", None, CHANGED),
        lambda one: drift.drift_over_runs([(t, [compared("a", 2.0)]) for t in one.time[::50]], ["a"], CHANGED),
        lambda one: traffic.latency_over_time([LatencyLine("a", one.time, one.confidence)], marks=CHANGED),
    ],
)
def test_every_time_axis_has_a_mark_for_each_deployment_and_change_of_the_threshold(
    draw: Callable[[History], Figure],
) -> None:
    figure = draw(history(400))
    marked = [shape.x0 for shape in figure.layout.shapes if shape.line.dash == "dot"]
    assert marked == times([mark.when for mark in CHANGED[1:]]), "one before the first record is not on the axis"
    assert "version 2, threshold 0.9" in [one.text for one in figure.layout.annotations], "those together share a label"


def test_latency_has_a_gap_where_the_metric_has_no_points() -> None:
    time = NOON + 60.0 * np.array([0, 1, 2, 30, 31])
    figure = traffic.latency_over_time(
        [LatencyLine("<i>", time, np.full(5, 8.0)), LatencyLine("b", time, np.full(5, 9.0))]
    )
    assert [trace.y for trace in figure.data] == [(8, 8, 8, None, 8, 8), (9, 9, 9, None, 9, 9)]
    assert figure.data[0].name == "&lt;i&gt;" and figure.data[0].text[0] == "8 ms"
    assert not traffic.latency_over_time([LatencyLine("a", np.empty(0), np.empty(0))]).data[0].x


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.93, 1.0])
def test_the_threshold_is_the_edge_of_a_bar_so_that_no_bar_has_two_colours(threshold: float) -> None:
    one = history(3000, threshold=threshold)
    figure = traffic.confidence_histogram(one)
    held, routed = trace_of(figure, HELD), trace_of(figure, ROUTED)
    assert total(held) == one.low.sum()
    assert not [i for i in range(len(held.y)) if held.y[i] is not None and routed.y[i] is not None]


def test_many_classes_are_drawn_as_the_most_frequent_and_the_others() -> None:
    one = history(2000, classes=tuple(f"class{i}" for i in range(40)))
    named = [trace.name for trace in traffic.class_mix(one, {}).data]
    assert named[-1] == "all others" and len(named) == len(CLASS_ROLES) + 1


def test_shares_of_classes_add_up_and_the_baseline_of_two_is_a_line() -> None:
    figure = traffic.class_mix(history(900), {"bicycle": 3, "motorcycle": 1})
    assert np.sum([trace.y for trace in figure.data], axis=0) == pytest.approx(1)
    assert [shape.y0 for shape in figure.layout.shapes] == [0.75]
    assert [label.text for label in figure.layout.annotations] == ["baseline: 75% bicycle"]


def test_the_farthest_drift_is_first_and_beyond_the_limit_it_is_told_by_more_than_colour() -> None:
    rows = [compared("width", 0.0), compared("brightness", 7.0), compared("contrast", 0.9)]
    figure = drift.drift_per_feature(rows)
    [trace] = figure.data
    assert trace.y == ("brightness ▲", "contrast", "width")
    assert trace.marker.color == (paint(HELD), paint(ROUTED), paint(ROUTED))
    assert trace.x[0] == drift.SEVEREST and 0 < trace.x[2] < 0.1, "cut, and seen although it is nothing"
    assert [shape.x0 for shape in figure.layout.shapes] == [1]
    assert trace.text == ("7.0", "0.9", "0.0")


def test_names_from_outside_are_shown_letter_by_letter() -> None:
    hostile = "<b>%{x}</b><a href='javascript:alert(1)'>"
    one = history(600, classes=(hostile, "bus"))
    runs = [(NOON, [compared(hostile, 2.0)])]
    figures = [
        traffic.records(one.time, one.confidence, [hostile] * 600, 0.93, [hostile] * 600),
        traffic.class_mix(one, {hostile: 1, "bus": 1}),
        drift.drift_per_feature([compared(hostile, 2.0)]),
        drift.drift_over_runs(runs, [hostile]),
        drift.distributions(hostile, None, (hostile,), {"baseline": np.array([1.0])}),
    ]
    for figure in figures:
        text = str(figure.to_plotly_json())
        assert "&lt;b&gt;%{x}&lt;/b&gt;&lt;a href" in text and "<b>" not in text and "<a" not in text
        assert all("%{x}" not in trace.hovertemplate for trace in figure.data if trace.hovertemplate)


def test_drift_over_runs_has_a_gap_where_a_run_did_not_compare_the_feature() -> None:
    runs = [(NOON, [compared("a", 0.5)]), (NOON + 60, []), (NOON + 120, [compared("a", 2.0)])]
    figure = drift.drift_over_runs(runs, ["a"])
    assert figure.data[0].y == (0.5, None, 2.0)
    assert figure.layout.yaxis.range[1] >= 2


def test_distributions_are_bars_over_the_same_bins_or_names() -> None:
    shares = np.array([0.25, 0.75])
    binned = drift.distributions("<i>", np.array([0.0, 1.0, 2.0]), (), {"baseline": shares, "traffic": None})
    assert [trace.name for trace in binned.data] == ["baseline"] and binned.layout.xaxis.title.text == "&lt;i&gt;"
    assert binned.data[0].x == (0.5, 1.5) and binned.data[0].width == (1, 1)
    named = drift.distributions("class", None, ("<b>", "bus"), {"baseline": shares, "traffic": shares[::-1]})
    assert [trace.x for trace in named.data] == [("&lt;b&gt;", "bus")] * 2
    assert named.data[1].marker.color == paint("series2")


def test_records_without_answers_or_pictures_leave_gaps_not_zeros() -> None:
    one = history(200)
    one.confidence[:] = np.nan
    one.predicted[:] = -1
    one.measured["brightness"][:100] = np.nan
    for figure in (traffic.above_and_below(one), traffic.class_mix(one, {})):
        assert all(value is None for trace in figure.data for value in trace.y)
    for figure in every(one):
        assert "NaN" not in figure.to_json()


@pytest.mark.parametrize("theme", [0, 1])
def test_the_colours_that_carry_meaning_differ_to_every_eye(theme: int) -> None:
    for first, second in ((ROUTED, HELD), CLASS_ROLES[:2]):
        for matrix in VISIONS.values():
            a, b = (matrix @ linear(COLOURS[role][theme]) for role in (first, second))
            assert np.linalg.norm(lab(a) - lab(b)) > 30, f"{first} and {second}"


# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009.
VISIONS = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089]), 1e-9, None)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_stretches_of_time_hold_every_record_once() -> None:
    time = NOON + np.random.default_rng(0).random(5000) * 7000
    cut = stretches(time)
    assert cut.counts(np.ones(5000, bool)).sum() == 5000
    assert (cut.edges[cut.place] <= time).all() and (time <= cut.edges[cut.place + 1]).all()
    middle = cut.quantiles(time, (0.5,))[0]
    assert ((cut.edges[:-1] <= middle) & (middle <= cut.edges[1:])).all()


def test_times_of_charts_are_those_of_the_zone_that_they_are_made_in() -> None:
    spring = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC).timestamp() for hour in (0, 1)]  # summer time begins at 1
    with words.in_zone(ZoneInfo("Europe/Berlin")):
        assert words.times(spring) == ["2026-03-29T01:30:00.000", "2026-03-29T03:30:00.000"]
        assert words.moment(spring[1]) == "29 Mar 03:30:00"
        axis = layout.time_axis(*spring)
        assert axis["title"]["text"] == "time, Europe/Berlin"
        shown = layout.chart([], axis, {}, marks=[layout.Mark(spring[0] + 60, "here"), layout.Mark(0, "not here")])
    assert [one.text for one in shown.layout.annotations] == ["here"]
    assert words.times(spring[:1]) == ["2026-03-29T00:30:00.000"]

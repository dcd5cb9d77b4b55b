"""Charts of captured traffic: correct with nothing, one record and very many; legible to every eye."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime

import numpy as np
import pytest

from monitoring.analysis.checks import Drift
from monitoring.analysis.features import MEASURED
from monitoring.watch.history import History, stretches
from scones.reports import traffic_charts
from scones.reports.charts.clock import clock
from scones.reports.charts.drawing import Box, Dot, Drawing, Line, Text
from scones.reports.charts.png import png
from scones.reports.charts.svg import svg
from scones.reports.charts.theme import COLOURS
from scones.reports.traffic_charts import CLASS_ROLES, HELD, ROUTED, Latency

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()


def history(n: int, *, threshold: float = 0.93, classes: tuple[str, ...] = ("bicycle", "motorcycle")) -> History:
    random = np.random.default_rng(n)
    confidence = 0.5 + 0.5 * random.beta(8, 1, n)
    return History(
        time=NOON + 3.0 * np.arange(n),
        confidence=confidence,
        predicted=random.integers(0, len(classes), n),
        classes=classes,
        measured={name: random.random(n) for name in MEASURED},
        pictures=n,
        threshold=threshold,
        lowest=(),
    )


def boxes(drawing: Drawing, role: str) -> list[Box]:
    return [mark for mark in drawing.marks if isinstance(mark, Box) and mark.role == role and mark.tip]


def drift(feature: str, severity: float) -> Drift:
    return Drift(feature, "Robust", 0.1, 0.3, None, 0.05, severity)


def every(one: History) -> list[Drawing]:
    return [
        traffic_charts.confidence_over_time(one),
        traffic_charts.confidence_histogram(one),
        traffic_charts.above_and_below(one),
        traffic_charts.class_mix(one, {"bicycle": 3, "motorcycle": 2}),
        traffic_charts.feature_over_time(one, "brightness", None),
    ]


@pytest.mark.parametrize("n", [0, 1, 2, 400, 401, 100_000])
def test_every_chart_can_be_drawn_of_any_number_of_records_and_stays_small(n: int) -> None:
    for drawing in every(history(n)):
        text = svg(drawing)
        ElementTree.fromstring(text)
        assert "nan" not in text and "inf" not in text
        assert len(text) < 150_000
        assert all(-1 <= x <= drawing.width + 1 for x in _xs(drawing)), drawing.title


def _xs(drawing: Drawing) -> list[float]:
    found: list[float] = []
    for mark in drawing.marks:
        match mark:
            case Line():
                found += [x for x, _ in mark.points]
            case Dot():
                found.append(mark.centre[0])
            case Box():
                found += [mark.left, mark.left + mark.width]
            case Text():
                found.append(mark.x)
            case _:
                pass
    return found


@pytest.mark.parametrize("n", [1, 399, 5000])
def test_counts_in_the_charts_are_the_counts_of_the_records(n: int) -> None:
    one = history(n)
    for drawing in (traffic_charts.above_and_below(one), traffic_charts.confidence_histogram(one)):
        for role, expected in ((HELD, one.low.sum()), (ROUTED, (~one.low).sum())):
            assert sum(float(box.tip.split()[-1]) for box in boxes(drawing, role)) == expected


def test_few_records_are_dots_in_the_colour_of_their_decision() -> None:
    one = history(50)
    drawing = traffic_charts.confidence_over_time(one)
    dots = [mark for mark in drawing.marks if isinstance(mark, Dot)]
    assert len([dot for dot in dots if dot.role == HELD]) == one.low.sum() > 0
    assert len([dot for dot in dots if dot.role == ROUTED]) == (~one.low).sum()
    assert any(isinstance(mark, Text) and mark.text == "threshold 93%" for mark in drawing.marks)
    line = next(mark for mark in drawing.marks if isinstance(mark, Line) and mark.role == "ink" and mark.dash)
    assert all((dot.centre[1] <= line.points[0][1]) == (dot.role == ROUTED) for dot in dots), "above is routed"


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.93, 1.0])
def test_the_threshold_is_the_edge_of_a_bar_so_that_no_bar_has_two_colours(threshold: float) -> None:
    one = history(3000, threshold=threshold)
    drawing = traffic_charts.confidence_histogram(one)
    assert sum(float(box.tip.split()[-1]) for box in boxes(drawing, HELD)) == one.low.sum()
    assert not {box.left for box in boxes(drawing, HELD)} & {box.left for box in boxes(drawing, ROUTED)}


def test_many_classes_are_drawn_as_the_most_frequent_and_the_others() -> None:
    one = history(2000, classes=tuple(f"class{i}" for i in range(40)))
    named = [mark.text for mark in traffic_charts.class_mix(one, {}).marks if isinstance(mark, Text)]
    assert "all others" in named and sum(name.startswith("class") for name in named) == len(CLASS_ROLES)


def test_the_farthest_drift_is_first_and_beyond_the_limit_it_is_told_by_more_than_colour() -> None:
    drawing = traffic_charts.drift_per_feature([drift("width", 0.0), drift("brightness", 7.0), drift("contrast", 0.9)])
    names = [m for m in drawing.marks if isinstance(m, Text) and m.text in ("width", "brightness", "contrast")]
    assert [name.text for name in names] == ["brightness", "contrast", "width"]
    assert [name.bold for name in names] == [True, False, False]
    assert [len(boxes(drawing, HELD)), len(boxes(drawing, ROUTED))] == [1, 2]


def test_records_without_answers_or_pictures_leave_gaps_not_zeros() -> None:
    one = history(200)
    one.confidence[:] = np.nan
    one.predicted[:] = -1
    one.measured["brightness"][:100] = np.nan
    assert not boxes(traffic_charts.above_and_below(one), ROUTED) and not boxes(
        traffic_charts.class_mix(one, {}), CLASS_ROLES[0]
    )
    for drawing in every(one):
        assert "nan" not in svg(drawing)


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


def test_latency_is_drawn_when_it_is_known() -> None:
    known = Latency(NOON + 60.0 * np.arange(5), np.full(5, 8.0), np.full(5, 14.0))
    assert svg(traffic_charts.latency_over_time(known)).count("<polyline") > 2
    svg(traffic_charts.latency_over_time(Latency(np.empty(0), np.empty(0), np.empty(0))))


def test_a_chart_is_also_a_png_in_both_themes() -> None:
    drawing = traffic_charts.above_and_below(history(60))
    assert png(drawing).startswith(b"\x89PNG") and png(drawing) != png(drawing, "dark")


@pytest.mark.parametrize("seconds", [0, 1, 59, 600, 5 * 3600, 86400, 3 * 86400, 40 * 86400, 900 * 86400])
def test_times_have_few_round_ticks_inside_the_axis(seconds: float) -> None:
    axis = clock(NOON + 17, NOON + 17 + seconds)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 6 and all(axis.low <= tick <= axis.high for tick in ticks)
    assert len({axis.write(tick) for tick in ticks}) == len(ticks), "two ticks have the same text"


def test_stretches_of_time_hold_every_record_once() -> None:
    time = NOON + np.random.default_rng(0).random(5000) * 7000
    cut = stretches(time)
    assert cut.counts(np.ones(5000, bool)).sum() == 5000
    assert (cut.edges[cut.place] <= time).all() and (time <= cut.edges[cut.place + 1]).all()
    middle = cut.quantiles(time, (0.5,))[0]
    assert ((cut.edges[:-1] <= middle) & (middle <= cut.edges[1:])).all()

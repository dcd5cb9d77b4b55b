"""The dashboard's charts are made from what the report's drawings are made from; and how its pages word things."""

from __future__ import annotations

import numpy as np
import pytest
from capture_files import CLASSES

from monitoring.analysis.checks import Drift
from monitoring.watch.history import History
from scones.desk import figures, wording
from scones.reports import traffic_charts
from scones.reports.charts.axes import Axis
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.plots import Series, bars


def history(n: int) -> History:
    random = np.random.default_rng(1)
    return History(
        time=np.sort(random.uniform(0, 90_000, n)),
        confidence=random.uniform(0.5, 1, n),
        predicted=random.integers(0, 2, n),
        classes=CLASSES,
        measured={},
        pictures=0,
        threshold=0.93,
        lowest=(),
    )


def drawings() -> list[Drawing]:
    many = history(2000)
    drifts = [
        Drift(feature=name, method="Robust", distance=0.2, simple=0.3, p_value=p, threshold=0.05, severity=severity)
        for name, p, severity in (("contrast", None, 9.0), ("predicted_class", 0.2, 0.3))
    ]
    return [
        traffic_charts.confidence_over_time(many),
        traffic_charts.confidence_over_time(history(50)),
        traffic_charts.confidence_histogram(many),
        traffic_charts.above_and_below(many),
        traffic_charts.class_mix(many, {"bicycle": 6, "motorcycle": 4}),
        traffic_charts.drift_per_feature(drifts),
        bars("bars", Axis("x", 0, 2), Axis("y", 0, 3), [0, 1, 2], [("", "series1", [1, 3])]),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("drawing", drawings(), ids=lambda drawing: drawing.title)
def test_every_drawing_of_the_report_has_a_figure_with_the_same_numbers(drawing: Drawing, theme: str) -> None:
    figure = figures.of(drawing, "dark" if theme == "dark" else "light")
    assert drawing.source is not None
    given = drawing.source.given
    along = [trace.x if trace.orientation == "h" else trace.y for trace in figure.data]
    shown = {tuple(np.nan_to_num(np.array(values, float))) for values in along}
    if "layers" in given:
        wanted = [tuple(layer.values) for layer in given["layers"]]
    elif "series" in given:
        wanted = [tuple(np.nan_to_num(np.array(one.y, float))) for one in given["series"]]
    elif "rows" in given:
        wanted = [tuple(min(row.value, given["axis"].high) for row in given["rows"])]
    else:
        wanted = [tuple(values) for _, _, values in given["heights"]]
    assert set(wanted) <= shown
    assert figure.to_json()


def test_a_drawing_that_does_not_say_what_it_is_made_from_is_refused() -> None:
    with pytest.raises(ValueError, match="no figure for the drawing 'odd'"):
        figures.of(Drawing(10, 10, "odd"), "light")


def test_points_between_gaps_are_marked() -> None:
    gap = float("nan")
    axis = Axis("x", 0, 3)
    lonely = figures.lines("light", axis, axis, [Series("a", [0, 1, 2], [1, gap, 1], "series1")])
    joined = figures.lines("light", axis, axis, [Series("a", [0, 1, 2], [1, 1, 1], "series1")])
    assert (lonely.data[0].mode, joined.data[0].mode) == ("lines+markers", "lines")


def test_text_from_outside_stays_text() -> None:
    hostile = "![x](http://evil/)<b> `code` **bold** :material/home: $x$"
    shown = wording.plain(hostile)
    for character in "![]()<>`*:$":
        assert shown.count(character) == shown.count(f"\\{character}"), character


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (45, "45 seconds ago"), (60, "1 minute ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_ages_are_told_in_one_unit(seconds: float, words: str) -> None:
    assert wording.age(seconds) == words

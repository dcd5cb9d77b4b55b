"""Charts of an execution: what is in their traces, gaps, ranges, names from outside, and colours that can be read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from plotly.graph_objects import Figure

from scones.reports.charts import evaluation, layout, marks
from scones.reports.charts.evaluation import Share, Span
from scones.reports.charts.layout import Guide
from scones.reports.charts.marks import Interval
from scones.reports.charts.numbers import numbers
from scones.reports.charts.theme import COLOURS, ROLE, Theme, colour, paint, painted

HOSTILE = '<b onclick="x">&amp;%{x}</b><a href="javascript:alert(1)">'
SHOWN = "&lt;b"
CLASSES = ["bicycle", "bus", "motorcycle", "pickup_truck", "train"]


def class_of(value: float) -> dict[str, float]:
    return {
        f"{m}{e}": value + d for m in ("recall", "precision") for e, d in (("", 0), ("_low", -0.1), ("_high", 0.05))
    }


def every_chart(names: list[str]) -> dict[str, Figure]:
    k = len(names)
    curve = {"auc": 0.9, "false_positive_rates": [0.0, 0.2, 1.0], "true_positive_rates": [0.0, 0.8, 1.0]}
    bins = [
        {"low": low, "high": low + 0.1, "images": 5, "wrong": 1, "confidence": low + 0.05, "accuracy": 0.8}
        | {"accuracy_low": 0.5, "accuracy_high": 0.9}
        for low in (0.5, 0.6, 0.9)
    ]
    shares = [Share(names[0], Interval([0.9, None], [0.8, None], [1.0, None]), "series1")]
    return {
        "training": evaluation.training_curves([1, 2], [0.5, None], Interval([0.4, 0.6], [0.3, 0.5], [0.5, 0.7])),
        "matrix": evaluation.confusion_matrix(names, [[k if a == p else 1 for p in range(k)] for a in range(k)]),
        "classes": evaluation.per_class({name: class_of(0.9) for name in names}),
        "roc": evaluation.roc(names, dict.fromkeys(names, curve)),
        "reliability": evaluation.reliability(bins),
        "confidence": evaluation.confidence_of_answers(bins, 0.93),
        "threshold": evaluation.threshold_curve(
            [0.5, 0.9], shares, [Guide(names[0], x=0.6)], counts=["5 pictures", "0"]
        ),
        "durations": evaluation.durations([Span(name, 0, 31.4, "31.4 s") for name in names]),
    }


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", every_chart(CLASSES))
@pytest.mark.parametrize("names", [CLASSES, CLASSES[:2], [f"class_{i}" for i in range(100)]], ids=len)
def test_a_chart_takes_its_colours_from_the_theme_and_has_words_for_every_value(name: str, names: list[str]) -> None:
    figure = every_chart(names)[name]
    text = figure.to_json()
    assert "NaN" not in text and "Infinity" not in text
    for theme in ("light", "dark"):
        shown = painted(figure, theme)
        assert not [one for one in strings(shown.to_plotly_json()) if ROLE.fullmatch(one)]
        assert shown.layout.font.color == colour("muted", theme) and "template" not in shown.layout.to_plotly_json()
    for trace in figure.data:
        if trace.hoverinfo != "skip":
            assert len(trace.hovertext) == len(trace.text)
    assert numbers(figure).rows


@pytest.mark.parametrize("name", every_chart(CLASSES))
def test_names_from_outside_are_shown_letter_by_letter(name: str) -> None:
    figure = every_chart([HOSTILE, "bus"])[name]
    said = [one for one in strings(figure.to_plotly_json()) if "onclick" in one]
    assert bool(said) == (name not in {"training", "reliability", "confidence"})
    for one in said:
        assert "<" not in one.replace("<b>", "").replace("</b>", "").replace("<br>", "") and SHOWN in one
    for trace in figure.data:
        assert "onclick" not in json.dumps([trace.hovertemplate, getattr(trace, "texttemplate", "")]), (
            "%{x} would be filled in"
        )
    listed = numbers(figure)
    if name in {"matrix", "classes", "durations", "roc", "threshold"}:
        assert any(HOSTILE in cell for row in [listed.header, *listed.rows] for cell in row), (
            "the table escapes by itself"
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", [role for role in COLOURS if role not in {"page", "surface", "line", "grid"}])
def test_text_can_be_read_on_its_surface(role: str, theme: Theme) -> None:
    text, surface = luminance(colour(role, theme)), luminance(colour("surface", theme))
    least = 3 if role.startswith("series") else 4.5  # lines and large marks; texts (WCAG 2.1, 1.4.11 and 1.4.3)
    assert (max(text, surface) + 0.05) / (min(text, surface) + 0.05) >= least


def luminance(colour_: str) -> float:
    parts = [int(colour_[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_text_that_looks_like_a_role_is_painted_only_where_it_is_one() -> None:
    figure = Figure([{"type": "scatter", "name": f"a {paint('ink')}", "line": {"color": paint("ink")}}])
    shown = painted(figure, "dark").data[0]
    assert (shown.name, shown.line.color) == ("a var(--ink)", colour("ink", "dark"))


def test_a_missing_value_interrupts_line_and_band() -> None:
    values = [0.1, 0.2, math.nan, 0.4, None]
    band, line = marks.line(
        "a", [0, 1, 2, 3, 4], Interval(values, values, values), "series1", where=list("abcde"), write=str
    )
    assert line["y"] == [0.1, 0.2, None, 0.4, None]
    assert band["x"] == [0, 1, 1, 0, None, 3, 3, None], "an area for each stretch"
    assert band["fill"] == "toself"
    assert line["mode"] == "lines+markers", "a point between two gaps would not be seen"
    assert line["text"][2] == "" and line["text"][3] == "0.4 (0.4 to 0.4)"
    [joined] = marks.line("a", [0, 1], [1.0, 1.0], "series1", where=["", ""])
    assert joined["mode"] == "lines"


def test_a_range_of_equal_or_of_no_values_is_not_empty() -> None:
    for values in ([0.5, 0.5], [], [math.nan], [1.0], [0.0], [None]):
        low, high = layout.spanning(values)
        assert 0 <= low < high <= 1


def test_the_matrix_tells_right_from_wrong_by_sign_and_reads_like_a_page() -> None:
    figure = evaluation.confusion_matrix(CLASSES[:2], [[5, 0], [1, 4]])
    [trace] = figure.data
    assert trace.z[0][0] > 0 and trace.z[0][1] == 0 and trace.z[1][0] < 0
    assert trace.hovertext[1][0] == "1 of 5 bus pictures were called bicycle"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first class is on top"
    assert numbers(figure).rows == [["bicycle", "5", "0"], ["bus", "1", "4"]]


def test_names_that_look_like_numbers_or_dates_stay_names() -> None:
    figure = evaluation.confusion_matrix(["1", "2026-01-01"], [[1, 0], [0, 1]])
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("category", "category")


def test_of_many_classes_the_curves_with_the_least_area_are_drawn() -> None:
    curves = {
        f"c{i}": {"auc": 0.5 + i / 100, "false_positive_rates": [0, 1], "true_positive_rates": [0, 1]} for i in range(9)
    }
    shown = [trace.name for trace in evaluation.roc(list(curves), curves).data]
    assert shown == [f"c{i} {0.5 + i / 100:.3f}" for i in range(evaluation.MOST_ROC_CURVES)]


def test_a_step_that_took_no_time_is_still_seen_and_starts_where_it_started() -> None:
    figure = evaluation.durations([Span("A", 0, 0, "cached", "muted"), Span("B", 2, 10, "8.0 s")])
    [trace] = figure.data
    assert trace.base == (0, 2) and trace.x[0] > 0 and trace.x[1] == 8
    assert figure.layout.xaxis.range[1] > 10, "room for the last one's words"
    assert trace.text == ("cached", "8.0 s")


def test_estimates_have_their_intervals() -> None:
    [one, _] = evaluation.per_class({"bus": class_of(0.9)}).data
    assert (one.x[0], one.error_x.arrayminus[0], one.error_x.array[0]) == pytest.approx((0.9, 0.1, 0.05))
    assert one.text == ("90% (95% interval 80% to 95%); recall",)


def test_numbers_of_lines_over_the_same_places_stand_side_by_side() -> None:
    figure = every_chart(CLASSES)["training"]
    found = numbers(figure)
    assert found.header == ["", "training", "validation"]
    assert found.rows == [["epoch 1", "50%", "40% (30% to 50%)"], ["epoch 2", "", "60% (50% to 70%)"]]

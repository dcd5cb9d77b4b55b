"""The drawing of a pipeline's graph: where boxes stand, what they say, and that text stays text."""

from __future__ import annotations

from itertools import combinations
from typing import get_args
from xml.etree import ElementTree

import pytest

from scones.reports.charts.graph_layout import ABREAST, layout
from scones.reports.charts.pipeline_graph import ROLES, GraphStep, State, pipeline_graph
from scones.reports.charts.text_width import MOST_LINES, width, wrapped
from scones.reports.charts.theme import colour

HOSTILE = "</svg><script>alert(1)</script>\"'&"
WIDTH, HEIGHT = 200.0, 50.0


def placed(before: list[list[int]]) -> list[tuple[float, float]]:
    return [(one.x, one.y) for one in layout(before, [HEIGHT] * len(before), WIDTH).placed]


def test_a_step_stands_below_all_that_it_waits_for_and_no_box_covers_another() -> None:
    before = [[], [0], [0], [1, 2], [0], [3, 4], [], [5, 0]]
    boxes = placed(before)
    for box, starts in enumerate(before):
        assert all(boxes[start][1] + HEIGHT < boxes[box][1] for start in starts)
    for (x, y), (other, lower) in combinations(boxes, 2):
        assert abs(x - other) >= WIDTH or abs(y - lower) >= HEIGHT


def test_a_chain_is_one_column_and_two_branches_stand_beside_each_other() -> None:
    assert len({x for x, _ in placed([[], [0], [1], [2]])}) == 1
    (root, _), (left, upper), (right, lower) = placed([[], [0], [0]])
    assert left < root < right and upper == lower


def test_only_direct_dependencies_are_drawn() -> None:
    links = layout([[], [0], [0, 1]], [HEIGHT] * 3, WIDTH).links
    assert [(link.start, link.end) for link in links] == [(0, 1), (1, 2)]


def test_many_parallel_steps_stand_in_several_rows() -> None:
    boxes = placed([[], *([0] for _ in range(3 * ABREAST))])
    rows: dict[float, int] = {}
    for _, y in boxes:
        rows[y] = rows.get(y, 0) + 1
    assert list(rows.values()) == [1, ABREAST, ABREAST, ABREAST]


def test_an_arrow_goes_around_the_boxes_between() -> None:
    before = [[], [0], [1], [], [0, 3]]
    found = layout(before, [HEIGHT] * 5, WIDTH)
    for link in found.links:
        for x, y in link.points[1:-1]:
            assert not any(abs(x - box.x) < WIDTH / 2 and box.y <= y <= box.y + HEIGHT for box in found.placed)


def test_a_circle_is_drawn_without_the_arrow_that_closes_it() -> None:
    assert len(layout([[2], [0], [1]], [HEIGHT] * 3, WIDTH).links) == 2
    assert layout([[0]], [HEIGHT], WIDTH).links == []


def test_no_steps_are_a_drawing_of_nothing() -> None:
    assert ElementTree.fromstring(pipeline_graph([])).get("aria-label") == "Graph of 0 steps: "


@pytest.mark.parametrize("theme", ["light", "dark", None])
@pytest.mark.parametrize("state", get_args(State))
def test_each_state_has_a_sign_and_its_colour(state: State, theme: str | None) -> None:
    drawn = pipeline_graph([GraphStep("Train", "Training", state)], theme)  # type: ignore[arg-type]
    ElementTree.fromstring(drawn)
    assert f"pipeline-graph-{state.replace(' ', '-')}" in drawn
    tint = colour(ROLES[state], theme) if theme else f"var(--{ROLES[state]})"  # type: ignore[arg-type]
    assert tint in drawn and f"Train, Training, {state}" in drawn


def test_all_text_is_escaped() -> None:
    step = GraphStep(HOSTILE, HOSTILE, "failed", note=HOSTILE, address=f"?step={HOSTILE}")
    inner = GraphStep("b", "Fail", "not taken", (HOSTILE,), within=HOSTILE, branch=HOSTILE)
    tree = ElementTree.fromstring(pipeline_graph([step, inner], "dark"))
    tags = {one.tag.rpartition("}")[2] for one in tree.iter()}
    assert tags == {"svg", "a", "g", "title", "rect", "path", "text", "circle"}
    [link] = [one for one in tree.iter() if one.tag.endswith("}a")]
    assert link.get("data-step") == HOSTILE and link.get("href") == f"?step={HOSTILE}"


def test_a_branch_is_named_at_its_arrow_and_what_is_chosen_is_told() -> None:
    steps = [
        GraphStep("Good", "Condition", "succeeded", note="yes"),
        GraphStep("Register", "RegisterModel", "running", ("Good",), "Good", "yes", address="?a", is_selected=True),
        GraphStep("Fail", "Fail", "not taken", ("Good",), "Good", "no", address="?b"),
    ]
    tree = ElementTree.fromstring(pipeline_graph(steps, "light"))
    texts = [one.text for one in tree.iter() if one.tag.endswith("}text")]
    assert {"yes", "no"} <= set(texts)
    assert [one.get("aria-current") for one in tree.iter() if one.tag.endswith("}a")] == ["true", None]
    assert tree.get("role") == "group"


@pytest.mark.parametrize(
    "name", ["Train", "preprocess-all-of-the-pictures-and-more-of-them-0123456789-abc", "W" * 80, "字" * 64]
)
def test_a_long_name_takes_two_lines_at_most_and_keeps_both_ends(name: str) -> None:
    lines = wrapped(name, 150, 13)
    assert len(lines) <= MOST_LINES and all(width(line, 13) <= 150 for line in lines)
    whole = "".join(lines)
    assert whole[:4] == name[:4] and whole[-3:] == name[-3:]

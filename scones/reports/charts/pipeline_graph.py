"""A pipeline's graph as SVG: a box for each step with its type and state, an arrow for each direct dependency.

Layers from top to bottom as in Studio (K. Sugiyama et al., "Methods for Visual Understanding of Hierarchical System
Structures", 1981): a step is below all that it waits for, the order inside a layer follows the neighbours, and places
are fitted by least squares. Graphviz would need a program beside Python, and reports are drawn anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from scones.reports.charts.graph_layout import Link, Placed, layout
from scones.reports.charts.text_width import wrapped
from scones.reports.charts.theme import FONT, Role, Theme, colour, paint

State = Literal["waiting", "running", "succeeded", "cached", "failed", "stopped", "not taken", "not reached"]

ROLES: dict[State, Role] = {
    "waiting": "muted",
    "running": "series1",
    "succeeded": "good",
    "cached": "series4",
    "failed": "bad",
    "stopped": "warn",
    "not taken": "muted",
    "not reached": "muted",
}
SIGNS: dict[State, str] = {
    # in a circle of radius 8 around 0,0
    "waiting": "M-3.5 0h.01M0 0h.01M3.5 0h.01",
    "running": "M-2-3.6L3.6 0L-2 3.6Z",
    "succeeded": "M-3.6 .3L-1 2.9L3.8-2.6",
    "cached": "M1.4-4.4L-2.8 .8H0L-1.2 4.4L2.9-1H0Z",
    "failed": "M-2.9-2.9L2.9 2.9M2.9-2.9L-2.9 2.9",
    "stopped": "M-2.7-2.7H2.7V2.7H-2.7Z",
    "not taken": "M-3.4 0H3.4",
    "not reached": "M-3.4 0H3.4",
}
PALE: frozenset[State] = frozenset({"waiting", "not taken", "not reached"})
"""States of what did not run: dashed, without colour."""

WIDTH, LINE, PADDING, SIGN = 208.0, 17.0, 11.0, 28.0
NAME_SIZE, NOTE_SIZE = 13.0, 11.5
MARGIN = 6.0
WIDTH_OF = re.compile(r'<svg [^>]*? width="(\d+)"')


@dataclass(frozen=True)
class GraphStep:
    """One step of a pipeline.

    Attributes:
        after: names of the steps that it waits for, all or only the direct ones.
        within, branch: the condition step in whose branch it stands, and which one: "yes" or "no".
        note: shown below the name, after the type: how long it took, a condition's outcome.
        address: where a click on it leads; without one it is no link.
    """

    name: str
    type: str
    state: State
    after: tuple[str, ...] = ()
    within: str | None = None
    branch: str | None = None
    note: str = ""
    address: str = ""
    is_selected: bool = False


def pipeline_graph(steps: Sequence[GraphStep], theme: Theme | None = None) -> str:
    """The graph as one `<svg>` of its own size in pixels; all text is escaped.

    Without a theme its colours are the page's CSS variables (`--ink`, …), which reports have.
    """
    names = [wrapped(step.name, WIDTH - 2 * PADDING - SIGN, NAME_SIZE) for step in steps]
    notes = [wrapped(_note(step), WIDTH - 2 * PADDING, NOTE_SIZE) for step in steps]
    heights = [2 * PADDING + LINE * len(name) + LINE * len(note) for name, note in zip(names, notes, strict=True)]
    places = {step.name: index for index, step in enumerate(steps)}
    before = [
        [places[name] for name in dict.fromkeys((*step.after, *filter(None, [step.within]))) if name in places]
        for step in steps
    ]
    drawn = layout(before, heights, WIDTH)
    paints = _Paints(theme)
    parts = [
        *(part for link in drawn.links for part in _link(link, steps, paints)),
        *(
            part
            for step, name, note, placed in zip(steps, names, notes, drawn.placed, strict=True)
            for part in _box(step, name, note, placed, paints)
        ),
    ]
    width, height = drawn.width + 2 * MARGIN, drawn.height + 2 * MARGIN
    role = "group" if any(step.address for step in steps) else "img"
    label = f"Graph of {len(steps)} steps: " + "; ".join(_words(step) for step in steps)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipeline-graph" role="{role}" aria-label="{escape(label)}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="{-MARGIN:g} {-MARGIN:g} {width:.0f} {height:.0f}" '
        f'font-family="{escape(FONT)}">{"".join(parts)}</svg>'
    )


def graph_width(drawn: str) -> float:
    """The width of a drawn graph, in pixels."""
    found = WIDTH_OF.search(drawn)
    return float(found[1]) if found else 0.0


class _Paints:
    """A role's colour, in a theme or as the page's own."""

    def __init__(self, theme: Theme | None) -> None:
        self._theme = theme

    def __call__(self, role: Role) -> str:
        return colour(role, self._theme) if self._theme else paint(role)


def _note(step: GraphStep) -> str:
    return " · ".join(filter(None, [step.type, step.note or step.state]))


def _words(step: GraphStep) -> str:
    said = ", ".join(filter(None, [step.name, step.type, step.state, step.note if step.note != step.state else ""]))
    return f"{said}, if {step.within}: {step.branch}" if step.within and step.branch else said


def _box(step: GraphStep, name: list[str], note: list[str], placed: Placed, paints: _Paints) -> Iterator[str]:
    is_pale = step.state in PALE
    state = paints(ROLES[step.state])
    text, line = paints("muted" if is_pale else "ink"), paints("line")
    edge = paints("series1") if step.is_selected else line
    label = escape(_words(step))
    x, y, height = placed.x - WIDTH / 2, placed.y, placed.height
    if step.address:
        current = ' aria-current="true"' if step.is_selected else ""
        yield f'<a href="{escape(step.address)}" data-step="{escape(step.name)}" aria-label="{label}"{current}>'
    else:
        yield "<g>"
    yield f"<title>{label}</title>"
    yield (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{WIDTH:g}" height="{height:g}" rx="8" fill="{paints("surface")}" '
        f'stroke="{edge}" stroke-width="{2.5 if step.is_selected else 1.2}"'
        + (' stroke-dasharray="5 4"' if is_pale and not step.is_selected else "")
        + "/>"
    )
    if not is_pale:
        yield (
            f'<path d="M{x + 1.2:.1f} {y + 9:.1f}v{height - 18:g}" stroke="{state}" '
            'stroke-width="3.5" stroke-linecap="round"/>'
        )
    for number, words in enumerate([*name, *note]):
        is_name = number < len(name)
        look = (
            f'font-size="{NAME_SIZE:g}" font-weight="600" fill="{text}"'
            if is_name
            else f'font-size="{NOTE_SIZE:g}" fill="{paints("muted") if is_pale or step.state == "waiting" else state}"'
        )
        yield f'<text x="{x + PADDING:.1f}" y="{y + PADDING + 12 + LINE * number:.1f}" {look}>{escape(words)}</text>'
    yield _sign(step.state, x + WIDTH - PADDING - 8, y + PADDING + 8, state, paints)
    yield "</a>" if step.address else "</g>"


def _sign(state: State, x: float, y: float, tint: str, paints: _Paints) -> str:
    """What tells the state to who does not see colours."""
    is_pale = state in PALE
    disc = f'fill="none" stroke="{tint}" stroke-width="1.2"' if is_pale else f'fill="{tint}"'
    ink = tint if is_pale else paints("surface")
    inside = ink if state in ("running", "cached", "stopped") else "none"
    return (
        f'<g class="pipeline-graph-{state.replace(" ", "-")}" transform="translate({x:.1f} {y:.1f})">'
        f'<circle r="8" {disc}/><path d="{SIGNS[state]}" fill="{inside}" stroke="{ink}" stroke-width="1.7" '
        'stroke-linecap="round" stroke-linejoin="round"/></g>'
    )


def _link(link: Link, steps: Sequence[GraphStep], paints: _Paints) -> Iterator[str]:
    """An arrow; a branch's says which it is, and is dashed where nothing went along."""
    upper, lower = steps[link.start], steps[link.end]
    went = lower.state not in ("not taken", "not reached") and upper.state != "not taken"
    tint = paints("muted" if went else "line")
    (x, y), *rest = link.points
    way = f"M{x:.1f} {y:.1f}"
    for left, top in rest:
        middle = (y + top) / 2
        way += f"C{x:.1f} {middle:.1f} {left:.1f} {middle:.1f} {left:.1f} {top:.1f}"
        x, y = left, top
    dashes = "" if went else ' stroke-dasharray="4 4"'
    yield f'<path d="{way}" fill="none" stroke="{tint}" stroke-width="1.4"{dashes}/>'
    yield f'<path d="M{x - 4:.1f} {y - 6:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 6:.1f}Z" fill="{tint}"/>'
    if lower.branch and lower.within == upper.name:
        yield (
            f'<text x="{x + 8:.1f}" y="{y - 6:.1f}" font-size="{NOTE_SIZE:g}" font-weight="600" '
            f'fill="{paints("ink" if went else "muted")}">{escape(lower.branch)}</text>'
        )

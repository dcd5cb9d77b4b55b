"""Where the boxes and arrows of a directed graph stand: layers from top to bottom, numbers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

ABREAST = 4
"""Boxes beside each other at most; more begin a layer of their own, so that a page's width is enough."""
GAP, LANE, RISE = 24.0, 12.0, 44.0
"""Pixels between boxes, between arrows that pass a layer, and between layers."""
SWEEPS = 6


@dataclass(frozen=True)
class Placed:
    """A box: `x` of its middle, `y` of its upper edge, its height."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Link:
    """An arrow from box `start` to box `end` through points (x, y)."""

    start: int
    end: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """Boxes in the order that was given, arrows, and the size of all."""

    placed: list[Placed]
    links: list[Link]
    width: float
    height: float


@dataclass
class _Spot:
    """A place in a layer: a box, or (`box` is None) where an arrow passes. Neighbours by number of spot."""

    box: int | None
    layer: int
    above: list[int]
    below: list[int]
    x: float = 0.0


def layout(before: Sequence[Iterable[int]], heights: Sequence[float], width: float) -> Layout:
    """Place boxes of one width; `before` names for each those that it comes after. A circle is cut where it closes."""
    waits = _direct(before)
    layers_of = _layers(waits)
    spots = [_Spot(box, layer, [], []) for box, layer in enumerate(layers_of)]
    routes = _routes(waits, layers_of, spots)
    rows = _ordered(spots)
    _spread(rows, spots, width)
    left = min((spot.x - _half(spot, width) for spot in spots), default=0.0) + GAP / 2
    right = max((spot.x + _half(spot, width) for spot in spots), default=GAP) - GAP / 2
    tops, top = [], 0.0
    talls = [max((heights[s] for s in row if spots[s].box is not None), default=0.0) for row in rows]
    for tall in talls:
        tops.append(top)
        top += tall + RISE
    placed = [
        Placed(spots[box].x - left, tops[layer] + (talls[layer] - heights[box]) / 2, heights[box])
        for box, layer in enumerate(layers_of)
    ]
    links = []
    for start, end, route in routes:
        points = [(placed[start].x, placed[start].y + placed[start].height)]
        for number in route[1:-1]:
            layer = spots[number].layer
            points += [(spots[number].x - left, tops[layer]), (spots[number].x - left, tops[layer] + talls[layer])]
        links.append(Link(start, end, (*points, (placed[end].x, placed[end].y))))
    return Layout(placed, links, right - left, max(top - RISE, 0.0))


def _routes(waits: list[list[int]], layers_of: list[int], spots: list[_Spot]) -> list[tuple[int, int, list[int]]]:
    """For each arrow its start, its end and all spots on its way; adds the spots where it passes layers to `spots`.

    Arrows of one start pass together, and otherwise those to one end.
    """
    leave = Counter(start for starts in waits for start in starts)
    lanes: dict[tuple[str, int, int], int] = {}
    routes = []
    for end, starts in enumerate(waits):
        for start in starts:
            bundle = ("from", start) if leave[start] > 1 else ("to", end)
            route = [start]
            for layer in range(layers_of[start] + 1, layers_of[end]):
                if (*bundle, layer) not in lanes:
                    lanes[(*bundle, layer)] = len(spots)
                    spots.append(_Spot(None, layer, [], []))
                route.append(lanes[(*bundle, layer)])
            route.append(end)
            for upper, lower in pairwise(route):
                if lower not in spots[upper].below:
                    spots[upper].below.append(lower)
                    spots[lower].above.append(upper)
            routes.append((start, end, route))
    return routes


def _direct(before: Sequence[Iterable[int]]) -> list[list[int]]:
    """Without what others of the same box come after anyway, and without arrows that close a circle."""
    found: list[list[int]] = [[] for _ in before]
    reaches: list[set[int]] = [set() for _ in before]
    done: set[int] = set()
    for first in range(len(before)):
        stack = [(first, iter(before[first]))]
        on_way = {first} - done
        while stack and first not in done:
            box, left = stack[-1]
            other = next(left, None)
            if other is None:
                found[box] = [o for o in dict.fromkeys(found[box]) if not any(o in reaches[p] for p in found[box])]
                reaches[box] = {*found[box], *(far for o in found[box] for far in reaches[o])}
                done.add(box)
                on_way.discard(box)
                stack.pop()
            elif other not in on_way:
                found[box].append(other)
                if other not in done:
                    on_way.add(other)
                    stack.append((other, iter(before[other])))
    return found


def _layers(waits: list[list[int]]) -> list[int]:
    """Each box's layer: below all that it comes after, in the first that has room."""
    layers = [-1] * len(waits)
    taken: dict[int, int] = {}
    left = list(range(len(waits)))
    while left:
        ready = next(box for box in left if all(layers[other] >= 0 for other in waits[box]))
        layer = 1 + max((layers[other] for other in waits[ready]), default=-1)
        while taken.get(layer, 0) >= ABREAST:
            layer += 1
        layers[ready] = layer
        taken[layer] = taken.get(layer, 0) + 1
        left.remove(ready)
    return layers


def _ordered(spots: list[_Spot]) -> list[list[int]]:
    """The spots of every layer from left to right: near the middle of their neighbours, with few crossings."""
    rows: list[list[int]] = [[] for _ in range(1 + max((spot.layer for spot in spots), default=-1))]
    for number, spot in enumerate(spots):
        rows[spot.layer].append(number)
    best, fewest = [list(row) for row in rows], _crossings(rows, spots)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        place = {number: index for row in rows for index, number in enumerate(row)}
        for row in rows if down else reversed(rows):
            wish = {}
            for number in row:
                near = spots[number].above if down else spots[number].below
                wish[number] = sum(place[other] for other in near) / len(near) if near else place[number]
            row.sort(key=wish.__getitem__)
            place |= {number: index for index, number in enumerate(row)}
        found = _crossings(rows, spots)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _crossings(rows: list[list[int]], spots: list[_Spot]) -> int:
    place = {number: index for row in rows for index, number in enumerate(row)}
    number_of = 0
    for row in rows:
        arrows = [(place[upper], place[lower]) for upper in row for lower in spots[upper].below]
        number_of += sum((a - c) * (b - d) < 0 for index, (a, b) in enumerate(arrows) for c, d in arrows[index + 1 :])
    return number_of


def _half(spot: _Spot, width: float) -> float:
    """Half of the room that a spot takes, with its share of the gap to the next."""
    return (LANE if spot.box is None else width + GAP) / 2


def _spread(rows: list[list[int]], spots: list[_Spot], width: float) -> None:
    """Give every spot its x: as near to the mean of its neighbours as the ones beside it allow."""
    for row in rows:
        _place(row, [0.0] * len(row), spots, width)
    for sweep in range(2 * SWEEPS + 1):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wishes = []
            for number in row:
                spot = spots[number]
                near = spot.above if down else spot.below
                if near:
                    wishes.append(sum(spots[other].x for other in near) / len(near))
                else:  # alone, it stands beside the one before it
                    wishes.append(spot.x if spot.above or spot.below or not wishes else wishes[-1])
            _place(row, wishes, spots, width)


def _place(row: list[int], wishes: list[float], spots: list[_Spot], width: float) -> None:
    """Least squares to the wishes with the gaps kept: isotonic regression by pooling adjacent violators."""
    offsets, offset = [], 0.0
    for index, number in enumerate(row):
        if index:
            offset += _half(spots[row[index - 1]], width) + _half(spots[number], width)
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    levels = [mean for mean, size in blocks for _ in range(size)]
    for number, level, offset in zip(row, levels, offsets, strict=True):
        spots[number].x = level + offset

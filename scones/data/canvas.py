"""Drawing many small pictures at once: shapes as signed distances, painted with soft edges.

A distance is float32 (n, 32, 32): below zero inside the shape, in the units of the object's own frame. Only operations
that IEEE 754 rounds exactly touch the pixels, and randomness comes from PCG64's plain doubles, so that a seed gives the
same picture with every numpy and on every processor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 32
Field = NDArray[np.float32]
"""(n, 32, 32) over the pixels, or (n, 1, 1) for one number per picture."""


class Dice:
    """Random numbers for `n` pictures, one (n, 1, 1) field at a time."""

    def __init__(self, seed: list[int], n: int) -> None:
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.n = n

    def between(self, low: float, high: float) -> Field:
        """Uniform from `low` to `high`."""
        return (low + (high - low) * self.random.random((self.n, 1, 1))).astype(np.float32)

    def chance(self, share: float) -> Field:
        """1 with probability `share`, otherwise 0."""
        return (self.random.random((self.n, 1, 1)) < share).astype(np.float32)

    def colour(self, low: float = 0.0, high: float = 1.0) -> Field:
        """Red, green and blue, (n, 3, 1, 1)."""
        return (low + (high - low) * self.random.random((self.n, 3, 1, 1))).astype(np.float32)

    def grey(self, low: float, high: float) -> Field:
        """A grey, nearly: (n, 3, 1, 1)."""
        return self.between(low, high)[:, None] + self.colour(-0.03, 0.03)

    def texture(self, cells: int, amount: float) -> Field:
        """Blotches (n, 3, 32, 32) between -`amount` and `amount`, interpolated from `cells` x `cells` random values."""
        coarse = (amount * (2 * self.random.random((self.n, 3, cells + 1, cells + 1)) - 1)).astype(np.float32)
        at = np.arange(SIDE, dtype=np.float32) * np.float32(cells / SIDE)
        low = at.astype(int)
        part = at - low
        rows = coarse[:, :, low] * (1 - part)[:, None] + coarse[:, :, low + 1] * part[:, None]
        blotches: Field = rows[..., low] * (1 - part) + rows[..., low + 1] * part
        return blotches

    def noise(self, amount: Field) -> Field:
        """Independent noise for every pixel and colour, triangular between -`amount` and `amount`: (n, 3, 32, 32)."""
        shape = (self.n, 3, SIDE, SIDE)
        drawn = self.random.random(shape, dtype=np.float32) - self.random.random(shape, dtype=np.float32)
        return drawn * amount[:, None]


class Canvas:
    """`n` pictures float32 (n, 3, 32, 32) from 0 to 1, and the frame of the object that is being drawn on each.

    In its frame the object is centred at (0, 0), x points to its front and y down.
    """

    def __init__(self, pictures: Field) -> None:
        self.pictures = pictures
        self.place(*(np.full((len(pictures), 1, 1), v, np.float32) for v in (15.5, 15.5, 10.0, 1.0, 0.0)))

    def place(self, centre_x: Field, centre_y: Field, unit: Field, squeeze: Field, turn: Field) -> None:
        """Put the object's frame: centre and unit in pixels, `squeeze` of its length (below 0: faces left), radians."""
        cos, sin = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
        column = np.arange(SIDE, dtype=np.float32)[None, None, :] - centre_x
        row = np.arange(SIDE, dtype=np.float32)[None, :, None] - centre_y
        self.x = (column * cos + row * sin) / (unit * squeeze)
        self.y = (row * cos - column * sin) / unit
        self.unit = unit * (0.5 + 0.5 * np.abs(squeeze))

    def line(
        self, ax: Field | float, ay: Field | float, bx: Field | float, by: Field | float, w: Field | float
    ) -> Field:
        """A line from a to b with round ends, `w` wide to each side."""
        dx, dy = np.float32(bx - ax), np.float32(by - ay)
        px, py = self.x - np.float32(ax), self.y - np.float32(ay)
        along = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
        px -= along * dx
        py -= along * dy
        distance: Field = np.sqrt(px * px + py * py) - np.float32(w)
        return distance

    def disc(self, cx: Field | float, cy: Field | float, r: Field | float) -> Field:
        """A disc of radius `r`."""
        px, py = self.x - np.float32(cx), self.y - np.float32(cy)
        distance: Field = np.sqrt(px * px + py * py) - np.float32(r)
        return distance

    def ring(self, cx: Field | float, cy: Field | float, r: Field | float, w: Field | float) -> Field:
        """A ring of radius `r`, `w` wide to each side."""
        return np.abs(self.disc(cx, cy, r)) - np.float32(w)

    def box(
        self, cx: Field | float, cy: Field | float, half_x: Field | float, half_y: Field | float, r: float = 0.05
    ) -> Field:
        """A box with corners rounded by `r`."""
        px = np.abs(self.x - np.float32(cx)) - (np.float32(half_x) - np.float32(r))
        py = np.abs(self.y - np.float32(cy)) - (np.float32(half_y) - np.float32(r))
        ox, oy = np.maximum(px, 0), np.maximum(py, 0)
        distance: Field = np.sqrt(ox * ox + oy * oy) + np.minimum(np.maximum(px, py), 0) - np.float32(r)
        return distance

    def paint(self, distance: Field, colour: Field, opacity: Field | float = 1.0) -> None:
        """Lay `colour` (n, 3, 1, 1) over the pictures where `distance` is below zero, half a pixel soft."""
        cover = np.clip(np.float32(0.5) - distance * self.unit, 0, 1) * np.float32(opacity)
        self.pictures += (colour - self.pictures) * cover[:, None]


def union(*distances: Field) -> Field:
    """The shape that covers all of `distances`."""
    whole = distances[0]
    for distance in distances[1:]:
        whole = np.minimum(whole, distance)
    return whole

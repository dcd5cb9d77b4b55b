"""What the sample's pictures show. A drawing takes a placed canvas and dice, and paints one object on every picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scones.data.canvas import Canvas, Dice, Field, union

Drawing = Callable[[Canvas, Dice], None]


def bicycle(canvas: Canvas, dice: Dice) -> None:
    """Thin wheels, a frame of tubes. A few carry bags or thick tyres and could pass for a moped."""
    two_wheeler(canvas, dice, 0.5 - _away_from_the_middle(dice))


def motorcycle(canvas: Canvas, dice: Dice) -> None:
    """Thick wheels, engine, tank and exhaust. A few are so thin that they could pass for a bicycle."""
    two_wheeler(canvas, dice, 0.5 + _away_from_the_middle(dice))


def _away_from_the_middle(dice: Dice) -> Field:
    """How clearly a two-wheeler is what it is: mostly 0.25 to 0.5; for one in ten between 0, hopeless, and 0.15."""
    unclear = dice.chance(0.10)
    return unclear * dice.between(-0.02, 0.15) + (1 - unclear) * dice.between(0.2, 0.5)


def two_wheeler(canvas: Canvas, dice: Dice, motor: Field) -> None:
    """Everything from a racing bicycle (`motor` 0) to a heavy motorcycle (`motor` 1); hubs at (-1, 0) and (1, 0)."""

    def grows(low: float, high: float, spread: float = 0.12) -> Field:
        size: Field = np.float32(low) + np.float32(high - low) * np.clip(motor + dice.between(-spread, spread), 0, 1)
        return size

    tyre, frame = dice.grey(0.02, 0.28), dice.colour(0.0, 0.9)
    metal, dark = dice.grey(0.3, 0.8), dice.grey(0.02, 0.3)
    radius, thick = grows(0.72, 0.6), grows(0.035, 0.17)
    tube = grows(0.04, 0.08)
    saddle_y = grows(-0.9, -0.62)
    rider = dice.chance(0.25)

    canvas.paint(union(canvas.disc(-1, 0, radius), canvas.disc(1, 0, radius)), metal, grows(0.0, 0.45))
    canvas.paint(union(canvas.ring(-1, 0, radius, thick), canvas.ring(1, 0, radius, thick)), tyre)
    canvas.paint(union(canvas.disc(-1, 0, grows(0.08, 0.2)), canvas.disc(1, 0, grows(0.08, 0.2))), metal)

    fork = union(
        canvas.line(0.64, -0.62, 1, 0, tube),
        canvas.line(0.56, -0.72, 0.62, -0.98, tube),
        canvas.line(0.42, -1.0, 0.74, -1.0, tube),
    )
    diamond = union(
        canvas.line(-1, 0, -0.15, 0.1, tube),
        canvas.line(-1, 0, -0.4, -0.62, tube),
        canvas.line(-0.15, 0.1, -0.42, saddle_y, tube),
        canvas.line(-0.15, 0.1, 0.64, -0.6, tube),
        canvas.line(-0.4, -0.62, 0.6, -0.7, tube),
    )
    canvas.paint(union(fork, diamond), frame)
    canvas.paint(canvas.disc(-0.15, 0.1, 0.15), dark)

    mass = grows(0.0, 1.0) * np.float32(1.25) - np.float32(0.25)  # of engine, tank and bench; below zero: none
    canvas.paint(canvas.box(0.0, -0.02, mass * 0.42, mass * 0.36), dark)
    canvas.paint(canvas.line(-0.05, 0.3, -1.1, 0.24, mass * 0.1), metal)
    canvas.paint(canvas.box(0.2, -0.5, mass * 0.46, mass * 0.22, 0.02), frame)
    canvas.paint(canvas.box(-0.55, -0.5, mass * 0.6, mass * 0.14, 0.02), dark)
    canvas.paint(canvas.disc(0.78, -0.62, mass * 0.17), metal)
    bench = grows(0.14, 0.3)
    canvas.paint(canvas.line(-0.42 - bench, saddle_y, -0.42 + bench, saddle_y, grows(0.05, 0.1)), dark)

    bag = dice.chance(0.12)
    canvas.paint(canvas.box(0.05, -0.3, 0.34, 0.22), dice.colour(0.0, 0.7), bag)
    _rider(canvas, dice, rider)


def _rider(canvas: Canvas, dice: Dice, present: Field) -> None:
    clothes, skin, trousers = dice.colour(0.0, 0.9), dice.grey(0.45, 0.75), dice.colour(0.0, 0.4)
    canvas.paint(
        union(canvas.line(-0.4, -0.9, 0.1, -0.5, 0.12), canvas.line(0.1, -0.5, -0.1, 0.1, 0.1)), trousers, present
    )
    canvas.paint(
        union(canvas.line(-0.38, -0.95, -0.1, -1.5, 0.19), canvas.line(-0.1, -1.4, 0.5, -1.0, 0.08)), clothes, present
    )
    canvas.paint(canvas.disc(0.0, -1.85, 0.2), skin, present)


def bus(canvas: Canvas, dice: Dice) -> None:
    """A long box with a row of windows and two wheels."""
    body, glass, tyre = dice.colour(0.2, 1.0), dice.grey(0.1, 0.45), dice.grey(0.02, 0.15)
    height = dice.between(0.62, 0.9)
    canvas.paint(canvas.box(0, -0.1, 1.55, height, 0.12), body)
    for x in (-1.2, -0.68, -0.16, 0.36, 0.88):
        canvas.paint(canvas.box(x, -0.1 - height * np.float32(0.4), 0.2, height * np.float32(0.3)), glass)
    canvas.paint(canvas.box(1.36, -0.1 - height * np.float32(0.3), 0.14, height * np.float32(0.45)), glass)
    canvas.paint(canvas.box(0, height * np.float32(0.35), 1.5, 0.06), dice.colour())
    canvas.paint(union(canvas.disc(-0.9, height - 0.1, 0.26), canvas.disc(0.9, height - 0.1, 0.26)), tyre)


def pickup_truck(canvas: Canvas, dice: Dice) -> None:
    """Bonnet, cab, open bed, two wheels."""
    body, glass, tyre = dice.colour(0.1, 1.0), dice.grey(0.15, 0.5), dice.grey(0.02, 0.15)
    canvas.paint(canvas.box(0, 0.12, 1.55, 0.3, 0.08), body)
    canvas.paint(canvas.box(0.2, -0.35, dice.between(0.4, 0.6), 0.36, 0.12), body)
    canvas.paint(union(canvas.box(0.38, -0.36, 0.18, 0.2), canvas.box(-0.02, -0.36, 0.16, 0.2)), glass)
    canvas.paint(canvas.box(-0.98, -0.12, 0.5, 0.06), dice.grey(0.05, 0.3))
    canvas.paint(union(canvas.disc(-0.95, 0.42, 0.32), canvas.disc(0.95, 0.42, 0.32)), tyre)
    canvas.paint(union(canvas.disc(-0.95, 0.42, 0.13), canvas.disc(0.95, 0.42, 0.13)), dice.grey(0.5, 0.8))


def train(canvas: Canvas, dice: Dice) -> None:
    """Carriages that leave the picture, on a track."""
    body, stripe, glass = dice.colour(0.1, 0.9), dice.colour(), dice.grey(0.05, 0.4)
    canvas.paint(union(canvas.line(-4, 0.75, 4, 0.75, 0.05), canvas.line(-4, 0.95, 4, 0.95, 0.05)), dice.grey(0.2, 0.5))
    canvas.paint(canvas.box(-1.2, 0.05, 2.4, 0.6, 0.25), body)
    canvas.paint(canvas.box(-1.3, 0.28, 2.3, 0.08), stripe)
    for x in (-2.0, -1.4, -0.8, -0.2, 0.35):
        canvas.paint(canvas.box(x, -0.16, 0.22, 0.18), glass)
    canvas.paint(canvas.box(0.92, -0.16, 0.16, 0.24), glass)


def apple(canvas: Canvas, dice: Dice) -> None:
    """A round fruit with a stem."""
    skin = dice.colour(0.0, 0.25)
    skin[:, :1] += dice.between(0.5, 0.75)[:, None]
    skin[:, 1:2] += (dice.chance(0.35) * dice.between(0.3, 0.6))[:, None]
    canvas.paint(union(canvas.disc(-0.28, 0, 0.85), canvas.disc(0.28, 0, 0.85)), skin)
    canvas.paint(canvas.disc(-0.4, -0.35, 0.2), skin + np.float32(0.25))
    canvas.paint(canvas.line(0, -0.75, dice.between(-0.1, 0.3), -1.2, 0.07), dice.grey(0.1, 0.3))


def anything(canvas: Canvas, dice: Dice) -> None:
    """Something that no class asks for: a blob and a box, to fill the classes that the sample does not draw."""
    canvas.paint(canvas.disc(0, 0, dice.between(0.5, 1.1)), dice.colour())
    canvas.paint(
        canvas.box(dice.between(-0.6, 0.6), 0.2, dice.between(0.2, 0.9), dice.between(0.2, 0.9)), dice.colour()
    )


DRAWN: dict[str, Drawing] = {
    "apple": apple,
    "bicycle": bicycle,
    "bus": bus,
    "motorcycle": motorcycle,
    "pickup_truck": pickup_truck,
    "train": train,
}

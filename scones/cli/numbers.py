"""The type of every option that takes a number with a fraction."""

from __future__ import annotations

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number within bounds, and never NaN or infinity.

    click.FloatRange compares with its bounds, and NaN is on neither side of one: `--max-drop-from-live nan` would
    switch the comparison off without a word.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`value` as a finite number of the range; a usage error otherwise."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number

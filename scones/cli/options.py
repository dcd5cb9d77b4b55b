"""Options and arguments that several verbs have."""

from __future__ import annotations

import math
from typing import Any

import click

from scones.cli.completion import complete_execution

as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
wait_option = click.option("--wait", is_flag=True, help="Follow the execution to its end.")
execution_argument = click.argument("execution", required=False, shell_complete=complete_execution)


class FiniteRange(click.FloatRange):
    """A number within bounds, and never NaN or infinity: the type of every option that takes a fraction.

    click.FloatRange compares with its bounds, and NaN is on neither side of one: `--max-drop-from-live nan` would
    switch the comparison off silently.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`value` as a finite number of the range; a usage error otherwise."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number

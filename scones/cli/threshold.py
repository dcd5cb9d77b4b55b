"""`scones threshold`: how sure the model must be, who changed it and why."""

from __future__ import annotations

import getpass
import math
from dataclasses import asdict
from datetime import UTC
from typing import Any

import click

from project import aws
from project.console import emit, emit_json, say, table
from project.errors import UsageError
from scones.cli.options import FiniteRange, as_json_option
from stepfunctions.threshold import Change, back_to, change, current, earlier, history, written_as

LAST = 0
"""What `--roll-back` without a version stands for; SSM counts versions from 1."""
NOT_SAID = "no reason given"


@click.command()
@click.argument("value", type=FiniteRange(0, 1), required=False)
@click.option("--why", help="The reason for a change; it is kept with it.")
@click.option("--who", default=getpass.getuser, help="Who changes it; by default the user of this machine.")
@click.option("--history", "all_of_it", is_flag=True, help="Show every change: when, by whom and why.")
@click.option(
    "--roll-back",
    "version",
    type=click.IntRange(min=LAST),
    is_flag=False,
    flag_value=LAST,
    metavar="[VERSION]",
    help="Go back to the value before, or to that of a version.",
)
@as_json_option
def threshold(
    value: float | None, why: str | None, who: str, all_of_it: bool, version: int | None, as_json: bool
) -> None:
    """Show the confidence below which a delivery is not routed, or set it to VALUE: functions use it within seconds."""
    if sum((value is not None, all_of_it, version is not None)) > 1:
        raise UsageError("VALUE, --history and --roll-back are three different things.", "Give one of them.")
    parameter = aws.names().threshold_parameter
    changes = history(parameter)
    if all_of_it:
        _tell(changes, as_json)
        return
    before = current(parameter) if value is None and version is None else changes[0]
    if version is not None:
        back = earlier(changes, version or None)
        value, why = back.value, why or back_to(back.version)
    if value is not None and value != before.value:
        change(parameter, value, before.version, who, why or NOT_SAID)
        say(f"The threshold was {before.value:g}.")
    elif value is not None:
        say(f"The threshold is {value:g} already.")
    if as_json:
        emit_json(_as_json(history(parameter)[0]))
    else:
        emit(written_as(before.value if value is None else value))


def _as_json(one: Change) -> dict[str, Any]:
    """The change; its value is null when the parameter held no number."""
    return {**asdict(one), "value": None if math.isnan(one.value) else one.value}


def _tell(changes: list[Change], as_json: bool) -> None:
    if as_json:
        emit_json([_as_json(one) for one in changes])
        return
    rows = [
        [str(one.version), f"{one.value:g}", f"{one.when.astimezone(UTC):%Y-%m-%d %H:%M:%S}", one.who, one.why]
        for one in changes
    ]
    emit(table(rows, ["VERSION", "THRESHOLD", "UTC", "WHO", "WHY"]))

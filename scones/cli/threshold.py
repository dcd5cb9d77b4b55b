"""`scones threshold` and `scones unfamiliarity`: what a picture must meet to be routed, who changed it and why."""

from __future__ import annotations

import getpass
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC
from typing import Any

import click

from project import aws
from project.console import emit, emit_json, say, table
from project.errors import UsageError
from scones.cli.options import FiniteRange, as_json_option
from stepfunctions.threshold import (
    THRESHOLD,
    UNFAMILIARITY,
    Change,
    Limit,
    back_to,
    change,
    current,
    earlier,
    history,
    written_as,
)

LAST = 0
"""What `--roll-back` without a version stands for; SSM counts versions from 1."""
NOT_SAID = "no reason given"


def _changes_a_limit(command: Callable[..., None]) -> click.Command:
    """The command, with the arguments of both verbs."""
    for add in (
        as_json_option,
        click.option(
            "--roll-back",
            "version",
            type=click.IntRange(min=LAST),
            is_flag=False,
            flag_value=LAST,
            metavar="[VERSION]",
            help="Go back to the value before, or to that of a version.",
        ),
        click.option("--history", "all_of_it", is_flag=True, help="Show every change: when, by whom and why."),
        click.option("--who", default=getpass.getuser, help="Who changes it; by default the user of this machine."),
        click.option("--why", help="The reason for a change; it is kept with it."),
        click.argument("value", type=FiniteRange(0, 1), required=False),
    ):
        command = add(command)
    return click.command()(command)


@_changes_a_limit
def threshold(**given: Any) -> None:
    """Show the confidence below which a delivery is not routed, or set it to VALUE: functions use it within seconds."""
    _show_or_change(THRESHOLD, aws.names().threshold_parameter, **given)


@_changes_a_limit
def unfamiliarity(**given: Any) -> None:
    """Show how unfamiliar a picture may be and still be routed, or set it to VALUE: functions use it within seconds."""
    _show_or_change(UNFAMILIARITY, aws.names().unfamiliarity_parameter, **given)


def _show_or_change(
    limit: Limit,
    parameter: str,
    value: float | None,
    why: str | None,
    who: str,
    all_of_it: bool,
    version: int | None,
    as_json: bool,
) -> None:
    if sum((value is not None, all_of_it, version is not None)) > 1:
        raise UsageError("VALUE, --history and --roll-back are three different things.", "Give one of them.")
    changes = history(parameter)
    if all_of_it:
        _tell(changes, limit, as_json)
        return
    before = current(parameter, limit) if value is None and version is None else changes[0]
    if version is not None:
        back = earlier(changes, version or None, limit)
        value, why = back.value, why or back_to(back.version)
    if value is not None and value != before.value:
        change(parameter, value, before.version, who, why or NOT_SAID, limit)
        say(f"The {limit.name} was {before.value:g}.")
    elif value is not None:
        say(f"The {limit.name} is {value:g} already.")
    if as_json:
        emit_json(_as_json(history(parameter)[0]))
    else:
        emit(written_as(before.value if value is None else value))


def _as_json(one: Change) -> dict[str, Any]:
    """The change; its value is null when the parameter held no number."""
    return {**asdict(one), "value": None if math.isnan(one.value) else one.value}


def _tell(changes: list[Change], limit: Limit, as_json: bool) -> None:
    if as_json:
        emit_json([_as_json(one) for one in changes])
        return
    rows = [
        [str(one.version), f"{one.value:g}", f"{one.when.astimezone(UTC):%Y-%m-%d %H:%M:%S}", one.who, one.why]
        for one in changes
    ]
    emit(table(rows, ["VERSION", limit.verb.upper(), "UTC", "WHO", "WHY"]))

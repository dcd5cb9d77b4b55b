"""`scones executions`: what ran, when, for how long, and what was different about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC

import click

from project import settings
from project.console import emit, emit_json, say, table
from scones.cli.options import as_json_option

STATUSES = ("Executing", "Stopping", "Stopped", "Failed", "Succeeded")
"""PipelineExecutionStatus, as the service's API reference lists it."""
SHOWN_CHARACTERS = 20


@click.command()
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES, case_sensitive=False),
    help="Only of this status; repeatable.",
)
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many to list.")
@as_json_option
def executions(statuses: tuple[str, ...], most: int, as_json: bool) -> None:
    """List executions of the deployed pipeline, newest first, with the parameters that are not the defaults."""
    from pipelines.runs import history

    found = history.latest(settings.load().pipeline_name, most, statuses)
    if as_json:
        emit_json([asdict(one) for one in found])
    elif found:
        rows = [
            [
                one.id,
                one.display_name or "",
                one.status,
                f"{one.started.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
                "" if one.seconds is None else f"{one.seconds:.0f} s",
                " ".join(f"{name}={_short(value)}" for name, value in one.differs.items()),
            ]
            for one in found
        ]
        emit(table(rows, ["EXECUTION", "NAME", "STATUS", "STARTED (UTC)", "TOOK", "DIFFERS IN"]))
    else:
        say("There is no such execution." if statuses else "There is no execution yet: scones start --wait.")


def _short(value: str) -> str:
    """A value that fits into a table: the end of an address, the beginning of a checksum or of a commit."""
    if len(value) <= SHOWN_CHARACTERS:
        return value
    return f"…/{value.rpartition('/')[2]}" if value.startswith("s3://") else f"{value[:12]}…"

"""`scones local`: the `localcloud` command with this project's region, and with its folder beside the settings file."""

from __future__ import annotations

from pathlib import Path

import click

from localcloud.cli import cli
from localcloud.state import state_folder as find_state
from project import settings


def state_folder(named: Path | None = None) -> Path:
    """The local cloud's folder; a new one is made beside the settings file."""
    return find_state(named, settings.project_folder())


@click.pass_context
def _with_defaults(context: click.Context) -> None:
    defaults = {name: {"state": str(state_folder())} for name in cli.commands}
    if context.invoked_subcommand == "up":
        defaults["up"]["region"] = settings.load().region
    context.default_map = defaults


local = click.Group("local", commands=cli.commands, callback=_with_defaults, help=cli.help)

"""`scones local`: the `localcloud` command with this project's region, and with its folder beside the settings file."""

from __future__ import annotations

from pathlib import Path

import click

from localcloud.cli import cli
from localcloud.state import state_folder as find_state
from project import settings

OUTPUTS = ".scones"


def project_folder() -> Path:
    """Where the settings file lies, else here."""
    file = settings.find_file()
    return file.resolve().parent if file else Path.cwd()


def state_folder(named: Path | None = None) -> Path:
    """The local cloud's folder; a new one is made beside the settings file."""
    return find_state(named, project_folder())


def output_folder() -> Path:
    """Where reports and the demo's files go: `.scones` beside the settings file."""
    return project_folder() / OUTPUTS


@click.pass_context
def _with_defaults(context: click.Context) -> None:
    defaults = {name: {"state": str(state_folder())} for name in cli.commands}
    if context.invoked_subcommand == "up":
        defaults["up"]["region"] = settings.load().region
    context.default_map = defaults


local = click.Group("local", commands=cli.commands, callback=_with_defaults, help=cli.help)

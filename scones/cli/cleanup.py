"""`scones cleanup`: nothing that bills is left, and a second look says so."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from project import aws, console
from project.errors import CloudError, UsageError
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from infra.cleanup import Item


@click.command()
@click.option("--yes", metavar="NAME", help="Do not ask: the project's name, as a confirmation.")
@click.option("--data", is_flag=True, help="Delete captured requests and answers as well.")
@click.option("--dry-run", is_flag=True, help="Only list.")
@as_json_option
def cleanup(yes: str | None, data: bool, dry_run: bool, as_json: bool) -> None:
    """List what the project has in the account, delete it in the right order, and list again.

    The bucket, the pipeline and the model registry stay. Exit code 1 if anything is left.
    """
    from infra.cleanup import delete, found, kept

    names = aws.names()
    wanted = names.settings.project
    items = found(names, data)
    if not as_json:
        _show(items)
    if dry_run or not items:
        if as_json:
            console.emit_json({"found": [asdict(item) for item in items], "left": [asdict(item) for item in items]})
        if not items:
            console.say(f"Nothing that bills is there. {kept(names)}")
        return
    answer = yes if yes is not None else click.prompt(f"Type {wanted} to delete all of this", default="", err=True)
    if answer != wanted:
        raise UsageError(f"{answer!r} is not the project's name: nothing was deleted.", f"Its name is {wanted}.")
    for item in items:
        console.say(f"Deleting {item.kind} {item.name}")
        delete(names, item, console.say)
    left = found(names, data)
    if as_json:
        console.emit_json({"found": [asdict(item) for item in items], "left": [asdict(item) for item in left]})
    if left:
        remains = ", ".join(f"{item.kind} {item.name}" for item in left)
        raise CloudError(f"Still there after the cleanup: {remains}.", "Run again: scones cleanup.")
    console.say(f"Listed again: nothing that bills is left. {kept(names)}")


def _show(items: list[Item]) -> None:
    if items:
        rows = [[item.kind, item.name, item.bills] for item in items]
        console.emit(console.table(rows, ["KIND", "NAME", "BILLS"]))

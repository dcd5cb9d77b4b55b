"""`scones cleanup`: nothing that bills is left, and a second look says so."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from project import aws, console
from project.errors import CloudError, UsageError
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from infra.cleanup import Found, Item


@click.command()
@click.option("--yes", metavar="NAME", help="Do not ask: the project's name, as a confirmation.")
@click.option("--data", is_flag=True, help="Delete captured requests and answers as well.")
@click.option("--dry-run", is_flag=True, help="Only list.")
@as_json_option
def cleanup(yes: str | None, data: bool, dry_run: bool, as_json: bool) -> None:
    """List what the project has in the account, delete it in the right order, and list again.

    The bucket, the pipeline and the model registry stay. What AWS refuses to list or to delete does not keep the rest.
    Exit code 1 if anything is left or could not be listed.
    """
    from infra.cleanup import delete, found, kept

    names = aws.names()
    wanted = names.settings.project
    first = found(names, data)
    if not as_json:
        _show(first.items)
    if dry_run or not first.items:
        if as_json:
            _emit(first, first)
        _require_listed(first)
        if not first.items:
            console.say(f"Nothing that bills is there. {kept(names)}")
        return
    for problem in first.unlisted:
        console.say(f"Not listed: {problem}")
    answer = yes if yes is not None else click.prompt(f"Type {wanted} to delete all of this", default="", err=True)
    if answer != wanted:
        raise UsageError(f"{answer!r} is not the project's name: nothing was deleted.", f"Its name is {wanted}.")
    for item in first.items:
        console.say(f"Deleting {item.kind} {item.name}")
        try:
            delete(names, item, console.say)
        except CloudError as error:
            console.say(f"Not deleted: {error}")
    left = found(names, data)
    if as_json:
        _emit(first, left)
    if left.items:
        remains = ", ".join(f"{item.kind} {item.name}" for item in left.items)
        raise CloudError(f"Still there after the cleanup: {remains}.", "Run again: scones cleanup.")
    _require_listed(left)
    console.say(f"Listed again: nothing that bills is left. {kept(names)}")


def _emit(first: Found, left: Found) -> None:
    console.emit_json(
        {
            "found": [asdict(item) for item in first.items],
            "left": [asdict(item) for item in left.items],
            "unlisted": list(left.unlisted),
        }
    )


def _require_listed(seen: Found) -> None:
    if seen.unlisted:
        raise CloudError(
            f"Not everything could be listed: {' '.join(seen.unlisted)}",
            "Whatever else was found is shown above; look in AWS's console for what was refused.",
        )


def _show(items: tuple[Item, ...]) -> None:
    if items:
        rows = [[item.kind, item.name, item.bills] for item in items]
        console.emit(console.table(rows, ["KIND", "NAME", "BILLS"]))

"""How a verb's failure is told: a line on stderr, and to a program that asked for `--json` a document on stdout.

The document is `{"error": {"message": …, "fix": …, "exit_code": …}}`. Stdout holds one document, so a verb that has
printed what it found, such as a picture that was not routed, gets none beside it: the exit code and stderr tell.
"""

from __future__ import annotations

import sys

import click

from project import console
from project.errors import SconesError

INTERRUPTED = 130


def tell(problem: str, fix: str, exit_code: int) -> int:
    """Tell a known failure; its exit code."""
    console.say(f"Error: {problem} {fix}".rstrip())
    _emit(problem, fix, exit_code)
    return exit_code


def tell_usage(error: click.ClickException) -> int:
    """Tell what was wrong with the words of the command; click's exit code."""
    error.show()
    context = error.ctx if isinstance(error, click.UsageError) else None
    _emit(error.format_message(), f"See: {context.command_path} --help." if context else "", error.exit_code)
    return error.exit_code


def tell_end(interrupt: BaseException | None) -> int:
    """Tell that a person ended the command, with Ctrl-C or by not agreeing; the exit code."""
    if isinstance(interrupt, KeyboardInterrupt):
        click.echo(f"Stopped waiting. {interrupt}" if interrupt.args else "Stopped.", err=True)
        _emit("Stopped waiting." if interrupt.args else "Stopped.", str(interrupt), INTERRUPTED)
        return INTERRUPTED
    return tell("The answer was not yes: nothing was done.", "", SconesError.exit_code)


def _emit(message: str, fix: str, exit_code: int) -> None:
    if "--json" in sys.argv and not console.has_emitted_json():
        console.emit_json({"error": {"message": message, "fix": fix, "exit_code": exit_code}})

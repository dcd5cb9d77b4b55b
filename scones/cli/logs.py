"""`scones logs`: what a step, a function, the endpoint or an execution of a state machine wrote.

The same calls read it on AWS and here: CloudWatch Logs, and Step Functions' history.
"""

from __future__ import annotations

import click

from project import aws
from project.console import emit, emit_json, say
from project.errors import UsageError
from scones.cli.completion import complete_execution, complete_log
from scones.cli.options import as_json_option


@click.command()
@click.argument("name", shell_complete=complete_log)
@click.option(
    "--execution",
    shell_complete=complete_execution,
    help="Whose step NAME is: id, ARN or display name; the latest by default.",
)
@click.option("--follow", is_flag=True, help="Go on until it has ended; a function or the endpoint: until Ctrl-C.")
@as_json_option
def logs(name: str, execution: str | None, follow: bool, as_json: bool) -> None:
    """Print the log of NAME: a step of the pipeline, a function, the endpoint.

    A function's name may lack the project's. The ARN of a state machine's execution prints its history.
    """
    from localcloud.logs import log_lines
    from scones.cli.logged import find

    if follow and as_json:
        raise UsageError("--json is one document, and --follow has no end.", "Choose one.")
    entry = find(name, execution, wait=follow)
    with aws.explained(f"reading the log of {entry.kind} {entry.name}"):
        lines = log_lines(aws.client, entry, follow)
        if as_json:
            emit_json({"kind": entry.kind, "name": entry.name, "lines": list(lines)})
            return
        written = 0
        for line in lines:
            emit(line)
            written += 1
    if not written:
        say(f"The {entry.kind} {entry.name} has written nothing, or it is no longer kept.")

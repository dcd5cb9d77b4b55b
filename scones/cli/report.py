"""`scones report`: one execution as a page that people want to read."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click

from project import settings
from project.console import emit, emit_json, say
from scones.cli.options import as_json_option, execution_argument


@click.command()
@execution_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the page  [default: .scones/reports/EXECUTION]",
)
@click.option("--no-upload", is_flag=True, help="Only write the page: neither upload nor register it.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@as_json_option
def report(execution: str | None, output: Path | None, no_upload: bool, show: bool, as_json: bool) -> None:
    """Write an execution's report (id, ARN or display name; the latest by default) as one HTML page.

    It is uploaded next to the execution's outputs and noted with its model package. Prints the path of the page.
    """
    from localcloud.private import make_private_folder, private_files
    from pipelines.runs.executions import execution_id, resolve
    from scones.reports.publish import publish_report

    arn = resolve(settings.load().pipeline_name, execution)
    own = settings.output_folder()
    if not output:
        make_private_folder(own)  # there are pictures of deliveries in it
    with nullcontext() if output else private_files():
        done = publish_report(arn, output or own / "reports" / execution_id(arn), not no_upload)
    for line in done.missing:
        say(f"Not in the report: {line}")
    if as_json:
        emit_json(asdict(done))
    else:
        if done.uri:
            say(f"Uploaded to {done.uri}" + (f" and noted with {done.model_package}" if done.model_package else ""))
        emit(str(done.page))
    if show:
        click.launch(done.page.resolve().as_uri())

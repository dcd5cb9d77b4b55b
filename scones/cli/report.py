"""`scones report`: one execution as a page that people want to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from project import aws, settings
from project.console import emit, emit_json, say
from scones.cli.execution import execution_argument
from scones.cli.local import state_folder
from scones.cli.pipeline import as_json_option


@dataclass(frozen=True)
class Written:
    """A report: its page, all its files, where it was uploaded, what it was noted with, what it had to leave out."""

    execution: str
    page: Path
    files: list[str]
    uri: str | None
    model_package: str | None
    missing: list[str]


@click.command()
@execution_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the page and its charts  [default: reports/EXECUTION in the state folder]",
)
@click.option("--no-upload", is_flag=True, help="Only write the files: neither upload nor register them.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@as_json_option
def report(execution: str | None, output: Path | None, no_upload: bool, show: bool, as_json: bool) -> None:
    """Write an execution's report (id, ARN or display name; the latest by default): one HTML page, and PNG charts.

    It is uploaded next to the execution's outputs and noted with its model package. Prints the path of the page.
    """
    from pipelines.runs.executions import resolve

    arn = resolve(settings.load().pipeline_name, execution)
    done = written(arn, output, not no_upload)
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


def written(arn: str, output: Path | None, upload: bool) -> Written:
    """Make the report of an execution in `output` (or in its place in the state folder), and upload it if asked to."""
    from scones.reports import publish
    from scones.reports.collect import collect
    from scones.reports.document import document
    from scones.reports.figures import figures

    facts = collect(arn, settings.load().confidence_threshold)
    drawn = figures(facts)
    content = publish.files(document(facts, drawn), drawn)
    page = publish.write(output or state_folder() / "reports" / facts.id, content)
    uri = publish.upload(aws.names(), facts.id, content) if upload else None
    package = publish.register(facts, uri) if uri else None
    return Written(facts.arn, page, sorted(content), uri, package, facts.missing)

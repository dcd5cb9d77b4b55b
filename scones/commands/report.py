"""`scones report`: one execution as a page that people want to read."""

from __future__ import annotations

from pathlib import Path

import click

from scones import cloud, settings
from scones.commands.execution import execution_argument
from scones.commands.local import state_folder
from scones.commands.pipeline import as_json_option
from scones.console import emit, emit_json, say


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
    from pipelines.executions import resolve
    from reports import publish
    from reports.collect import collect
    from reports.document import document
    from reports.figures import figures

    chosen = settings.load()
    facts = collect(resolve(chosen.pipeline_name, execution), chosen.confidence_threshold)
    drawn = figures(facts)
    content = publish.files(document(facts, drawn), drawn)
    file = publish.write(output or state_folder() / "reports" / facts.id, content)
    for line in facts.missing:
        say(f"Not in the report: {line}")
    uri = None if no_upload else publish.upload(cloud.names(), facts.id, content)
    package = publish.register(facts, uri) if uri else None
    if as_json:
        emit_json(
            {
                "execution": facts.arn,
                "page": str(file),
                "files": sorted(content),
                "uri": uri,
                "model_package": package,
                "missing": facts.missing,
            }
        )
    else:
        if uri:
            say(f"Uploaded to {uri}" + (f" and noted with {package}" if package else ""))
        emit(str(file))
    if show:
        click.launch(file.resolve().as_uri())

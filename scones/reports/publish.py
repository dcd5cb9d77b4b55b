"""Put a report where it is looked for: a folder, the execution's place in S3, and the model package."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from project import aws
from project.names import Names
from scones.reports.charts.png import png
from scones.reports.facts import Facts
from scones.reports.figures import Figure

PAGE = "index.html"
TYPES = {".html": "text/html; charset=utf-8", ".png": "image/png"}


def files(document: str, figures: list[Figure]) -> dict[str, bytes]:
    """The report's files by name: the page, and each chart as a PNG."""
    return {PAGE: document.encode(), **{f"{figure.name}.png": png(figure.drawing) for figure in figures}}


def write(folder: Path, content: Mapping[str, bytes]) -> Path:
    """Write the files; each appears whole, and the page last. Returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / ".partial"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        for name in sorted(content, key=lambda name: name == PAGE):
            (scratch / name).write_bytes(content[name])
            (scratch / name).replace(folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder / PAGE


def upload(names: Names, execution: str, content: Mapping[str, bytes]) -> str:
    """Upload the files next to the execution's outputs; the page's URI."""
    for name in sorted(content, key=lambda name: name == PAGE):
        uri = names.uri("executions", execution, "report", name)
        with aws.explained(f"uploading {uri}"):
            aws.client("s3").put_object(
                Bucket=names.bucket,
                Key=f"executions/{execution}/report/{name}",
                Body=content[name],
                ContentType=TYPES[Path(name).suffix],
            )
    return names.uri("executions", execution, "report", PAGE)


def register(facts: Facts, uri: str) -> str | None:
    """Note the report with the execution's model package, as `report`; its ARN, or None if nothing was registered."""
    if facts.package is None:
        return None
    arn = str(facts.package["ModelPackageArn"])
    with aws.explained(f"noting the report with {arn}"):
        aws.client("sagemaker").update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"report": uri})
    return arn

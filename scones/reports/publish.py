"""Make an execution's report and put it where it is looked for: a folder, the execution's place in S3, its package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from project import aws, settings
from project.names import Names
from scones.reports.collect import collect
from scones.reports.execution_page import page
from scones.reports.facts import Facts
from scones.reports.pages import write_page

PAGE = "index.html"


@dataclass(frozen=True)
class Published:
    """A report: its page, where it was uploaded, what it was noted with, what it had to leave out."""

    execution: str
    page: Path
    uri: str | None
    model_package: str | None
    missing: list[str]


def publish_report(arn: str, folder: Path, upload: bool = True) -> Published:
    """Write the report of an execution into `folder`; with `upload`, also to S3, and note it with the model package.

    Raises:
        CloudError: the execution cannot be described, or a service refused the report.
    """
    facts = collect(arn, settings.load().confidence_threshold)
    text = page(facts)
    file = write_page(folder / PAGE, text)
    uri = upload_page(aws.names(), facts.id, text) if upload else None
    package = register_report(facts, uri) if uri else None
    return Published(facts.arn, file, uri, package, facts.missing)


def upload_page(names: Names, execution: str, text: str) -> str:
    """Upload the page next to the execution's outputs; its URI."""
    uri = report_uri(names, execution)
    with aws.explained(f"uploading {uri}"):
        aws.client("s3").put_object(
            Bucket=names.bucket,
            Key=f"executions/{execution}/report/{PAGE}",
            Body=text.encode(),
            ContentType="text/html; charset=utf-8",
        )
    return uri


def report_uri(names: Names, execution: str) -> str:
    """Where the page of an execution of the project's pipeline is uploaded."""
    return names.uri("executions", execution, "report", PAGE)


def register_report(facts: Facts, uri: str) -> str | None:
    """Note the report with the execution's model package, as `report`; its ARN, or None if nothing was registered."""
    if facts.package is None:
        return None
    arn = str(facts.package["ModelPackageArn"])
    with aws.explained(f"noting the report with {arn}"):
        aws.client("sagemaker").update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"report": uri})
    return arn

"""What a shell offers after Tab: executions, versions, steps. Nothing, and at once, when no cloud answers.

One call each, tried once, with a second to connect: `project.aws` would try five times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from localcloud.contract.definition import steps

MOST = 20
SECONDS = 1.0
LOGGED = {"Training", "Processing", "Transform", "QualityCheck", "ClarifyCheck", "Lambda"}
"""Types of steps that something runs for which writes a log."""
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Offer = Callable[[Any, str], Iterator[tuple[str, str]]]
"""Values with a word about each, from a client of SageMaker and the project's name."""


def _executions(sagemaker: Any, project: str) -> Iterator[tuple[str, str]]:
    found = sagemaker.list_pipeline_executions(PipelineName=project, MaxResults=MOST)
    for one in found["PipelineExecutionSummaries"]:
        said = f"{one['PipelineExecutionStatus']} {one['StartTime']:%Y-%m-%d %H:%M}"
        yield one["PipelineExecutionArn"].rpartition("/")[2], said
        if name := one.get("PipelineExecutionDisplayName"):
            yield name, said


def _versions(sagemaker: Any, project: str) -> Iterator[tuple[str, str]]:
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=project, SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST
    )
    for one in found["ModelPackageSummaryList"]:
        yield str(one["ModelPackageVersion"]), one["ModelApprovalStatus"]


def _logs(sagemaker: Any, project: str) -> Iterator[tuple[str, str]]:
    yield "endpoint", project
    text = sagemaker.describe_pipeline(PipelineName=project)["PipelineDefinition"]
    for step in steps(json.loads(text)):
        if step.type in LOGGED:
            yield step.name, step.type


def _offering(offer: Offer) -> Complete:
    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        import boto3  # a third of a second, which `--help` need not wait for
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        from project import settings
        from project.errors import SconesError

        once = Config(retries={"total_max_attempts": 1}, connect_timeout=SECONDS, read_timeout=SECONDS)
        try:
            own = settings.load()
            client = boto3.client("sagemaker", region_name=own.region, config=once)
            offered = dict(offer(client, own.project))
        except (SconesError, BotoCoreError, ClientError):
            return []  # a shell shows what is printed here in the middle of the line that is typed
        return [CompletionItem(value, help=said) for value, said in offered.items() if value.startswith(begun)]

    return complete


complete_execution = _offering(_executions)
complete_version = _offering(_versions)
complete_log = _offering(_logs)

"""Bring the deployed pipeline to what this checkout says: job code first, then the definition, only if it differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from localcloud.contract.definition import Json
from pipelines.definition.build import Built
from pipelines.definition.bundle import Bundle
from pipelines.definition.diff import DefinitionChange, definition_changes, values
from pipelines.definition.rendering import to_json
from project import aws, s3
from project.names import Names

DESCRIPTION = "CIFAR archive to a registered vehicle classifier: extract, split, train, score, evaluate, gate."


@dataclass(frozen=True)
class DeployedPipeline:
    """The pipeline as SageMaker has it."""

    arn: str
    definition: Json
    role: str
    description: str


@dataclass(frozen=True)
class UpsertResult:
    """What an upsert did. `uploaded` counts job code files that were not in the bucket yet."""

    action: Literal["created", "updated", "unchanged"]
    arn: str
    version: int
    uploaded: int


def deployed(name: str) -> DeployedPipeline | None:
    """The deployed pipeline, or None if there is none of this name."""
    with aws.explained(f"describing pipeline {name}"):
        try:
            answer = aws.client("sagemaker").describe_pipeline(PipelineName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFound":
                return None
            raise
    return DeployedPipeline(
        arn=answer["PipelineArn"],
        definition=json.loads(answer["PipelineDefinition"]),
        role=answer["RoleArn"],
        description=answer.get("PipelineDescription", ""),
    )


def changes(
    current: DeployedPipeline | None, name: str, definition: Json, role: str, description: str
) -> list[DefinitionChange]:
    """What an upsert would change; nothing if the deployed pipeline is already this one."""
    if current is None:
        return [DefinitionChange("added", f"pipeline {name}")]
    return [
        *definition_changes(current.definition, definition),
        *values("pipeline", current.role, role, "RoleArn"),
        *values("pipeline", current.description, description, "PipelineDescription"),
    ]


def upsert(
    built: Built,
    *,
    role: str | None = None,
    description: str | None = None,
    tags: Sequence[dict[str, str]] = (),
) -> UpsertResult:
    """Upload the job code that is missing, then create or update the pipeline if anything differs.

    The pipeline runs as `role`, the project's own by default, and carries `tags` besides the project's.

    Raises:
        CloudError: the service refused; nothing of the deployed pipeline has changed then.
    """
    uploaded = sum(upload(built.names, bundle) for bundle in built.bundles)
    for uri, content in built.documents.items():
        if s3.head(uri) is None:
            s3.upload(content, uri)
    name = built.names.settings.pipeline_name
    all_tags = [{"Key": "project", "Value": built.names.settings.project}, *tags]
    request = {
        "PipelineName": name,
        "PipelineDefinition": to_json(built.definition),
        "PipelineDescription": description or DESCRIPTION,
        "RoleArn": role or built.names.pipeline_role,
    }
    current = deployed(name)
    sagemaker = aws.client("sagemaker")
    with aws.explained(f"writing pipeline {name}"):
        if current is None:
            try:
                arn = sagemaker.create_pipeline(**request, Tags=all_tags)["PipelineArn"]
                return UpsertResult("created", arn, 1, uploaded)
            except ClientError as error:
                current = deployed(name) if aws.already_exists(error) else None  # another upsert was faster
                if current is None:
                    raise
        _add_missing_tags(current.arn, all_tags)
        if not changes(current, name, built.definition, request["RoleArn"], request["PipelineDescription"]):
            return UpsertResult("unchanged", current.arn, latest_version(name), uploaded)
        answer = sagemaker.update_pipeline(**request)
    version = answer.get("PipelineVersionId") or latest_version(name)
    return UpsertResult("updated", answer["PipelineArn"], version, uploaded)


def latest_version(name: str) -> int:
    """The newest version's number; SageMaker counts from 1."""
    with aws.explained(f"listing the versions of pipeline {name}"):
        answer = aws.client("sagemaker").list_pipeline_versions(PipelineName=name, SortOrder="Descending", MaxResults=1)
    return int(answer["PipelineVersionSummaries"][0]["PipelineVersionId"])


def upload(names: Names, bundle: Bundle) -> int:
    """Put the files of `bundle` that its folder lacks; how many there were.

    A file under a content hash never changes, so what is there is right, and an upload that broke off is completed.
    """
    folder = f"code/{bundle.digest}/"
    there = {entry["Key"] for entry in s3.list_objects(names.uri(folder))}
    missing = [(folder + path, content) for path, content in bundle.files if folder + path not in there]
    for key, content in missing:
        s3.upload(content, names.uri(key))
    return len(missing)


def _add_missing_tags(arn: str, tags: Sequence[dict[str, str]]) -> None:
    """Tags that others put on the pipeline stay."""
    sagemaker = aws.client("sagemaker")
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    there = [tag for page in pages for tag in page["Tags"]]
    if missing := [tag for tag in tags if tag not in there]:
        sagemaker.add_tags(ResourceArn=arn, Tags=missing)

"""The pipeline in the shape that AWS's project template knows: a module with `get_pipeline(**kwargs)`.

run-pipeline --module-name pipelines.pipeline --role-arn ARN --kwargs '{"algorithm": "pytorch"}'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.definition.build import Built, build
from pipelines.definition.rendering import to_json
from pipelines.runs import upsert
from project import aws, settings
from project.errors import UsageError
from project.names import LOCAL_ACCOUNT, Names
from project.settings import Settings


@dataclass(frozen=True)
class ProjectPipeline:
    """What the template's scripts ask of a pipeline: `name`, `definition()`, `upsert()`."""

    settings: Settings
    account: str = LOCAL_ACCOUNT

    @property
    def name(self) -> str:
        return self.settings.pipeline_name

    def definition(self) -> str:
        """The definition's JSON for `account`, rendered without the network."""
        return to_json(build(Names(self.settings, self.account)).definition)

    def upsert(
        self, role_arn: str, description: str | None = None, tags: Sequence[dict[str, str]] | None = None
    ) -> dict[str, Any]:
        """Upload the job code and create or update the pipeline in the caller's account, as `scones upsert` does.

        `role_arn` is the role that the pipeline runs as; its jobs run as the project's own.
        """
        built: Built = build(Names(self.settings, aws.names().account))
        outcome = upsert.upsert(built, role=role_arn, description=description, tags=tags or ())
        return {"PipelineArn": outcome.arn, "PipelineVersionId": outcome.version}


def get_pipeline(account: str = LOCAL_ACCOUNT, **overrides: Any) -> ProjectPipeline:
    """The project's pipeline, with settings of `scones.toml` replaced by `overrides`.

    Raises:
        UsageError: an override is no setting, or names another region than the project's, where its clients are.
    """
    project = settings.load()
    chosen = settings.parse(project.model_dump(mode="json") | overrides, "get_pipeline")
    if chosen.region != project.region:
        raise UsageError(
            f"get_pipeline: region is {chosen.region!r}, and the project's is {project.region!r}.",
            "Change `region` in scones.toml.",
        )
    return ProjectPipeline(chosen, account)

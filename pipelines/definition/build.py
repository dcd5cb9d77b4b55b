"""The pipeline of this checkout: its definition together with the job code that the definition points to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.contract.definition import Json
from pipelines.definition import rendering, reviewed_pictures
from pipelines.definition.bundle import Bundle, bundle
from project.names import Names
from steps.reviewed_list import FILE


@dataclass(frozen=True)
class Built:
    """What an upsert deploys. `documents`: what the definition's defaults point to, address to content."""

    names: Names
    definition: Json
    bundles: tuple[Bundle, ...]
    documents: Mapping[str, bytes] = field(default_factory=dict)


def build(names: Names) -> Built:
    """Collect the job code and render the definition for the account and region of `names`; nothing is sent.

    Raises:
        SconesError: a job's code is missing or cannot be parsed.
    """
    bundles = tuple(bundle(job) for job in rendering.jobs(names.settings))
    code = {b.job: code_uri(names, b) for b in bundles}
    nothing = {f"{reviewed_pictures.none(names)}{FILE}": reviewed_pictures.content_of_none(names)}
    return Built(names, rendering.render(names, code), bundles, nothing)


def code_uri(names: Names, bundle: Bundle) -> str:
    """The S3 folder of a job's code."""
    return names.uri("code", bundle.digest)

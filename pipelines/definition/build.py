"""The pipeline of this checkout: its definition together with the job code that the definition points to."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.contract.definition import Json
from pipelines.definition import rendering
from pipelines.definition.bundle import Bundle, bundle
from project.names import Names


@dataclass(frozen=True)
class Built:
    """What an upsert deploys."""

    names: Names
    definition: Json
    bundles: tuple[Bundle, ...]


def build(names: Names) -> Built:
    """Collect the job code and render the definition for the account and region of `names`; nothing is sent.

    Raises:
        SconesError: a job's code is missing or cannot be parsed.
    """
    bundles = tuple(bundle(job) for job in rendering.jobs(names.settings))
    code = {b.job: code_uri(names, b) for b in bundles}
    return Built(names, rendering.render(names, code), bundles)


def code_uri(names: Names, bundle: Bundle) -> str:
    """The S3 folder of a job's code."""
    return names.uri("code", bundle.digest)

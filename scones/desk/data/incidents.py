"""Problems that people were told of and that are not over: what function Alert remembers under `alerts/open/`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scones.desk.data.objects import body, listed

OPEN = "alerts/open/"
EXECUTION = re.compile(r"arn:[\w-]+:sagemaker:[\w-]+:\d+:pipeline/([A-Za-z0-9-]+)/execution/([a-z0-9]+)", re.ASCII)


@dataclass(frozen=True)
class Incident:
    """One open problem.

    Attributes:
        measured: the numbers, a line each.
        version: of the model that it is about; None for one that outlives versions.
        reported: how often it was found again; `told`: how many messages went out about it.
    """

    key: str
    what: str
    measured: tuple[str, ...]
    since: datetime
    reported: int
    told: int
    version: int | None = None

    @property
    def execution(self) -> tuple[str, str] | None:
        """Pipeline and execution that it is about; None for anything else."""
        found = next(filter(None, map(EXECUTION.search, self.measured)), None)
        return (found[1], found[2]) if found else None

    def is_over_with(self, live: int | None) -> bool:
        """Whether it is about a version that was replaced: nothing of now is wrong with it."""
        return self.version is not None and live is not None and self.version != live


def incidents(bucket: str) -> tuple[list[Incident], list[str]]:
    """The open problems, the one that is there longest first, and what is wrong with objects that are none.

    Raises:
        CloudError: S3 refused or did not answer.
    """
    found, wrong = [], []
    for one in listed(bucket, OPEN):
        content = body(bucket, one.key)
        if content is None:
            continue  # it was over between the listing and this
        try:
            found.append(_incident(one.key.removeprefix(OPEN).removesuffix(".json"), json.loads(content)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            wrong.append(f"s3://{bucket}/{one.key}: {type(error).__name__}: {error}")
    return sorted(found, key=lambda one: one.since), wrong


def _incident(key: str, known: dict[str, Any]) -> Incident:
    return Incident(
        key=key,
        what=str(known.get("what", key)),
        measured=tuple(str(line) for line in known.get("measured", [])),
        since=datetime.fromisoformat(known["since"]).astimezone(UTC),
        reported=int(known["times"]),
        told=int(known.get("told", "told_at" in known)),
        version=int(known["version"]) if known.get("version") else None,
    )

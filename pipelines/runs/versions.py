"""Versions in the model registry with what was measured of each."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines import registry
from pipelines.registry import Version
from pipelines.runs.live_comparison import Reviewed
from project import s3
from project.errors import DataError

MOST = 20
"""Versions shown side by side, the newest ones."""
METRICS = {
    # name in evaluation.json: what it is called, and whether it is a share
    "accuracy": ("accuracy", True),
    "auc": ("AUC", False),
    "macro_precision": ("precision, mean over classes", True),
    "macro_recall": ("recall, mean over classes", True),
    "expected_calibration_error": ("calibration error", False),
    "log_loss": ("log loss", False),
}


@dataclass(frozen=True)
class Measured:
    """One version.

    Attributes:
        metrics: plain numbers of its evaluation.json; empty when none was recorded or it is gone.
        reviewed: what the evaluation says of reviewed deliveries; empty without any.
        who, why: of the last decision; who is "" for one that was taken by other means than this project's.
        properties: commit, data_sha256, execution, classes, algorithm, staging and what was found there.
        decided: when it was last changed, of a version that was approved or rejected; its approval is what changes.
        decided_by: the user profile or IAM identity that did it, as far as SageMaker knows one.
    """

    version: Version
    metrics: dict[str, float]
    who: str
    why: str
    properties: dict[str, str]
    decided: datetime | None = None
    decided_by: str = ""
    reviewed: Reviewed = field(default_factory=dict)


class Versions:
    """The versions of one group. Evaluations do not change and are read once; any thread may call."""

    def __init__(self, group: str) -> None:
        self.group = group
        self._evaluations: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Measured]:
        """The latest versions, newest first.

        Raises:
            SconesError: SageMaker or S3 refused or did not answer.
        """
        with self._lock:
            return [self._measured(version) for version in registry.versions(self.group)[:MOST]]

    def _measured(self, version: Version) -> Measured:
        package = registry.described(version.arn)
        if version.arn not in self._evaluations:
            self._evaluations[version.arn] = _evaluation(package)
        evaluation = self._evaluations[version.arn]
        return Measured(
            version,
            _numbers(evaluation.get("metrics")),
            *registry.signature(package.get("ApprovalDescription", "")),
            package.get("CustomerMetadataProperties", {}),
            None if version.approval == registry.WAITING else package.get("LastModifiedTime"),
            _name(package.get("LastModifiedBy", {})),
            _told(evaluation.get("reviewed")),
        )


def _name(who: dict[str, Any]) -> str:
    """The name in a UserContext: Studio's profile, or the last part of the identity's ARN."""
    return str(who.get("UserProfileName") or who.get("IamIdentity", {}).get("Arn", "").rpartition("/")[2])


def _evaluation(package: dict[str, Any]) -> dict[str, Any]:
    """The version's evaluation.json; {} when none was recorded, or it is gone or damaged."""
    uri = registry.evaluation_uri(package)
    try:
        return s3.read_json(uri) if uri else {}
    except DataError:
        return {}


def _told(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _numbers(found: Any) -> dict[str, float]:
    return {name: float(value) for name, value in _told(found).items() if type(value) in (int, float)}

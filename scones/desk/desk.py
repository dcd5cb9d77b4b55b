"""What the pages work with: one object per process, shared by everybody who looks."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from pipelines.runs.versions import Versions
from project import aws
from project.names import Names
from scones.desk.data.captures import Feed
from scones.desk.data.file_cache import default_folder
from scones.desk.data.labels import Labels
from scones.desk.data.pipelines import Pipelines
from scones.desk.data.runs import Runs
from scones.desk.data.workflows import Today
from scones.desk.known import Known

CHANGES = "SCONES_DASHBOARD_CHANGES"
"""Set to 1 by `scones dashboard --allow-changes` for the process that serves the pages."""
CACHE = "SCONES_DASHBOARD_CACHE"
"""Folder of the cache on disk; unset for the user's own, empty for none."""


@dataclass(frozen=True)
class OperationsDesk:
    """Readers and writers for one project in one account; `allow_changes` is whether the writers may be used.

    `known(function, what it is asked)` is what a reader says, or has said a moment ago.
    """

    names: Names
    allow_changes: bool
    feed: Feed
    labels: Labels
    runs: Runs
    versions: Versions
    today: Today
    pipelines: Pipelines
    known: Known

    @property
    def classes(self) -> tuple[str, ...]:
        return self.names.settings.classes


_lock = threading.Lock()
_open: list[OperationsDesk] = []


def desk() -> OperationsDesk:
    """The desk, made when it is first asked for.

    Raises:
        SconesError: the settings are wrong, or no cloud answers.
    """
    with _lock:
        if not _open:
            _open.append(_open_desk())
        return _open[0]


def changes_are_allowed() -> bool:
    """Whether this process was started with `--allow-changes`."""
    return os.environ.get(CHANGES) == "1"


def forget_answers() -> None:
    """Ask everything again: something was changed here."""
    for one in _open:
        one.known.forget()


def close() -> None:
    """End what the desk has running."""
    with _lock:
        while _open:
            _open.pop().feed.close()


def _open_desk() -> OperationsDesk:
    names = aws.names()
    classes, bucket, endpoint = names.settings.classes, names.bucket, names.endpoint
    feed = Feed(bucket, f"captures/{endpoint}/", classes, _cache_folder())
    feed.start()
    return OperationsDesk(
        names=names,
        allow_changes=changes_are_allowed(),
        feed=feed,
        labels=Labels(bucket, endpoint, classes),
        runs=Runs(bucket, f"monitor/{endpoint}/"),
        versions=Versions(names.settings.model_package_group),
        today=Today(names.state_machine("inference")),
        pipelines=Pipelines(),
        known=Known(),
    )


def _cache_folder() -> Path | None:
    named = os.environ.get(CACHE)
    if named is None:
        return default_folder()
    return Path(named) if named else None

"""A job's folder: the container's `/opt/ml` at `<state>/regions/<region>/jobs/<kind>-<job name>/opt/ml`.

There is no root and no mount here, so a path below /opt/ml in what the job is told (entry point, arguments, values of
environment variables) is replaced by the path below the job's own folder.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPT_ML = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")
FAILURE_CHARACTERS = 1024
"""How much of `failure` and `message` the service shows."""


@dataclass(frozen=True)
class Folder:
    """The folder of one job.

    Attributes:
        root: working directory of the process.
    """

    root: Path

    @property
    def base(self) -> Path:
        """What the container knows as /opt/ml."""
        return self.root / "opt" / "ml"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def make(self) -> None:
        """Make the folder anew: nothing of an earlier job of the same name stays."""
        self.remove()
        for path in (self.base / "input" / "config", self.base / "output", self.base / "model", self.temporary):
            path.mkdir(parents=True)
        self.log.touch()

    def local(self, text: str) -> str:
        """`text` with every path below /opt/ml replaced by its place on this machine."""
        return OPT_ML.sub(lambda _: str(self.base), text)

    def path(self, container_path: str) -> Path:
        """The place on this machine of an absolute path below /opt/ml.

        Raises:
            ValueError: the path is not below /opt/ml.
        """
        if not re.match(r"/opt/ml(/|$)", container_path) or ".." in container_path.split("/"):
            raise ValueError(f"{container_path!r} is not below /opt/ml")
        return self.base / container_path.removeprefix("/opt/ml").strip("/")

    def write(self, relative: str, document: Any) -> None:
        """Write a JSON file below /opt/ml."""
        path = self.base / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2), encoding="utf-8")

    def message(self, relative: str) -> str:
        """The beginning of a text file that the job may have written below /opt/ml, or ""."""
        path = self.base / relative
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(4 * FAILURE_CHARACTERS).decode("utf-8", "replace")[:FAILURE_CHARACTERS].strip()

    def remove(self) -> None:
        """Remove the folder, if there is one."""
        if self.root.exists():
            shutil.rmtree(self.root)

    def remove_all_but_log(self) -> None:
        """Remove all but the log: what a completed job made is in S3."""
        shutil.rmtree(self.root / "opt", ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)


def folder(state: Path, kind: str, name: str) -> Folder:
    """The folder of a job of the region whose folder is `state`; `kind` is the resource's, such as "ProcessingJob"."""
    return Folder(state / "jobs" / f"{kind.removesuffix('Job').lower()}-{name}")

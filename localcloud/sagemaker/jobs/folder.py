"""A job's folder: the container's `/opt/ml` at `<state>/regions/<region>/jobs/<kind>-<job name>/opt/ml`.

That is its first instance's; the others have one each, at `hosts/<algo-2 …>/opt/ml` below the job's.
A job with a private view of the machine sees it at /opt/ml. For one without, a path below /opt/ml in what it is told
(entry point, arguments, values of environment variables) is replaced by the path below the job's own folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.sagemaker.jobs.instances import FIRST

CONTAINER_BASE = "/opt/ml"
HOSTS = "hosts"
OPT_ML = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")
FAILURE_CHARACTERS = 1024
"""How much of `failure` and `message` the service shows."""


@dataclass(frozen=True)
class Folder:
    """The folder of one instance of a job, or of an endpoint.

    Attributes:
        root: what holds all of it; the first instance's is the whole job's.
        private: whether the job sees it at the container's paths.
        host: the instance's name.
    """

    root: Path
    private: bool = False
    host: str = FIRST

    @property
    def job(self) -> Path:
        """What holds all of the job."""
        return self.root if self.host == FIRST else next(one for one in self.root.parents if one.name == HOSTS).parent

    def of_host(self, name: str) -> Folder:
        """The folder of another instance of the job whose first one's this is."""
        return self if name == FIRST else Folder(self.root / HOSTS / name, self.private, name)

    def others(self) -> list[Folder]:
        """The folders of further instances, as far as they are there."""
        found = self.root / HOSTS
        return [self.of_host(path.name) for path in sorted(found.iterdir())] if found.is_dir() else []

    @property
    def base(self) -> Path:
        """What the container knows as /opt/ml."""
        return self.root / "opt" / "ml"

    @property
    def seen_base(self) -> str:
        """Where the job sees it."""
        return CONTAINER_BASE if self.private else str(self.base)

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        """The job's home folder, in which it starts."""
        return self.root / "home"

    @property
    def packages(self) -> Path:
        """What the job installs when it has no private view."""
        return self.root / "layers" / "packages"

    @property
    def throwaway(self) -> tuple[Path, ...]:
        """What nobody looks at when the job has ended."""
        return tuple(self.root / name for name in ("tmp", "var-tmp", "home", "layers"))

    @property
    def volume(self) -> tuple[Path, ...]:
        """What lies on the job's disk on AWS; what it installs does not."""
        return tuple(self.root / name for name in ("opt", "tmp", "var-tmp", "home"))

    def make(self, *, again: bool = False) -> None:
        """Make the folder anew: nothing of an earlier job of the same name stays; of an earlier try only the log."""
        if again:
            self.remove_all_but_log()
        else:
            self.remove()
        own = (self.base / "input" / "config", self.base / "output", self.base / "model")
        for path in (*own, *self.throwaway, self.packages):
            path.mkdir(parents=True)
        self.log.touch()

    def local(self, text: str) -> str:
        """`text` as the job is told it: with its own paths in the place of those below /opt/ml, if it sees those."""
        if self.private:
            return text
        return OPT_ML.sub(lambda _: str(self.base), text)

    def path(self, container_path: str) -> Path:
        """The place on this machine of an absolute path below /opt/ml.

        Raises:
            ValueError: the path is not below /opt/ml.
        """
        if not re.match(rf"{CONTAINER_BASE}(/|$)", container_path) or ".." in container_path.split("/"):
            raise ValueError(f"{container_path!r} is not below /opt/ml")
        return self.base / container_path.removeprefix(CONTAINER_BASE).strip("/")

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
            remove_tree(self.root)

    def remove_throwaway(self) -> None:
        """Remove what nobody looks at when the job has ended, of all instances."""
        for other in self.others():
            other.remove_throwaway()
        for path in self.throwaway:
            if path.exists():
                remove_tree(path)

    def remove_all_but_log(self) -> None:
        """Remove all but the logs: what a completed job made is in S3."""
        for other in self.others():
            other.remove_all_but_log()
        self.remove_throwaway()
        if (self.root / "opt").exists():
            remove_tree(self.root / "opt")


def folder(state: Path, kind: str, name: str, private: bool = False) -> Folder:
    """The folder of a job of the region whose folder is `state`; `kind` is the resource's, such as "ProcessingJob"."""
    return Folder(state / "jobs" / f"{kind.removesuffix('Job').lower()}-{name}", private)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, even folders that may not be read: overlayfs leaves such, and jobs do."""
    path.chmod(0o700)
    for parent, names, _ in os.walk(path):
        for inner in (Path(parent, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)  # before it is walked into
    shutil.rmtree(path)

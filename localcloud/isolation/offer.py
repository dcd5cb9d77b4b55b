"""Whether this machine lets an ordinary user make namespaces, mounts and overlays: found out once, by doing it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from localcloud.errors import SettingError
from localcloud.isolation.python import installs_into
from localcloud.isolation.view import Layer, View, isolated

VARIABLE = "LOCALCLOUD_ISOLATION"
"""`none` in the user's shell turns isolation off. A local cloud hands its own parts what `up` found out:
`namespaces`, or `none: <reason>`."""
NAMESPACES, NONE = "namespaces", "none"
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Isolation:
    """What foreign code gets on this machine.

    Attributes:
        kind: `namespaces`: a private view. `none`: paths are rewritten, and it writes where this user may.
        reason: why there is none.
    """

    kind: str
    reason: str = ""

    @property
    def private(self) -> bool:
        """Whether processes get a private view."""
        return self.kind == NAMESPACES

    @property
    def words(self) -> str:
        """For people: what foreign code gets, and why."""
        if self.private:
            return "Jobs, models and functions have /opt/ml, /tmp and packages of their own, and write nowhere else."
        return (
            "Jobs, models and functions have no private view of this machine "
            f"({self.reason}): they can write where you can, and functions run one at a time."
        )

    @property
    def variable(self) -> str:
        """What tells other processes of it, see VARIABLE."""
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


NOT_ISOLATED = Isolation(NONE, "it was not asked for")


@cache
def offered() -> Isolation:
    """What this process was told, else what this machine allows.

    Raises:
        SettingError: as for `told`.
    """
    return told() or probe(Path(tempfile.gettempdir()))


def told() -> Isolation | None:
    """What this process was told by VARIABLE; None if nothing.

    Raises:
        SettingError: it says something else than isolation, or none.
    """
    value = os.environ.get(VARIABLE)
    if not value:
        return None
    kind, _, reason = value.partition(":")
    if kind == NONE:
        return Isolation(NONE, reason.strip() or f"{VARIABLE}={NONE}")
    if kind != NAMESPACES:
        raise SettingError(f"{VARIABLE} is {value!r}.", f"Set it to {NONE}, which turns isolation off, or unset it.")
    return Isolation(NAMESPACES)


@cache
def can_be_layered(folder: Path) -> bool:
    """Whether views may have a layer over `folder`, where they are offered.

    Linux refuses it where something is mounted below (EINVAL of overlayfs in a user namespace, clone_private_mount):
    the drivers in /usr/lib of WSL, or of a container that was given a GPU.
    """
    return folder.is_dir() and probe(Path(tempfile.gettempdir()), (folder,)).private


def probe(folder: Path, layered: tuple[Path, ...] = ()) -> Isolation:
    """What this machine allows: a view with all that views have is made, below `folder`, and left.

    Args:
        layered: more folders that a layer is to lie over.
    """
    if sys.platform != "linux":
        return Isolation(NONE, f"{sys.platform} has no namespaces; Linux has")
    with tempfile.TemporaryDirectory(dir=folder, prefix="probe-") as made:
        own = Path(made)
        folders = enumerate((*installs_into(Path(sys.executable)), *layered))
        layers = tuple(make_layer(Layer(folder, own / str(number))) for number, folder in folders)
        view = View(
            "/opt/ml",
            {"/opt/ml": own, "/tmp": own},  # noqa: S108 - the view's own
            memory={"/dev/shm": 0},  # noqa: S108
            layers=layers,
            network=False,
            visible=(own,),
        )
        try:
            tried = subprocess.run(
                isolated(["/bin/sh", "-c", "exit 0"], view),
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return Isolation(NONE, str(error))
    if tried.returncode == 0:
        return Isolation(NAMESPACES)
    said = tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"]
    return Isolation(NONE, said[-1].partition(": ")[2] or said[-1])


def make_layer(layer: Layer) -> Layer:
    """Make the two empty folders that a layer needs."""
    layer.changes.mkdir(parents=True)
    layer.work.mkdir()
    return layer

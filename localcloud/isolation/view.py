"""What a process sees of the machine, and the command that starts it so."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.isolation import enter

STARTER = "import sys; sys.path.append(sys.argv[1]); from localcloud.isolation import enter; enter.main(sys.argv[2:])"
"""As a module, which Python compiles once, and not as a script. Every command of `isolated` has it among its words."""
WRITABLE_VARIABLE = "LOCALCLOUD_WRITABLE"
"""In the user's shell: more paths that foreign code may write to, such as a cache of models, with colons between."""
REFUSED = enter.REFUSED
"""Exit code of a command whose view could not be made; its standard error ends with the reason."""


@dataclass(frozen=True)
class Layer:
    """A folder under which writing is allowed, and leaves it as it is.

    Attributes:
        folder: whose files are seen at their usual place.
        changes: an empty folder beside an empty one called `<name>.work`, on one disk: what is written.
        below: folders that lie over `folder`'s own files, the first on top; they are not written to.
    """

    folder: Path
    changes: Path
    below: tuple[Path, ...] = ()

    @property
    def work(self) -> Path:
        """What overlayfs needs for itself."""
        return self.changes.with_name(self.changes.name + ".work")


@dataclass(frozen=True)
class View:
    """What a process sees: everything of the machine, read-only, but for this.

    Paths that are seen need not exist on the machine, but for one in the root folder. User, group and environment stay.

    Attributes:
        folder: the working folder, as it is seen.
        writable: a path as it is seen, and the folder or file of the machine that it is.
        readable: the same, read-only.
        memory: folders in memory, empty and gone with the process, and how many bytes they hold (0: half the memory).
        merged: a folder in memory that shows the entries of several folders, those of the last in front.
        layers: folders that may be written to and stay as they are.
        visible: paths that are seen although they lie below another one of these, such as /tmp.
        hosts: more names of hosts and their addresses.
        hostname: what the machine is called; "" leaves its name.
        network: whether there is one; without, there is a loopback interface of its own.
        joins: number of a process that `isolated` started without a network, which is shared; 0: none.
        relay: a listening socket's descriptor, and the port inside that gets its connections when there is no network;
            whoever starts the command passes the descriptor on.
        stdin: whether standard input is the command's; it has none otherwise.
    """

    folder: str
    writable: Mapping[str, Path] = field(default_factory=dict)
    readable: Mapping[str, Path] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    visible: tuple[Path, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    hostname: str = ""
    network: bool = True
    joins: int = 0
    relay: tuple[int, int] | None = None
    stdin: bool = False


def shared_by_the_user() -> dict[str, Path]:
    """What the user lets foreign code write to, as `View.writable`; never what that code says of it."""
    paths = [Path(path) for path in os.environ.get(WRITABLE_VARIABLE, "").split(os.pathsep) if path]
    return {str(path): path for path in paths if path.exists()}


def isolated(command: Sequence[str], view: View) -> list[str]:
    """The command that starts `command` in the view; it looks the program up in the PATH of its environment."""
    told = marshal.dumps(_told(view)).hex()
    return [sys.executable, "-I", "-S", "-c", STARTER, str(Path(enter.__file__).parents[2]), told, *command]


def _told(view: View) -> dict[str, object]:
    """The view as enter.py reads it, see `enter.Told`."""
    layers = {str(layer.folder): layer for layer in view.layers}
    writable = {**{at: at for at in layers}, **{at: str(source) for at, source in view.writable.items()}}
    readable = {at: str(source) for at, source in view.readable.items()}
    seen = {*writable, *readable}
    for path in _outermost(view.visible):
        if path not in seen and any(_below(path, folder) for folder in (*view.memory, *view.merged, *seen)):
            readable[path] = path
    return {
        "folder": view.folder,
        "network": view.network or bool(view.joins),
        "joins": view.joins,
        "relay": view.relay,
        "stdin": view.stdin,
        "overlays": [
            (at, [*map(str, layer.below), at], str(layer.changes), str(layer.work)) for at, layer in layers.items()
        ],
        "writable": sorted(writable.items()),
        "readable": sorted(readable.items()),
        "memory": sorted({**dict.fromkeys(view.merged, 0), **view.memory}.items()),
        "merged": [(at, list(map(str, folders))) for at, folders in view.merged.items()],
        "hosts": "".join(f"{address}\t{name}\n" for name, address in view.hosts.items()),
        "hostname": view.hostname,
    }


def _outermost(paths: Sequence[Path]) -> list[str]:
    """Those that exist and lie below no other one, by name."""
    found = sorted({str(path.absolute()) for path in paths if path.exists()})
    return [path for path in found if not any(_below(path, other) for other in found)]


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")

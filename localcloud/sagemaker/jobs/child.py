"""One child process: started in a group of its own with a scrubbed environment, its output in the job's log.

Where the machine allows it, it has a private view of the files (localcloud/isolation): /opt/ml is its folder, /tmp and
the home folder are its own, what it installs is in a layer of its own, and it can write nowhere else.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from localcloud.environment import MARK
from localcloud.isolation.offer import can_be_layered, make_layer
from localcloud.isolation.python import installs_into, needed
from localcloud.isolation.view import Layer, View, isolated, shared_by_the_user
from localcloud.processes import find, marked
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs.folder import CONTAINER_BASE, Folder
from localcloud.sagemaker.jobs.interruption import Interruption

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL. AWS gives a training job 120 s; somebody at a terminal would not wait that long."""

INHERITED = ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")
PYTHONS = {"python", "python3"}
CONTAINER = "container-"
"""How the folder of a model's second and every further container begins, below that of the first."""
BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
"""Where a job's program finds its /opt/ml."""
JOB_VARIABLE = "LOCALCLOUD_JOB"
"""The job's folder on this machine: how its processes are found."""
LIBRARIES = Path("/lib")
"""Shared libraries of the system. The handler that the SDK 3's ModelBuilder writes for an InferenceSpec copies those of
the model there (`model_fn` of sagemaker/serve/model_server/torchserve/inference.py); a container's root may."""


class Child:
    """A process that leads its own group; when it ends, the rest of its group is ended too, as in a container."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Folder,
        network: bool = True,
        hosts: Mapping[str, str] | None = None,
        joins: int = 0,
        listener: socket.socket | None = None,
    ) -> None:
        """Start it; if it has a private view, it reaches nothing without `network`, and knows `hosts` by name.

        Without a network it shares that of the process `joins`, if there is one, and its port of `listener`'s number
        gets the connections to that.

        Raises:
            OSError: there is no such program, or it cannot be started.
        """
        stdin = subprocess.DEVNULL
        if folder.private:
            _require_program(command[0], environment, folder)
            relay = (listener.fileno(), listener.getsockname()[1]) if listener else None
            seen = view(command, environment, folder, network, hosts or {})
            command = isolated(command, replace(seen, joins=joins, relay=relay))
            stdin = subprocess.PIPE  # held open until the end: a server that is killed lets go of it, and all is ended
        with folder.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder.home,
                env=dict(environment),
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[listener.fileno()] if listener else [],
            )
        self._ended = threading.Event()
        self._killer: threading.Timer | None = None

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait for the end; the exit code as a shell shows it (128 + the number of the signal that killed it)."""
        code = self._process.wait()
        self._ended.set()
        if self._process.stdin:
            self._process.stdin.close()
        self._signal(signal.SIGKILL)
        if self._killer:
            self._killer.cancel()
        return code if code >= 0 else 128 - code

    def end(self) -> None:
        """Ask the group to end, and kill it if it has not after GRACE_SECONDS. Returns at once."""
        if self._ended.is_set() or self._killer:
            return
        self._killer = threading.Timer(GRACE_SECONDS, self._signal, (signal.SIGKILL,))
        self._killer.daemon = True
        self._killer.start()
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        # the group may have ended meanwhile; macOS says PermissionError for one that holds only zombies
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Folder,
    interruption: Interruption,
    network: bool = True,
) -> int:
    """Run a command to its end and return its exit code; an interruption ends it early.

    Raises:
        OSError: it cannot be started.
    """
    child = Child(command, environment, folder, network)
    with interruption.on(child.end):
        return child.wait()


def view(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Folder,
    network: bool,
    hosts: Mapping[str, str],
) -> View:
    """What a job's process sees; `python3` on its PATH is the interpreter that it may install for.

    `hosts` are the job's instances and their addresses; with them its own name is the machine's, as in a container.
    """
    interpreter = Path(shutil.which("python3", path=environment.get("PATH")) or sys.executable)
    writable = {
        CONTAINER_BASE: folder.base,
        "/tmp": folder.temporary,  # noqa: S108 - the job's own
        "/var/tmp": folder.root / "var-tmp",  # noqa: S108
        str(folder.home): folder.home,
        **shared_by_the_user(),
    }
    changed = installs_into(interpreter)
    if can_be_layered(libraries := LIBRARIES.resolve()):
        changed.append(libraries)
    if cache := _pip_cache():
        changed.append(cache)
    layers = tuple(make_layer(Layer(at, folder.root / "layers" / uuid.uuid4().hex)) for at in changed)
    given = [Path(word) for word in command if word.startswith("/")]
    return View(
        str(folder.home),
        writable,
        memory={"/dev/shm": 0},  # noqa: S108
        layers=layers,
        visible=(*needed(interpreter), *given),
        hosts=hosts,
        hostname=folder.host if hosts else "",
        network=network,
    )


def _require_program(program: str, environment: Mapping[str, str], folder: Folder) -> None:
    """Check that there is such a program, as starting it without a view would.

    Raises:
        OSError: there is none, or it is no program.
    """
    known = program if not program.startswith(CONTAINER_BASE + "/") else str(folder.path(program))
    if shutil.which(known, path=environment.get("PATH", os.defpath)) is None:
        number = errno.EACCES if Path(known).exists() else errno.ENOENT
        raise OSError(number, os.strerror(number), program)


def command(words: Sequence[str], folder: Folder) -> list[str]:
    """`words` with the folder's paths; `python3` is the interpreter that runs this server."""
    local = [folder.local(word) for word in words]
    return [sys.executable if local[0] in PYTHONS else local[0], *local[1:]]


def environment(
    cloud: Cloud, folder: Folder, own: Mapping[str, str], role: str = "", interpreter: str = sys.executable
) -> dict[str, str]:
    """All that a job's process sees of the world: addresses, a session of its `role`, `own` (the job's variables).

    Nothing else of the server's environment is handed on, so that a job which needs more fails here as it would in a
    container. The interpreter's folder leads PATH: a shell script's `python3` is the same one.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    inherited["PATH"] = os.pathsep.join([str(Path(interpreter).parent), inherited.get("PATH", os.defpath)])
    return {
        **inherited,
        **_settings_at(inherited.get("HOME")),
        **(_with_view() if folder.private else _without_view(folder, inherited.get("PYTHONPATH", ""))),
        "HOME": str(folder.home),
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": cloud.aws_url,
        "AWS_ENDPOINT_URL_SAGEMAKER": cloud.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": cloud.url,
        **{name.upper(): value for name, value in cloud.credentials(role).items()},
        "AWS_REGION": cloud.region,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **{name: folder.local(value) for name, value in own.items()},
        BASE_VARIABLE: folder.seen_base,
        JOB_VARIABLE: str(folder.job),
        MARK: str(cloud.state),
    }


def _without_view(folder: Folder, path: str) -> dict[str, str]:
    """What keeps a process without a private view from writing to /tmp and to the user's environment."""
    packages = str(folder.packages)
    paths = os.pathsep.join(filter(None, (packages, path)))
    return {"TMPDIR": str(folder.temporary), "PIP_TARGET": packages, "PYTHONPATH": paths}


def _pip_cache() -> Path | None:
    """Where the user's pip keeps what it has downloaded, if it has."""
    found = Path(os.environ.get("HOME", os.devnull), ".cache", "pip")
    return found if found.is_dir() else None


def _with_view() -> dict[str, str]:
    """A job reads the user's cache of pip; what it writes there is its own and gone with it."""
    cache = _pip_cache()
    return {"PIP_CACHE_DIR": str(cache)} if cache else {}


def _settings_at(home: str | None) -> dict[str, str]:
    """What a process with another home folder is told so that it finds what the user installed and how pip is set."""
    found = {"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {}
    if home:
        known = [Path(home, ".config", "pip", "pip.conf"), Path(home, ".pip", "pip.conf")]
        if settings := next((path for path in known if path.is_file()), None):
            found["PIP_CONFIG_FILE"] = str(settings)
    return found


def end_leftovers(folder: Folder) -> int:
    """Kill what a job left running when the server was killed, and say how many processes that was.

    They are known by the job's own folder in the environment they were started with: a process that was given the
    number of a dead one meanwhile is never touched. What shares a group with them belongs to the job as well.
    """
    places = [folder.root, *folder.root.glob(f"{CONTAINER}*")]
    left = [identity for place in places for identity in marked(JOB_VARIABLE, str(place))]
    for identity in left:
        with suppress(ProcessLookupError):
            if find(identity):
                os.killpg(os.getpgid(identity.pid), signal.SIGKILL)
    return len(left)

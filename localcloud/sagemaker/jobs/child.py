"""One child process: started in a group of its own with a scrubbed environment, its output in the job's log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from localcloud.environment import MARK
from localcloud.processes import find, marked
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.interruption import Interruption

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL. AWS gives a training job 120 s; somebody at a terminal would not wait that long."""

INHERITED = ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")
PYTHONS = {"python", "python3"}
BASE_VARIABLE = "SAGEMAKER_BASE_DIR"


class Child:
    """A process that leads its own group; when it ends, the rest of its group is ended too, as in a container."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Folder) -> None:
        """Start it.

        Raises:
            OSError: there is no such program, or it cannot be started.
        """
        with folder.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder.root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
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


def run(command: Sequence[str], environment: Mapping[str, str], folder: Folder, interruption: Interruption) -> int:
    """Run a command to its end and return its exit code; an interruption ends it early.

    Raises:
        OSError: it cannot be started.
    """
    child = Child(command, environment, folder)
    with interruption.on(child.end):
        return child.wait()


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
        "TMPDIR": str(folder.temporary),
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
        BASE_VARIABLE: str(folder.base),
        MARK: str(cloud.state),
    }


def end_leftovers(folder: Folder) -> int:
    """Kill what a job left running when the server was killed, and say how many processes that was.

    They are known by the job's own folder in the environment they were started with: a process that was given the
    number of a dead one meanwhile is never touched. What shares a group with them belongs to the job as well.
    """
    left = marked(BASE_VARIABLE, str(folder.base))
    for identity in left:
        with suppress(ProcessLookupError):
            if find(identity):
                os.killpg(os.getpgid(identity.pid), signal.SIGKILL)
    return len(left)

"""Each execution environment of a function has a /tmp of its own, its code in /var/task and its layers in /opt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

from localcloud.corrections import runtime_libraries, seam
from localcloud.isolation.offer import offered
from localcloud.isolation.python import needed
from localcloud.isolation.view import REFUSED, View, isolated, shared_by_the_user

BEHAVIOUR = (
    "Each execution environment of a function has a /tmp of its own, as large as EphemeralStorage says, that stays "
    "from one invocation to the next; its code is /var/task, its layers are /opt, and it can write nowhere else."
)
EVIDENCE = (
    "Developer guide: Lambda execution environment life cycle ('Each execution environment provides between 512 MB and "
    "10,240 MB of disk space in the /tmp directory', 'remains when the execution environment is frozen'), "
    "LAMBDA_TASK_ROOT and layers in /opt; the service model's EphemeralStorage."
)
MINISTACK = "1.5.33"

TASK_ROOT, LAYERS = "/var/task", "/opt"
LAYERS_VARIABLE = "_LAMBDA_LAYERS_DIRS"
"""MiniStack tells its workers with it where the layers are."""
DEFAULT_MEGABYTES = 512
PATIENCE_SECONDS = 2.0

_starting = threading.local()
"""Which worker this thread is starting."""


def function_view(folder: Path, environment: Mapping[str, str], megabytes: int, packages: Path | None = None) -> View:
    """What a worker sees whose code is in `folder`, with so much room in /tmp, and the libraries of its runtime."""
    layers = [Path(path) for path in environment.get(LAYERS_VARIABLE, "").split(os.pathsep) if path]
    return View(
        TASK_ROOT,
        writable=shared_by_the_user(),
        readable={TASK_ROOT: folder, **({runtime_libraries.SITE_PACKAGES: packages} if packages else {})},
        memory={"/tmp": megabytes << 20, "/dev/shm": 0},  # noqa: S108 - the function's own
        merged={LAYERS: layers},
        visible=(*needed(Path(sys.executable)), folder.parent, *layers),
        stdin=True,
    )


def _popen(command: list[str], *, cwd: str, env: dict[str, str], **how: Any) -> subprocess.Popen[Any]:
    """In MiniStack's place, start a worker: in a view of its own, or with a TMPDIR of its own if there is none."""
    config = _starting.worker.config
    python = str(config.get("Runtime", "")).startswith("python")
    packages = runtime_libraries.packages_folder() if python else None
    if packages:
        seen_at = runtime_libraries.SITE_PACKAGES if offered().private else str(packages)
        command = runtime_libraries.python_command(command, seen_at)
    if not offered().private:
        temporary = Path(cwd).parent / f"{Path(cwd).name}-tmp"
        temporary.mkdir(exist_ok=True)
        return subprocess.Popen(command, cwd=cwd, env={**env, "TMPDIR": str(temporary)}, **how)
    megabytes = int((config.get("EphemeralStorage") or {}).get("Size", DEFAULT_MEGABYTES))
    view = function_view(Path(cwd), env, megabytes, packages)
    inside = {name: value for name, value in env.items() if name != "TMPDIR"} | {"LAMBDA_TASK_ROOT": TASK_ROOT}
    if env.get(LAYERS_VARIABLE):
        inside[LAYERS_VARIABLE] = LAYERS
    return subprocess.Popen(isolated(command, view), env=inside, **how)


def _spawn(original: Callable[..., Any]) -> Callable[..., Any]:
    def spawn(worker: Any, *arguments: Any) -> Any:
        _starting.worker = worker
        try:
            return original(worker, *arguments)
        except (OSError, RuntimeError):
            if refusal := _refusal(worker):
                raise RuntimeError(refusal) from None
            raise

    return spawn


def _refusal(worker: Any) -> str:
    """Why a worker that did not come up was refused its view, or "". MiniStack may miss what it said as it ended."""
    process, reader = getattr(worker, "_proc", None), getattr(worker, "_stderr_thread", None)
    if process is None or reader is None or not offered().private:
        return ""
    try:
        code = process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    reader.join(PATIENCE_SECONDS)
    said: str = worker._drain_stderr()
    return said.strip() if code == REFUSED else ""


def apply() -> None:
    """Raises SeamError when MiniStack starts functions in another way."""
    if getattr(lambda_runtime, "subprocess", None) is not subprocess:
        raise seam.SeamError(
            "Correction private_folders does not fit this MiniStack: lambda_runtime has no subprocess."
        )
    seam.replace(__name__, lambda_runtime.Worker, "_spawn", "self", by=_spawn)
    seam.replace(__name__, lambda_runtime.ProvidedWorker, "_spawn", "self", "init_timeout", by=_spawn)
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _popen})

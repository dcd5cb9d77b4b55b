"""Programs run to their end; `scones` as a process of its own that need not import anything first.

A `scones` that imports the SageMaker SDK is busy with that for seconds. So one server process for each test process has
imported it, and forks for every call: environment, working folder, streams, exit code and signals are a process's own.
What only a new interpreter does differs: read variables such as PYTHONPATH, and those that are read on import.
test_commands.py compares every verb with a new interpreter's.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
POINTING = ("AWS_", "SCONES_", "LOCALCLOUD_")
"""How the variables begin that point at a cloud, a settings file or a state folder."""
STREAMS = ("stdin", "stdout", "stderr")
_LOCK = threading.Lock()  # two threads that ask for one exit code at once: the second gets another one


def clean_environment(folder: Path) -> dict[str, str]:
    """This process's environment without anything that points at a cloud, a settings file or a state folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(POINTING)}
    path = os.pathsep.join((str(BIN), kept.get("PATH", os.defpath)))
    return {**kept, "PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1", "AWS_EC2_METADATA_DISABLED": "true"}


def run(
    *command: str | Path, environment: Mapping[str, str], folder: Path, stdin: str = "", patience: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, at most `patience` seconds; its output as text."""
    return subprocess.run(
        [str(word) for word in command],
        env=dict(environment),
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def run_scones(
    *words: str | Path, environment: Mapping[str, str], folder: Path, stdin: str = "", patience: float = 120
) -> subprocess.CompletedProcess[str]:
    """As `run(BIN / "scones", ...)`, in a process that has the imports behind it."""
    command = ["scones", *map(str, words)]
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch, name) for name in STREAMS]
        for file, text in zip(files, (stdin, "", ""), strict=True):
            file.write_text(text, encoding="utf-8")
        with _LOCK:
            process = _server().Process(target=_become, args=(command, dict(environment), folder, files))
            process.start()
        ended = wait([process.sentinel], patience)
        with _LOCK:
            if not ended:
                process.kill()
            process.join()
        _, stdout, stderr = (file.read_text(encoding="utf-8") for file in files)
        if not ended:
            raise subprocess.TimeoutExpired(command, patience, stdout, stderr)
        return subprocess.CompletedProcess(command, process.exitcode or 0, stdout, stderr)


@cache
def _server() -> ForkServerContext:
    """The server of this process, which ends with it; started without a test's variables, whatever they are now."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        for name in os.environ.keys() - clean_environment(Path(home)).keys():
            patch.delenv(name)
        for name, value in clean_environment(Path(home)).items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["imported_scones"])
        forkserver.ensure_running()
    return context


def _become(command: list[str], environment: dict[str, str], folder: Path, files: list[Path]) -> None:
    """Be that command from here on."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND), number)
        setattr(sys, STREAMS[number], os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    sys.argv = command
    importlib.import_module("scones.cli.main").main()

"""Programs run to their end; `scones` as a process of its own that need not import anything first.

A `scones` that imports the SageMaker SDK is busy with that for seconds. So one server for each test process has
imported it and forks for every call (command_server.py): environment, working folder, streams, exit code and signals
are a process's own. What only a new interpreter does differs: read variables such as PYTHONPATH, and those that are
read on import. tests/stories/test_verbs.py compares every verb with a new interpreter's.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
POINTING = ("AWS_", "SCONES_", "LOCALCLOUD_")
"""How the variables begin that point at a cloud, a settings file or a state folder."""
_until_the_end = ExitStack()


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
    with tempfile.TemporaryDirectory() as scratch, socket.socket(socket.AF_UNIX) as asked:
        files = [Path(scratch, name) for name in ("stdin", "stdout", "stderr")]
        for file, text in zip(files, (stdin, "", ""), strict=True):
            file.write_text(text, encoding="utf-8")
        request = {"environment": dict(environment), "folder": str(folder), "files": [str(file) for file in files]}
        asked.connect(str(_server()))
        asked.sendall(json.dumps({"command": command, **request}).encode() + b"\n")
        with asked.makefile() as answers:
            process = int(answers.readline())
            ended = select.select([asked], [], [], patience)[0]
            if not ended:
                os.kill(process, signal.SIGKILL)
            exit_code = int(answers.readline())
        _, stdout, stderr = (file.read_text(encoding="utf-8") for file in files)
    if not ended:
        raise subprocess.TimeoutExpired(command, patience, stdout, stderr)
    return subprocess.CompletedProcess(command, exit_code, stdout, stderr)


@cache
def _server() -> Path:
    """The socket of this process's server."""
    folder = Path(_until_the_end.enter_context(tempfile.TemporaryDirectory()))
    program = [sys.executable, str(Path(__file__).with_name("command_server.py")), str(folder / "socket")]
    server = subprocess.Popen(
        program, env=clean_environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    _until_the_end.enter_context(server)  # closes its standard input, and waits
    assert server.stdout
    assert server.stdout.readline() == b"ready\n", "the server of commands does not start"
    return folder / "socket"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    _until_the_end.close()

"""Two users of one machine: a command writes nothing outside the folders that are its user's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = """
import atexit, os, sys
sys.dont_write_bytecode = True
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def watch(event, given):
    if event == "open" and isinstance(given[0], (str, bytes)) and given[2] & WRITES:
        found.append(os.fsdecode(given[0]))
    elif event in {"os.mkdir", "os.rename", "os.link", "os.symlink"}:
        found.append(os.fsdecode(given[0 if event == "os.mkdir" else 1]))
    elif event == "socket.bind" and isinstance(given[1], (str, bytes)):
        found.append(os.fsdecode(given[1]))

found = []
sys.addaudithook(watch)
from scones.cli.main import main
atexit.register(lambda: print(*(os.path.abspath(place) for place in found if place != os.devnull), sep="\\n"))
main()
"""
"""A command that lists on stdout, as it ends, every file, folder and socket that it made or wrote to."""


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_command_writes_only_to_a_folder_of_its_own_and_leaves_nothing(tmp_path: Path, command: str) -> None:
    # A second user cannot be played where the interpreter lies in a private home, and root is refused nothing. So the
    # places are judged instead: any fixed one, such as /tmp/sagemaker, belongs to whoever came first.
    own = tmp_path / "own"
    own.mkdir()
    environment = {**os.environ, "TMPDIR": str(own), "HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    written = [Path(line) for line in done.stdout.splitlines() if line.startswith("/")]
    assert written, "nothing was watched"
    assert [place for place in written if not place.is_relative_to(own)] == []
    assert list(own.iterdir()) == []

"""`scones` from a process with its imports behind it: processes of their own, which end."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from cloud_fixtures import eventually, gone
from commands import clean_environment, run_scones


def test_two_at_once_have_folders_and_environments_of_their_own(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three", "four")]
    for folder in folders:
        folder.mkdir()

    def status(folder: Path) -> str:
        return run_scones("local", "env", environment=clean_environment(folder), folder=folder).stderr

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(status, folders))
    assert all(str(folder) in line for folder, line in zip(folders, said, strict=True))


def alive(process: psutil.Process) -> bool:
    return not gone(process)


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    surroundings = {"environment": clean_environment(tmp_path), "folder": tmp_path}
    run_scones("--help", **surroundings)  # the server is there from now on
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(subprocess.TimeoutExpired):
        run_scones("show", patience=0, **surroundings)
    eventually(lambda: set(filter(alive, psutil.Process().children(recursive=True))) <= before)

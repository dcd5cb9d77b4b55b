"""`scones` from a process with its imports behind it is what it is in a new interpreter."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from commands import BIN, clean_environment, run, run_scones

from scones.cli.main import VERBS

WITHOUT_A_CLOUD = [
    ("data", "sample", "--train-per-class", "1", "--test-per-class", "1", "--output", "small.tar.gz"),
    ("show",),
    ("threshold",),  # an error of AWS
    ("start", "--parameter"),  # wrong usage
    ("local", "status", "--json"),
    ("infra", "delete"),
    ("nonsense",),
]


@pytest.mark.parametrize("words", [*((verb, "--help") for verb in VERBS), *WITHOUT_A_CLOUD], ids=" ".join)
def test_a_command_says_and_ends_as_in_a_new_interpreter(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "scones.toml").write_text('project = "a-test"\n', encoding="utf-8")
    surroundings = {"environment": clean_environment(tmp_path), "folder": tmp_path}
    new, forked = run(BIN / "scones", *words, **surroundings), run_scones(*words, **surroundings)
    assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)
    assert words[-1] != "--help" or (new.returncode, new.stdout.split()[0]) == (0, "Usage:")


def test_two_at_once_have_folders_and_environments_of_their_own(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three", "four")]
    for folder in folders:
        folder.mkdir()

    def status(folder: Path) -> str:
        return run_scones("local", "env", environment=clean_environment(folder), folder=folder).stderr

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(status, folders))
    assert all(str(folder) in line for folder, line in zip(folders, said, strict=True))


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    surroundings = {"environment": clean_environment(tmp_path), "folder": tmp_path}
    run_scones("--help", **surroundings)  # the server is there from now on
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(subprocess.TimeoutExpired):
        run_scones("show", patience=0, **surroundings)
    assert [one for one in psutil.Process().children(recursive=True) if one not in before] == []

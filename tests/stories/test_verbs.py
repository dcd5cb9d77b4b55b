"""Every verb in an interpreter of its own, and the same from the server of commands: nothing tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    surroundings: dict[str, Any] = {"environment": clean_environment(tmp_path), "folder": tmp_path}
    new, forked = run(BIN / "scones", *words, **surroundings), run_scones(*words, **surroundings)
    assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)
    assert words[-1] != "--help" or (new.returncode, new.stdout.split()[0]) == (0, "Usage:")

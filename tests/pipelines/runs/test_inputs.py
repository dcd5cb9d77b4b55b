"""What an execution is started from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.runs import inputs
from project.errors import UsageError


def test_assignments_keep_everything_after_the_first_equals_sign() -> None:
    assert inputs.parse_assignments(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}


@pytest.mark.parametrize("texts", [["Epochs"], ["=3"], ["A=1", "A=2"]])
def test_assignments_that_assign_nothing_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        inputs.parse_assignments(texts)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_the_commit_says_when_the_checkout_is_dirty(tmp_path: Path) -> None:
    assert inputs.commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert inputs.commit(tmp_path) is None, "a repository without a commit"
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    clean = inputs.commit(tmp_path)
    assert clean is not None and len(clean) == 40
    (tmp_path / "new.txt").write_text("x")
    assert inputs.commit(tmp_path) == f"{clean}-dirty"

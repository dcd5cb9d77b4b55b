"""What an execution is started from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs import inputs
from project.errors import UsageError

DECLARED: list[dict[str, Any]] = [
    {"Name": "Epochs", "Type": "Integer", "DefaultValue": 30},
    {"Name": "AccuracyThreshold", "Type": "Float", "DefaultValue": 0.8},
    {"Name": "Shuffle", "Type": "Boolean", "DefaultValue": True},
    {"Name": "Status", "Type": "String", "DefaultValue": "Pending", "EnumValues": ["Pending", "Approved"]},
]


@pytest.mark.parametrize(
    "given",
    [
        {"Epochs": "60"},
        {"Epochs": "-1"},  # the job's business, not the type's
        {"AccuracyThreshold": "1e-1"},
        {"AccuracyThreshold": "1"},
        {"Shuffle": "False"},
        {"Status": "Approved"},
        {},
    ],
)
def test_values_of_the_declared_type_pass(given: dict[str, str]) -> None:
    inputs.check_parameters(DECLARED, given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Epoch": "60"}, "no parameter 'Epoch'. It has: Epochs"),
        ({"Epochs": "60.5"}, "Epochs is '60.5': not an integer"),
        ({"Epochs": ""}, "not an integer"),
        ({"AccuracyThreshold": "high"}, "not a finite number"),
        ({"AccuracyThreshold": "nan"}, "not a finite number"),
        ({"Shuffle": "yes"}, "neither true nor false"),
        ({"Status": "approved"}, "not one of Pending, Approved"),
        ({"Status": "x" * 1025}, "longer than 1024"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        inputs.check_parameters(DECLARED, given)
    assert words in str(caught.value)


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(UsageError, match="--parameter Colour=VALUE"):
        inputs.check_parameters([{"Name": "Colour", "Type": "String"}], {})


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

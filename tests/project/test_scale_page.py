"""docs/scale.md says what its script says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "scale.py"


def said(*options: str) -> list[str]:
    done = subprocess.run((sys.executable, SCRIPT, *options), capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line]


def test_every_row_of_the_tables_is_the_scripts() -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in said() if row not in page] == []


@pytest.mark.parametrize(("changed", "row"), [("function_seconds=0.3", "functions at once"), ("put=0", "dollars s3")])
def test_other_figures_make_other_rows(changed: str, row: str) -> None:
    before, after = said(), said("--set", changed)
    differing = [one.split("|")[1].strip() for one, other in zip(before, after, strict=True) if one != other]
    assert row in differing
    assert "deliveries" not in differing


@pytest.mark.parametrize(
    "wrong", ["putt=1", "put=x", "put", "put=nan", "put=-1", "target_a_minute=0", "states_a_picture=1.5"]
)
def test_a_figure_that_cannot_be_is_named(wrong: str) -> None:
    done = subprocess.run((sys.executable, SCRIPT, "--set", wrong), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: --set {wrong.partition('=')[0]}=" in done.stderr
    assert "Traceback" not in done.stderr

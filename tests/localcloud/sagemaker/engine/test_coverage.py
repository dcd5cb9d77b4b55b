"""The page that says what runs is what the code says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import localcloud
from localcloud.sagemaker.engine import coverage
from localcloud.sagemaker.engine.activities import ACTIVITIES
from localcloud.sagemaker.engine.step_types import IMPLEMENTED, REFUSED

PAGE = Path(localcloud.__file__).parents[1] / "docs" / "local-cloud.md"
PARTS = ("Steps:\n", "Images ([their page](images.md) says how each is run):\n", "any other is refused by name:\n")


def test_the_page_has_the_tables_that_the_code_gives() -> None:
    text = PAGE.read_text(encoding="utf-8")
    renewed = text
    for part, table in zip(PARTS, coverage.tables(), strict=True):
        before, found, after = renewed.partition(part)
        assert found, f"the page has no line {part!r}"
        renewed = f"{before}{part}\n{table}\n\n" + re.sub(r"\A\n(?:\|.*\n)*\n*", "", after)
    if os.environ.get("SCONES_RENEW_GOLDEN"):
        PAGE.write_text(renewed, encoding="utf-8")
    assert renewed == text or os.environ.get("SCONES_RENEW_GOLDEN"), "renew the page: see its section What runs"


def test_every_step_type_is_described_and_has_something_that_runs_it() -> None:
    assert coverage.DIFFERS.keys() == set(IMPLEMENTED)
    assert ACTIVITIES.keys() == set(IMPLEMENTED) - {"Condition", "Fail"}
    assert not set(IMPLEMENTED) & set(REFUSED)

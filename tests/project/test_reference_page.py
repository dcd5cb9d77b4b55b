"""docs/reference.md says what the code says, and says something about every setting and option."""

from __future__ import annotations

import os
from pathlib import Path

import reference_page

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_page_is_what_the_code_gives() -> None:
    wanted = reference_page.page()
    if os.environ.get("SCONES_RENEW_GOLDEN"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted, "renew it: SCONES_RENEW_GOLDEN=1, and read the difference"


def test_every_setting_and_option_is_explained() -> None:
    tables = [line for line in reference_page.page().splitlines() if line.startswith("| `")]
    assert len(tables) > 150
    assert [line for line in tables if line.endswith("|  |")] == []

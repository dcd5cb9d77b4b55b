"""The SageMaker SDK 2, which cannot be in the tests' own environment: that has version 3."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "LOCALCLOUD_TEST_SDK2"
"""Names the folder of a virtual environment with it; without it, the one that `make sdk2` has made counts."""
MADE = Path(__file__).parents[2] / ".venv" / "sdk2"


def environment_of_sdk2() -> Path:
    """The folder of the environment; the test that asks is skipped if there is none."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else MADE
    if not (folder / "bin" / "python").exists():
        pytest.skip(f"there is no SageMaker SDK 2: `make sdk2` installs it, or {VARIABLE} names an environment with it")
    return folder

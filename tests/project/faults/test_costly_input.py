"""A megabyte from anybody costs at most 300 MB, whoever reads it. Every input: benchmarks/fuzz/everything.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from costly_input import READERS, is_wrong, measured

CASES = [
    ("SerializeImage", "PNG 6,000,000x8"),
    ("SerializeImage", "PNG of 80,000 chunks"),
    ("SerializeImage", "PNG RGBA 4900x4900"),
    ("served model", "JPEG 7000x7000"),
    ("CIFAR archive", "names of 500 MB"),
    ("captures, analysis", "1 GB of blank lines"),
    ("captures, desk", "1 GB of lines that are none"),
    *(("CIFAR pickle", name) for name in ("memo of 2 GB", "key that holds itself", "labels that hold themselves")),
]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is told by Linux alone")
@pytest.mark.parametrize(("reader", "name"), CASES)
def test_a_small_input_has_a_small_cost(reader: str, name: str) -> None:
    cost = measured(reader, name)
    assert not is_wrong(cost), cost


def test_what_is_measured_would_be_noticed() -> None:
    assert is_wrong({"mb": 301, "ended": "read"}) and is_wrong({"mb": 30, "ended": "MemoryError"})
    assert set(dict(CASES)) <= set(READERS)

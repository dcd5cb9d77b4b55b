"""Pictures, captures and archives that were damaged are answered or refused, whoever reads them."""

from __future__ import annotations

from damaged_files import faults_of_archives, faults_of_captures, faults_of_pictures


def test_whatever_is_read_is_answered_or_refused() -> None:
    """The longer search is benchmarks/fuzz/."""
    assert not faults_of_pictures(seed=16, count=300)
    assert not faults_of_captures(seed=16, count=500)
    assert not faults_of_archives(seed=16, count=100)

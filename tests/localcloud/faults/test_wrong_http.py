"""What is no request of AWS's clients is refused by the port, briefly."""

from __future__ import annotations

from wrong_http import faults_of_http


def test_no_request_makes_the_port_fail() -> None:
    """The longer search is benchmarks/fuzz/."""
    assert not faults_of_http(seed=16, count=200)

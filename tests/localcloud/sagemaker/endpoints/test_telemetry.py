"""What is sent of many latencies has their sum and number, and their percentiles."""

from __future__ import annotations

import numpy as np
import pytest

from localcloud.sagemaker.endpoints.telemetry import MOST_VALUES, Distribution


def test_percentiles_survive_the_summing_up() -> None:
    latencies = np.random.default_rng(0).lognormal(8, 0.6, 2000)
    sums = Distribution()
    for latency in latencies:
        sums.add(float(latency))
    ((values, counts),) = sums.values()
    assert len(values) <= MOST_VALUES
    assert np.dot(values, counts) == pytest.approx(latencies.sum())
    assert sum(counts) == 2000
    for percent in (50, 90, 99):
        sent = np.percentile(np.repeat(values, np.array(counts, int)), percent)
        assert sent == pytest.approx(np.percentile(latencies, percent), rel=0.03)


def test_more_values_than_a_datum_holds_are_sent_in_parts() -> None:
    sums = Distribution()
    for power in range(400):
        sums.add(1.1**power)
    sums.add(0.0)
    parts = list(sums.values())
    assert [len(values) for values, _ in parts] == [150, 150, 101]
    assert parts[0][0][0] == 0.0

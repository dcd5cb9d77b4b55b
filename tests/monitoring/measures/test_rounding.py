"""Numbers beside their limits: what is written never says the opposite of what was found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lambdas.filter_inferences.decision import decide, refuse_stranger
from lambdas.outcomes import LowConfidenceError, UnfamiliarError
from lambdas.rounding import beside as beside_in_functions
from monitoring.analysis.checks import Drift, baseline_drift
from monitoring.measures.rounding import apart, beside
from scones.reports.charts.drift import drift_note, drift_per_feature
from scones.reports.charts.words import tenths
from scones.reports.facts import GateFact

JUST = 1e-9


@pytest.mark.parametrize(
    ("severity", "text"),
    [
        (2.04, "2.0"),
        (1.04, "1.04"),
        (1.004, "1.004"),
        (1 + JUST, "1.000000001"),
        (1.0, "1.0"),
        (0.97, "0.97"),
        (0.0, "0.0"),
    ],
)
def test_a_number_gets_as_many_digits_as_tell_it_from_its_limit(severity: float, text: str) -> None:
    assert beside(severity, 1.0, 1) == beside_in_functions(severity, 1.0, 1) == text


@pytest.mark.parametrize(("digits", "style"), [(4, "f"), (3, "g"), (1, "%"), (0, "%")])
def test_texts_stand_as_the_numbers_do(digits: int, style: str) -> None:
    random = np.random.default_rng(0)
    for limit in random.random(200).tolist():
        for gap in (1e-1, 1e-4, 1e-7, 1e-12):
            value, bound = (float(text.rstrip("%")) for text in apart(limit + gap, limit, digits, style))
            assert value > bound
    assert apart(0.25, 0.25, digits, style)[0] == apart(0.25, 0.25, digits, style)[1]


def drift(severity: float, **more: object) -> Drift:
    made = Drift("brightness", "Robust", 0.1, 0.23 * severity, None, 0.1, severity)
    return dataclasses.replace(made, **more)


@pytest.mark.parametrize("beyond", [1e-2, 1e-5, JUST])
def test_a_violation_is_beyond_its_limit_in_its_text_its_note_and_the_chart(beyond: float) -> None:
    found = drift(1 + beyond)
    [violation] = baseline_drift([found])
    distance, allowed, times = (float(part.split()[0]) for part in violation.description.split(": ")[1:])
    assert distance > allowed and times > 1
    gap, most = (float(part.rpartition(" ")[2]) for part in drift_note(found).split(","))
    assert gap > most
    [bar] = drift_per_feature([found]).data
    assert float(bar.text[0]) > 1


def test_a_p_value_is_below_its_threshold_in_words_too() -> None:
    found = drift(1.0001, p_value=0.0029999, threshold=0.003, method="ChiSquared")
    [violation] = baseline_drift([found])
    p, threshold = (float(part.split()[0]) for part in violation.description.split(": ")[1:3])
    assert p < threshold == 0.003


def test_a_confidence_that_was_refused_does_not_read_like_the_threshold() -> None:
    with pytest.raises(LowConfidenceError, match=r"at 0\.929999, threshold 0\.93\."):
        decide([0.929999, 0.070001], ("bicycle", "motorcycle"), {}, 0.93)
    with pytest.raises(UnfamiliarError, match=r"95\.001% of known pictures .* the limit is 95\.000%"):
        refuse_stranger([0.9, 0.1], ("bicycle", "motorcycle"), 0.95001, 0.95)
    assert (tenths(0.929999, 0.93), tenths(0.9), tenths(0.87543)) == ("92.9999%", "90%", "87.5%")


def test_what_a_gate_asks_and_what_it_found_do_not_read_alike_unless_they_are() -> None:
    gate = GateFact("metrics.accuracy", ">=", 0.97, "AccuracyThreshold", 0.969999)
    assert not gate.is_met and gate.words == ("0.969999", "at least 0.97")
    assert dataclasses.replace(gate, value=0.97).words == ("0.97", "at least 0.97")

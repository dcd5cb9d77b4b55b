"""The first sentences of an execution's report: registered or not, better or worse than what is live, and how sure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from execution_facts import BEGAN, bare, full, version
from html_page import read_page

from pipelines.runs.comparison import UNDECIDED, compared
from scones.reports.execution_page import page
from scones.reports.facts import Facts, GateFact, StepFact
from scones.reports.verdict import verdict
from scones.reports.version_tables import accuracies, beside_rival


def facts_with(right: int, n: int = 200) -> Facts:
    """Version 3, whose model gave `right` answers on `n` test pictures."""
    facts = full()
    assert facts.evaluation is not None
    facts.evaluation["metrics"] = {**facts.evaluation["metrics"], **version(3, right, n).metrics}
    facts.evaluation["images"] = n
    facts.gates = [GateFact("metrics.accuracy", ">=", 0.7, "AccuracyThreshold", right / n)]
    return facts


def test_it_names_project_version_gate_and_accuracy_with_its_interval() -> None:
    found = verdict(facts_with(188))
    assert found.said == "scones-unlimited version 3 passed the quality gate." and found.tone == "good"
    assert "Accuracy 94.0% (95% interval 89.8% to 96.5%) on 200 test pictures." in found.more
    assert "No version is live, so there is nothing to compare it with." in found.more
    assert "scones approve 3" in found.more[-1]


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (
            198,
            "It is better than the live version 2: accuracy 9.0 points higher (95% interval of the difference +4.7 to ",
        ),
        (150, "It is worse than the live version 2: accuracy 15.0 points lower (95% interval of the difference \u2212"),
        (
            178,
            "Against the live version 2 the test shows no difference: accuracy 1.0 points lower (95% interval of the ",
        ),
    ],
)
def test_against_the_live_version_it_says_by_how_much_and_how_sure_that_is(right: int, words: str) -> None:
    facts = facts_with(right)
    facts.live, facts.rival = 2, version(2, 180)
    assert any(said.startswith(words) for said in verdict(facts).more), verdict(facts).more


def test_a_live_version_is_compared_with_the_one_that_it_replaced() -> None:
    facts = facts_with(188)
    facts.live, facts.rival = 3, version(1, 188)
    said = " ".join(verdict(facts).more)
    assert (
        "Against version 1, which it replaced, the test shows no difference" in said
        and "answers on the endpoint" in said
    )
    facts.rival = None
    assert "No other version was live before it." in verdict(facts).more


def test_other_classes_are_not_compared_with() -> None:
    facts = facts_with(188)
    facts.live, facts.rival = 2, version(2, 180, classes="bicycle tank")
    assert "Not compared with the live version 2: its classes are bicycle, tank." in verdict(facts).more


def test_a_model_that_missed_a_bound_was_not_registered_and_its_bounds_are_named() -> None:
    facts = facts_with(120)
    facts.package, facts.status = None, "Failed"
    facts.gates = [
        GateFact("metrics.accuracy", ">=", 0.8, "AccuracyThreshold", 0.6),
        GateFact("metrics.auc", ">=", 0.1, "A", 0.5),
    ]
    found = verdict(facts)
    assert found.said == "scones-unlimited: the model did not pass the quality gate and was not registered."
    assert found.tone == "bad" and "Asked for: accuracy at least 0.8, and it is 0.6." in found.more


def test_what_failed_before_there_was_a_model_says_where_and_why() -> None:
    failed = StepFact("ExtractCifar", "Failed", BEGAN, BEGAN + timedelta(seconds=2), reason="wrong checksum")
    words = (
        "scones-unlimited: the execution ended as Failed before its model was measured: ExtractCifar: wrong checksum."
    )
    assert verdict(bare(steps=[failed])).said == words
    running = bare()
    running.status = "Executing"
    assert verdict(running).tone == "warn" and "nothing is decided yet" in verdict(running).said


def test_a_version_that_failed_on_its_staging_endpoint_did_not_just_pass() -> None:
    facts = facts_with(188)
    facts.package = {**(facts.package or {}), "CustomerMetadataProperties": {"staging_outcome": "failed"}}
    assert verdict(facts).tone == "bad" and "failed on its staging endpoint" in verdict(facts).said


def test_versions_stand_beside_each_other_in_the_page_with_intervals() -> None:
    facts = facts_with(188)
    facts.versions, facts.live = [version(3, 188), version(2, 180), version(1, 150)], 2
    facts.rival = facts.versions[1]
    shown = read_page(page(facts))
    assert "versions" in shown.charts and "Version 3 beside version 2, which is live" in shown.text
    assert [row.name for row in accuracies(facts)] == ["version 3 (this)", "version 2, live", "version 1"]
    assert next(beside_rival(facts))[:4] == (
        *("accuracy", "94.0% (89.8% to 96.5%)", "90.0% (85.1% to 93.4%)"),
        "+4.0 (\u22121.4 to +9.6) points",
    )
    facts.package = None
    assert accuracies(facts)[0].name == "this model"


def test_less_of_an_error_is_better_and_what_has_no_interval_is_not_judged() -> None:
    low, high = ({"log_loss": v, "log_loss_low": v - 0.01, "log_loss_high": v + 0.01, "auc": 0.9} for v in (0.1, 0.3))
    found = {one.name: one.verdict for one in compared(low, high)}
    assert found == {"log loss": "better", "AUC": ""}
    assert next(compared(low, low)).verdict == "" and [one.verdict for one in compared(low, low)][1] == UNDECIDED

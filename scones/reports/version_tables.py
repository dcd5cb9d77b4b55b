"""A model among the registered versions: beside the one it is compared with, and in the row of all."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.registry import WAITING
from pipelines.runs.comparison import UNDECIDED, Compared, Known, compared
from pipelines.runs.versions import Measured
from scones.reports.charts.evaluation import RowInterval
from scones.reports.facts import Facts
from scones.reports.pages import share
from scones.reports.verdict import points, signed

TONES = {"better": "good", "worse": "bad"}
SHORT = {UNDECIDED: "no difference shown"}


def name_of_model(facts: Facts) -> str:
    """`version 3`, or what stands for a model that is not registered."""
    return "this model" if facts.version is None else f"version {facts.version}"


def beside_rival(facts: Facts) -> Iterator[tuple[str, str, str, str, str, str]]:
    """For each metric its name, this model's, the rival's, their difference, and better or worse with its tone."""
    if facts.rival is None or facts.evaluation is None:
        return
    for one in compared(facts.metrics, facts.rival.metrics):
        verdict = SHORT.get(one.verdict, one.verdict)
        ours, theirs = _value(one.chosen, one.is_share), _value(one.live, one.is_share)
        yield one.name, ours, theirs, _difference(one), verdict, TONES.get(one.verdict, "")


def all_versions(facts: Facts) -> Iterator[tuple[str, ...]]:
    """For each version, newest first: number, state with who decided, accuracy, AUC, calibration error, date."""
    for one in facts.versions:
        metrics = (("accuracy", True), ("auc", False), ("expected_calibration_error", False))
        yield (
            _named(one, facts),
            _state(one, facts),
            *(_value(_known(one, key), is_share) for key, is_share in metrics),
            f"{one.version.registered:%d %b %Y}".replace(" ", "\N{NO-BREAK SPACE}"),
        )


def accuracies(facts: Facts) -> list[RowInterval]:
    """Rows for the chart: every version with a measured accuracy, and this model if it is not one of them."""
    rows = []
    if facts.version is None and facts.evaluation is not None:
        found = facts.metrics
        bounds = (found["accuracy"], found["accuracy_low"], found["accuracy_high"])
        rows.append(RowInterval("this model", *bounds, "accuracy", "series2"))
    for one in facts.versions:
        value, low, high = _known(one, "accuracy")
        if value is not None and low is not None and high is not None:
            role = "series2" if one.version.number == facts.version else "series1"
            live = ", live" if one.version.number == facts.live else ""
            rows.append(RowInterval(f"{_named(one, facts)}{live}", value, low, high, "accuracy", role))
    return rows


def _state(one: Measured, facts: Facts) -> str:
    if one.version.approval == WAITING:
        return "waits for a decision"
    state = "live" if one.version.number == facts.live else one.version.approval
    return f"{state}, decided by {one.who}" if one.who else state


def _named(one: Measured, facts: Facts) -> str:
    return f"version {one.version.number}" + (" (this)" if one.version.number == facts.version else "")


def _known(one: Measured, key: str) -> Known:
    return one.metrics.get(key), one.metrics.get(f"{key}_low"), one.metrics.get(f"{key}_high")


def _value(known: Known, is_share: bool) -> str:
    value, low, high = known
    if value is None:
        return ""
    write = share if is_share else "{:.3f}".format
    return write(value) if low is None or high is None else f"{write(value)} ({write(low)} to {write(high)})"


def _difference(one: Compared) -> str:
    if one.difference is None:
        return ""
    write = points if one.is_share else signed
    gap, low, high = map(write, one.difference)
    return f"{gap} ({low} to {high})" + (" points" if one.is_share else "")

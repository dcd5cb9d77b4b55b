"""What an execution's report begins with: what became of its model, and whether it is better than the live one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.registry import WAITING
from pipelines.runs.comparison import UNDECIDED, compared
from pipelines.runs.executions import RUNNING
from scones.reports.facts import Facts, GateFact
from scones.reports.pages import interval, share


@dataclass(frozen=True)
class Verdict:
    """What is said in one sentence, with its tone (good, bad or warn), and what else follows from it."""

    said: str
    tone: str
    more: tuple[str, ...] = ()


def verdict(facts: Facts) -> Verdict:
    """The verdict on an execution, however far it got."""
    if facts.status in RUNNING:
        return Verdict(f"{facts.pipeline}: the execution is {facts.status}, and nothing is decided yet.", "warn")
    if facts.evaluation is None:
        why = f": {reason}" if (reason := failure(facts)) else ""
        said = f"{facts.pipeline}: the execution ended as {facts.status} before its model was measured{why}"
        return Verdict(f"{said.rstrip('.')}.", "bad")
    missed = [gate for gate in facts.gates if not gate.is_met]
    if missed:
        said = f"{facts.pipeline}: the model did not pass the quality gate and was not registered."
        return Verdict(said, "bad", (_reached(facts), _asked(missed), against(facts)))
    number = facts.version
    if number is None:
        why = f" {reason.rstrip('.')}." if (reason := failure(facts)) else ""
        said = f"{facts.pipeline}: no version was registered, and the execution is {facts.status}.{why}"
        return Verdict(said, "bad" if facts.status != "Succeeded" else "warn", (_reached(facts), against(facts)))
    said = f"{facts.pipeline} version {number} passed the quality gate."
    staged = (facts.package or {}).get("CustomerMetadataProperties", {}).get("staging_outcome", "")
    if staged == "failed":
        said = f"{facts.pipeline} version {number} passed the quality gate and failed on its staging endpoint."
        return Verdict(said, "bad", (_reached(facts), against(facts), _standing(facts)))
    return Verdict(said, "good", (_reached(facts), against(facts), _standing(facts)))


def failure(facts: Facts) -> str:
    """The reasons of the steps that failed, or the execution's own; nothing of one that did not fail."""
    if facts.status not in {"Failed", "CompletedWithFailures"}:
        return ""
    told = [f"{step.name}: {step.reason}" for step in facts.steps if step.status == "Failed" and step.reason]
    return "; ".join(told) or facts.reason


def against(facts: Facts) -> str:
    """Better or worse than the version that is live, by how much, and how sure that is."""
    rival = facts.rival
    if rival is None:
        if facts.live is None:
            return "No version is live, so there is nothing to compare it with."
        if facts.live == facts.version:
            return "No other version was live before it."
        return f"The live version {facts.live} is not among the registry's latest: not compared with."
    of_live = rival.version.number == facts.live
    other = (
        f"the live version {rival.version.number}" if of_live else f"version {rival.version.number}, which it replaced"
    )
    known = rival.properties.get("classes", "").split()
    ours = (facts.evaluation or {}).get("classes", [])
    if known and ours and known != list(ours):
        return f"Not compared with {other}: its classes are {', '.join(known)}."
    found = next((one for one in compared(facts.metrics, rival.metrics) if one.name == "accuracy"), None)
    if found is None or found.difference is None:
        return f"Not compared with {other}: no accuracy of it was recorded."
    gap, low, high = found.difference
    by = f"accuracy {abs(100 * gap):.1f} points {'lower' if gap < 0 else 'higher'}"
    how_sure = f"(95% interval of the difference {points(low)} to {points(high)})"
    if found.verdict == UNDECIDED:
        return f"Against {other}{'' if of_live else ','} the test shows no difference: {by} {how_sure}."
    return f"It is {found.verdict} than {other}: {by} {how_sure}."


def points(gap: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return signed(100 * gap, ".1f")


def signed(gap: float, form: str = ".3f") -> str:
    """A difference with its sign."""
    return f"{gap:+{form}}".replace("-", "\N{MINUS SIGN}")


def _reached(facts: Facts) -> str:
    found, images = facts.metrics, (facts.evaluation or {})["images"]
    return f"Accuracy {share(found['accuracy'])} ({interval(found, 'accuracy')}) on {images:,} test pictures."


def _asked(missed: list[GateFact]) -> str:
    return "Asked for: " + "; ".join(_clauses(missed)) + "."


def _clauses(missed: list[GateFact]) -> Iterator[str]:
    for gate in missed:
        name = gate.metric.removeprefix("metrics.")
        found, asked = gate.words
        yield f"{name} {asked}, and it is {found}"


def _standing(facts: Facts) -> str:
    approval = str((facts.package or {}).get("ModelApprovalStatus", ""))
    if facts.live is not None and facts.live == facts.version:
        return "It answers on the endpoint."
    if approval == WAITING:
        return f"It waits for a person's decision: scones approve {facts.version}, or scones reject {facts.version}."
    return f"In the registry it is {approval}." if approval else ""

"""One line of the doctor's report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from project.errors import SconesError

State = Literal["ok", "problem", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found; a problem says why it matters and what to do.

    `unknown` is what this cloud or these credentials give no answer to; it is no failure.
    """

    subject: str
    state: State
    found: str
    why: str = ""
    fix: str = ""


def ok(subject: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, "ok", found)


def problem(subject: str, found: str, why: str, fix: str) -> Finding:
    """Something that will stop the project."""
    return Finding(subject, "problem", found, why, fix)


def unknown(subject: str, found: str, why: str = "") -> Finding:
    """It cannot be asked here."""
    return Finding(subject, "unknown", found, why)


def each(subject: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of one check; what it cannot ask or cannot read is a finding too, and the other checks go on."""
    try:
        yield from findings
    except SconesError as error:
        why = "Nobody knows whether it is in order."
        yield problem(subject, error.problem, why, error.fix or "Ask again, with credentials that may look at it.")
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # an answer of another shape than AWS's
        yield unknown(subject, f"an answer that cannot be read ({type(error).__name__}: {error})")

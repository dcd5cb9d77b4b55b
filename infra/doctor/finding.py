"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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

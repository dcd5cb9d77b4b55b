"""A problem, and the text of its alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SUBJECT_CHARACTERS = 100
"""What SNS takes; ASCII only."""


@dataclass(frozen=True)
class AlertProblem:
    """Something that people should know, or that is over.

    Attributes:
        key: what makes two reports the same problem, such as "drift"; part of an S3 key.
        firing: whether it is there; False says that it is over.
        measured: the numbers, a line each.
        where: what to open or type next, a line each.
        version: of the model that it is about; "" for a problem that outlives versions.
        by_run: whether a run of the monitor measured it, which knows more than an alarm on one of its metrics.
    """

    key: str
    firing: bool
    what: str
    measured: tuple[str, ...]
    where: tuple[str, ...]
    version: str = ""
    by_run: bool = False


def subject(problem: AlertProblem) -> str:
    """The message's subject."""
    text = f"Scones: {'' if problem.firing else 'over: '}{problem.what}"
    ascii_only = text.encode("ascii", "replace").decode().replace("\n", " ")
    return ascii_only if len(ascii_only) <= SUBJECT_CHARACTERS else f"{ascii_only[: SUBJECT_CHARACTERS - 3]}..."


def text(problem: AlertProblem, since: datetime, times: int) -> str:
    """The message: what, how much, since when, where to look."""
    began = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    more = f", reported {times} times" if times > 1 else ""
    lines = [f"What: {problem.what}"]
    lines += [f"{'How much: ' if not number else '          '}{line}" for number, line in enumerate(problem.measured)]
    lines.append(f"Since: {began}{more}" if problem.firing else f"It was there since {began}{more}.")
    lines += [
        f"{'Where to look: ' if not number else '               '}{one}" for number, one in enumerate(problem.where)
    ]
    return "\n".join(lines)

"""What a check of the pipeline, of its settings or of a state machine finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something wrong `where` (a step, a state, a parameter, a resource), and what to do about it."""

    where: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} {self.fix}"

"""What the demo tells: acts in order, a line and a time for each, and a summary of what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.errors import LocalCloudError
from project import console
from project.errors import SconesError

WIDTH = 22
REPORTS = ("report", "monitor_report", "evaluation")
"""What was found that a person opens when the story is over."""
DESK = "http://127.0.0.1:8501"
BACK = 'scones local up; eval "$(scones local env)"'


@dataclass
class Story:
    """One run of the demo.

    Attributes:
        enforce_roles: hold Lambda functions to their roles; None leaves a local cloud that is up as it is.
        found: what acts found out and later ones (and the summary) need: ARNs, paths, accuracy.
        played: each act with its status ("ok" or "failed"), seconds and line.
        closers: what has to be ended when the story is over, last opened first.
    """

    archive: Path | None
    algorithm: str | None
    state: Path
    outputs: Path
    enforce_roles: bool | None = None
    found: dict[str, Any] = field(default_factory=dict)
    played: list[dict[str, Any]] = field(default_factory=list)
    closers: list[Callable[[], object]] = field(default_factory=list)

    def play(self, acts: Sequence[tuple[str, Callable[[Story], str]]]) -> None:
        """Play the acts in order; the first that fails ends the story with its error."""
        for title, act in acts:
            started = time.monotonic()
            try:
                line = act(self)
            except (SconesError, LocalCloudError) as error:
                self._note(title, "failed", time.monotonic() - started, str(error))
                console.say(f"FAILED {title}")
                raise
            self._note(title, "ok", time.monotonic() - started, line)
            console.say(f"ok     {title.ljust(WIDTH)} {self.played[-1]['seconds']:6.1f} s  {line}")

    def _note(self, title: str, status: str, seconds: float, line: str) -> None:
        self.played.append({"step": title, "status": status, "seconds": round(seconds, 2), "result": line})

    def end(self, keep: bool) -> None:
        """End what the story started, unless it is to be kept."""
        while self.closers:
            close = self.closers.pop()
            if not keep:
                close()

    def summary(self) -> dict[str, Any]:
        """One object: what was found, and every act with its status and seconds."""
        seconds = round(sum(act["seconds"] for act in self.played), 2)
        return {**self.found, "seconds": seconds, "steps": self.played}

    def closing(self, keep: bool) -> str:
        """The last lines a person reads: where things are and what to type next."""
        seconds = sum(act["seconds"] for act in self.played)
        lines = [f"Everything worked, in {seconds:.0f} s."]
        lines += [f"  {name}: {self.found[name]}" for name in REPORTS if name in self.found]
        if keep:
            lines.append('The local cloud is up. Talk to it: eval "$(scones local env)"; end it: scones local down.')
            lines.append(f"The operations desk: scones dashboard --allow-changes, at {DESK}")
        else:
            lines.append(f"The local cloud is down again. Bring it back: {BACK}.")
            lines.append(f"Then open the operations desk: scones dashboard --allow-changes, at {DESK}")
        return "\n".join(lines)

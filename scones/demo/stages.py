"""A run of the demo: stages in order, a line and a time for each, and a summary of what they found."""

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
"""What was found that a person opens at the end."""
DESK = "http://127.0.0.1:8501"
BACK = 'scones local up; eval "$(scones local env)"'


@dataclass
class Demo:
    """One run of the demo.

    Attributes:
        enforce_roles: hold everything to its role; None leaves a local cloud that is up as it is.
        found: what stages found out and later ones (and the summary) need: ARNs, paths, accuracy.
        done: each stage with its status ("ok" or "failed"), seconds and line.
        closers: what has to be ended at the end, last opened first.
    """

    archive: Path | None
    algorithm: str | None
    state: Path
    outputs: Path
    enforce_roles: bool | None = None
    found: dict[str, Any] = field(default_factory=dict)
    done: list[dict[str, Any]] = field(default_factory=list)
    closers: list[Callable[[], object]] = field(default_factory=list)

    def run(self, stages: Sequence[tuple[str, Callable[[Demo], str]]]) -> None:
        """Run the stages in order; the first that fails ends the demo with its error."""
        for title, stage in stages:
            started = time.monotonic()
            try:
                line = stage(self)
            except (SconesError, LocalCloudError) as error:
                self._note(title, "failed", time.monotonic() - started, str(error))
                console.say(f"FAILED {title}")
                raise
            self._note(title, "ok", time.monotonic() - started, line)
            console.say(f"ok     {title.ljust(WIDTH)} {self.done[-1]['seconds']:6.1f} s  {line}")

    def _note(self, title: str, status: str, seconds: float, line: str) -> None:
        self.done.append({"step": title, "status": status, "seconds": round(seconds, 2), "result": line})

    def end(self, keep: bool) -> None:
        """End what the demo started, unless it is to be kept."""
        while self.closers:
            close = self.closers.pop()
            if not keep:
                close()

    def summary(self) -> dict[str, Any]:
        """One object: what was found, and every stage with its status and seconds."""
        seconds = round(sum(stage["seconds"] for stage in self.done), 2)
        return {**self.found, "seconds": seconds, "steps": self.done}

    def closing(self, keep: bool) -> str:
        """The last lines a person reads: where things are and what to type next."""
        seconds = sum(stage["seconds"] for stage in self.done)
        lines = [f"Everything worked, in {seconds:.0f} s."]
        lines += [f"  {name}: {self.found[name]}" for name in REPORTS if name in self.found]
        if keep:
            lines.append('The local cloud is up. Talk to it: eval "$(scones local env)"; end it: scones local down.')
            lines.append(f"The operations desk: scones dashboard --allow-changes, at {DESK}")
        else:
            lines.append(f"The local cloud is down again. Bring it back: {BACK}.")
            lines.append(f"Then open the operations desk: scones dashboard --allow-changes, at {DESK}")
        return "\n".join(lines)

"""Checks of the settings against one another, which no type can express."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.problem import Problem
from scones.settings import Settings


def settings_agree(settings: Settings) -> Iterator[Problem]:
    """Every class has a route, every route a class, and the gate asks for more than guessing."""
    for name in settings.classes:
        if name not in settings.routes:
            yield Problem("settings", f"class {name!r} has no route.", "Add it to `routes`.")
    for name in settings.routes:
        if name not in settings.classes:
            yield Problem("settings", f"`routes` names a class {name!r} that is not in `classes`.", "Remove one.")
    guessing = 1 / len(settings.classes)
    if settings.accuracy_threshold <= guessing:
        yield Problem(
            "settings",
            f"accuracy_threshold is {settings.accuracy_threshold:g}, and guessing reaches {guessing:.3g}.",
            "Ask for more.",
        )

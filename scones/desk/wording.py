"""How the pages speak: times, ages, counts and shares in words; errors as a sentence with its fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo

import streamlit as st
from botocore.exceptions import BotoCoreError, ClientError

from pipelines.registry import WAITING
from project.errors import SconesError
from scones.desk.connection import problem_of_cloud
from scones.reports.charts.theme import Theme

NONE = "\N{EN DASH}"
"""In the place of a number that is not known."""
SPECIAL = re.compile(r"[\\`*_{}\[\]()#+!|<>~$:-]")
APPROVALS = {
    "Approved": ("Approved", "green", ":material/check_circle:"),
    "Rejected": ("Rejected", "red", ":material/cancel:"),
    WAITING: ("Waits for a decision", "orange", ":material/pending:"),
}
ZONE = "zone"
"""In the session: the time zone that this reader has chosen."""
READ_ONLY = "Read-only: start the dashboard with `scones dashboard --allow-changes` to do this."


@contextmanager
def told() -> Iterator[None]:
    """Show what goes wrong inside as a sentence, and go on with what comes after."""
    try:
        yield
    except SconesError as error:
        problem(error)
    except (ClientError, BotoCoreError) as error:
        problem(SconesError(f"AWS: {error}"))


def problem(error: SconesError) -> None:
    """An error with its fix. While no cloud answers, the banner above the page says why, once."""
    if cloud_answers():
        st.error(problem_text(error), icon=":material/error:")
    else:
        st.caption(":material/cloud_off: No cloud answers.")


def problem_text(error: SconesError) -> str:
    """An error with its fix, as Markdown."""
    fix = f"\n\n**What to do:** {plain(error.fix)}" if error.fix else ""
    return plain(error.problem[:1].upper() + error.problem[1:]) + fix


def cloud_answers() -> bool:
    """Whether a cloud answers; the banner above the page says why not."""
    return problem_of_cloud() is None


def theme() -> Theme:
    """Light or dark, as the reader's page is."""
    return "dark" if st.context.theme.type == "dark" else "light"


def now() -> datetime:
    """The present, UTC."""
    return datetime.now(UTC)


def age(seconds: float) -> str:
    """How long ago, in one unit."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' * (number != 1)} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} seconds ago"


def zone() -> tzinfo:
    """The time zone that the reader has chosen, UTC unless one was."""
    chosen: tzinfo = st.session_state.get(ZONE, UTC)
    return chosen


def clock(moment: datetime) -> str:
    """Date and time in the reader's zone, with its name."""
    return f"{moment.astimezone(zone()):%Y-%m-%d %H:%M:%S %Z}"


def share(value: float | None) -> str:
    """Per cent with one decimal, or NONE."""
    return NONE if value is None else f"{100 * value:.1f} %"


def measured(value: float | None, low: float | None, high: float | None, is_share: bool) -> str:
    """A metric with its 95 % interval, or NONE."""
    if value is None:
        return NONE
    write = share if is_share else "{:.3f}".format
    return f"{write(value)} ({write(low)} to {write(high)})" if low is not None and high is not None else write(value)


def plain(text: str) -> str:
    """Text from outside as Markdown that shows it letter by letter: no markup, pictures or HTML come of it."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def plural(number: int, word: str) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def times(number: int) -> str:
    """`not yet`, `once`, `twice`, `1,200 times`."""
    return {0: "not yet", 1: "once", 2: "twice"}.get(number, f"{number:,} times")

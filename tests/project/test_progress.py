"""Progress and colour: a live line on a terminal, plain lines elsewhere, and stdout left to the data."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, redirect_stderr

import pytest

from project import console
from project.progress import in_words, progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that passes only when a test says so."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    yield now


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


Make = Callable[[], AbstractContextManager[Terminal]]


@pytest.fixture
def as_terminal(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes stderr a terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return lambda: redirect_stderr(Terminal())


def test_without_a_terminal_a_line_comes_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as show:
        for second in range(0, 121, 10):
            clock[0] = 100.0 + second
            show("Train", f"epoch {second // 10} of 24", second // 10, 24)
        show("Evaluate")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Train: epoch 3 of 24, 3 min 30 s left",
        "Train: epoch 6 of 24, 3 min 0 s left",
        "Train: epoch 12 of 24, 2 min 0 s left",
    ]


def test_what_has_no_number_tells_how_long_it_has_taken(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as show:
        for second in (0, 35):
            clock[0] = 100.0 + second
            show("deploy", "CheckEndpoint")
    assert capsys.readouterr().err == "deploy: CheckEndpoint, 35 s so far\n"


def test_a_terminal_has_one_live_line_and_messages_above_it(
    as_terminal: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with as_terminal() as terminal:
        with progress() as show:
            show("Train", "epoch 1 of 4", 1, 4)
            console.say("Evaluate  Failed  1.0 s")
            console.emit("data")
        seen = terminal.getvalue()
    assert "epoch 1 of 4" in seen and "\x1b[1;31mFailed\x1b[0m" in seen
    assert seen.endswith("\x1b[2K"), "the line is taken away at the end"
    assert capsys.readouterr().out == "data\n"


def test_the_live_line_is_one_line_on_a_narrow_terminal_too(as_terminal: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with as_terminal() as terminal, progress() as show:
        show("Uploading an-archive-with-a-long-name.tar.gz", "3.1 of 11.2 MB", 3.1, 11.2)
    assert "Uploading an" in terminal.getvalue()
    assert terminal.getvalue().count("\x1b[1A") == 1, "one line up is enough to take it away"


def test_no_color_is_honoured(as_terminal: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with as_terminal() as terminal:
        console.say("Train  Succeeded")
        assert "\x1b[32mSucceeded" in terminal.getvalue()
        monkeypatch.setenv("NO_COLOR", "1")
        console.say("Train  Succeeded")
        assert terminal.getvalue().splitlines()[1] == "Train  Succeeded"


def test_long_lines_are_not_broken_and_brackets_are_no_markup(
    as_terminal: Make,
) -> None:
    text = f"[red]{'a' * 200} arn:aws:states:us-east-1:000000000000:execution:x [/red]"
    with as_terminal() as terminal:
        console.say(text)
        assert re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()) == f"{text}\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_times_are_written_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words

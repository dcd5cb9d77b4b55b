"""Ctrl-C while a command waits: one line that says what goes on and how to come back, and exit code 130."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from commands import BIN, clean_environment

from infra import hosted, stack
from monitoring.watch import runs
from pipelines.runs import deployment, follow
from pipelines.tuning import results
from project import waiting
from scones.cli import main
from stepfunctions import executions, inference

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p/execution/abc123"
SEARCH = {
    "HyperParameterTuningJobName": "found",
    "HyperParameterTuningJobStatus": "InProgress",
    "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxNumberOfTrainingJobs": 3}},
    "TrainingJobSummaries": [],
}


class Endless(BaseHTTPRequestHandler):
    """A SageMaker whose search never ends."""

    asked = threading.Semaphore(0)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(SEARCH).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.asked.release()

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture
def endless() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def heeded() -> Iterator[None]:
    """A command hears SIGINT, also where the tests run in the background of a shell, which has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_a_signal_ends_a_wait_with_one_line_and_130(endless: str, tmp_path: Path) -> None:
    (tmp_path / "scones.toml").write_text('project = "a-test"\n', encoding="utf-8")
    keys = {"AWS_ENDPOINT_URL": endless, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    environment = clean_environment(tmp_path) | keys | {"AWS_REGION": "us-east-1"}
    with subprocess.Popen(
        [BIN / "scones", "tune", "--show", "found", "--wait"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(3):  # the second look has begun
            assert Endless.asked.acquire(timeout=60)
        os.kill(process.pid, signal.SIGINT)
        said, problem = process.communicate(timeout=60)
    line = "Stopped waiting. The search goes on: scones tune --show found --wait, scones tune --stop found."
    assert (process.returncode, said, problem.strip()) == (130, "", line)


def interrupt(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("asked", "wait", "words"),
    [
        ((follow, "describe"), lambda: follow.follow(ARN, print), "scones status abc123, scones stop abc123"),
        ((results, "describe"), lambda: results.follow("s", print), "scones tune --show s --wait"),
        ((runs, "_run"), lambda: runs._wait_for("job"), "Run job goes on: scones monitor status"),
        ((executions, "describe"), lambda: executions.wait_until_ended("arn:e"), "Execution arn:e goes on"),
        ((hosted, "described"), lambda: hosted.wait_until_settled("e", print), "Endpoint e goes on changing"),
        ((stack, "status_of"), lambda: stack._wait_until_settled("s"), "CloudFormation goes on with stack s"),
        ((inference, "judge"), lambda: inference.judge_all("b", ["k"], None, 2), "nothing more is sent"),
    ],
)
def test_every_wait_says_what_goes_on(
    asked: tuple[Any, str], wait: Callable[[], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*asked, interrupt)
    with pytest.raises(KeyboardInterrupt, match=words):
        wait()


def test_of_nested_waits_the_innermost_words_are_said() -> None:
    with pytest.raises(KeyboardInterrupt, match="inner"), waiting.going_on("outer"), waiting.going_on("inner"):
        raise KeyboardInterrupt
    assert deployment.going_on is waiting.going_on


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Stopped.\n"),
        (KeyboardInterrupt("It goes on."), 130, "Stopped waiting. It goes on.\n"),
        (click.Abort(), 1, "Error: The answer was not yes: nothing was done.\n"),
        (click.UsageError("No."), 2, "Error: No.\n"),
    ],
)
def test_each_end_of_a_command_has_its_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setitem(main.VERBS, "fails", (f"{__name__}:fails", "Fails."))
    monkeypatch.setattr(sys.modules[__name__], "fails", fails, raising=False)
    monkeypatch.setattr(sys, "argv", ["scones", "fails"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == code
    assert capsys.readouterr().err.strip("\n").endswith(said.strip("\n"))

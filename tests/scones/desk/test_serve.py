"""`scones dashboard`: where it listens, what it tells Streamlit, and how it refuses."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cloud_fixtures import Command, LocalCloud
from dashboard_support import made

from project.errors import UsageError
from scones.desk import serve


def test_it_binds_to_the_loopback_interface_and_tells_nobody() -> None:
    given = set(serve.options(8501, False))
    assert {
        "--server.address=127.0.0.1",
        "--server.allowedHosts=127.0.0.1",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
    } <= given
    assert "--server.headless=false" in serve.options(8501, True)


def test_no_site_but_itself_may_steer_it() -> None:
    steering = {one for one in serve.options(8501, False) if one.startswith("--client.allowedOrigins=")}
    assert {one.partition("=")[2] for one in steering} == {"http://127.0.0.1:8501", "http://localhost:8501"}


def test_a_port_that_was_asked_for_and_is_taken_is_refused(
    scones: Command, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    project = made(local_cloud, "desk-port", tmp_path / "project")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = scones("dashboard", "--port", str(other.getsockname()[1]), environment=project.variables)
    assert done.returncode == 2
    assert "in use" in done.stderr and "--port 0" in done.stderr
    assert done.stdout == ""


def test_without_asking_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr(serve, "PORT", taken)
        monkeypatch.setattr(serve, "PORTS", 2)
        try:
            assert serve._free(None) == taken + 1
        except UsageError:  # something else listens on the next one
            monkeypatch.setattr(serve, "PORTS", 50)
            assert taken < serve._free(None) < taken + 50
        monkeypatch.setattr(serve, "PORTS", 1)
        with pytest.raises(UsageError, match="in use"):
            serve._free(None)


def test_without_a_cloud_it_says_so_and_does_not_start(scones: Command) -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = scones("dashboard", "--port", "0", environment=nowhere)
    assert done.returncode == 1
    assert "no answer from http://127.0.0.1:9" in done.stderr and "scones local status" in done.stderr

"""Serving the pages: Streamlit as a child process on the loopback interface, told to ask nothing of the outside."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from project import aws
from project.console import emit, say
from project.errors import SconesError, UsageError
from scones.desk.desk import CHANGES
from scones.desk.door import NAMES
from scones.reports.charts.theme import COLOURS

HOST = "127.0.0.1"
PORT = 8501
OWNER_ONLY = 0o077
"""The umask of the child: what it keeps of captured pictures is nobody else's."""
PAUSE_SECONDS = 0.1
PORTS = 20
"""How many ports from PORT on are tried when none was asked for."""
APP = Path(__file__).with_name("guarded_app.py")


def serve(allow_changes: bool, port: int | None, open_browser: bool) -> None:
    """Serve until interrupted.

    Raises:
        UsageError: Streamlit is not installed, or the port is taken.
        CloudError: no cloud answers.
        SconesError: Streamlit ended by itself.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise UsageError(
            "The dashboard's libraries are not installed.", "Run: pip install 'scones-unlimited[dashboard]'"
        )
    names = aws.names()
    port = _free(port)
    environment = {**os.environ, CHANGES: "1" if allow_changes else "0"}
    command = [sys.executable, "-m", "scones.desk", "run", str(APP), *options(port, open_browser)]
    child = subprocess.Popen(command, env=environment, stdout=sys.stderr, umask=OWNER_ONLY)
    _pass_on_signals(child)
    mode = "changes allowed" if allow_changes else "read-only"
    say(f"Project {names.settings.project} in account {names.account}, {mode}.")
    say("Stop it with Ctrl+C.")
    if _wait_until_listening(child, port):
        emit(f"http://{HOST}:{port}")
    code = child.wait()
    if code > 0:
        raise SconesError(f"The dashboard ended with exit code {code}.", "The lines above say why.")


def options(port: int, open_browser: bool) -> list[str]:
    """Streamlit's settings, on its command line, where no file of the user's can change them."""
    settings = {
        "server.address": HOST,
        "server.port": port,
        "server.headless": not open_browser,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "server.enableStaticServing": False,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": HOST,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": False,
        "global.developmentMode": False,
        "runner.magicEnabled": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
        **_theme("light", 0),
        **_theme("dark", 1),
    }
    hosts = [f"--server.allowedHosts={host}" for host in NAMES]
    # Pages that may steer this one when they hold it in a frame; without the option, those of Streamlit's own sites.
    holders = [f"--client.allowedOrigins=http://{host}:{port}" for host in NAMES]
    return [f"--{name}={_text(value)}" for name, value in settings.items()] + hosts + holders


def _theme(name: str, index: int) -> dict[str, str]:
    """The reports' colours for one of Streamlit's two themes; the reader's system chooses between them."""
    roles = {
        "primaryColor": "series1",
        "backgroundColor": "page",
        "secondaryBackgroundColor": "surface",
        "textColor": "ink",
        "borderColor": "line",
        "linkColor": "series1",
    }
    return {f"theme.{name}.{setting}": COLOURS[role][index] for setting, role in roles.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _free(port: int | None) -> int:
    """The port asked for, or the first free one; 0 asks for any."""
    for candidate in range(PORT, PORT + PORTS) if port is None else (port,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    wanted = f"Port {port} is" if port is not None else f"Ports {PORT} to {PORT + PORTS - 1} are"
    raise UsageError(f"{wanted} in use.", "Name another: scones dashboard --port 0 takes any.")


def _wait_until_listening(child: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the child takes connections; False when it ended before."""
    while child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(PAUSE_SECONDS)
    return False


def _pass_on_signals(child: subprocess.Popen[bytes]) -> None:
    """Whatever ends this process ends Streamlit, with the same signal."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)

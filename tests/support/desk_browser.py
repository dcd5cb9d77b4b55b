"""The operations desk in a real browser: pages that are opened, waited for and clicked."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands import BIN, clean_environment, run_scones
from dashboard_support import Project

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")
PAGES = ("now", "confidence", "drift", "review", "threshold", "pipelines", "models", "batch")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MARKUP = "<img src=x onerror=alert(1)>"
Open = Callable[..., Any]
"""Opens a page by its name: `opened("now", scheme="dark", size=PHONE)`."""


def scones(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(project.folder), **project.variables}
    return run_scones(*words, environment=environment, folder=project.folder)


@contextmanager
def served(project: Project) -> Iterator[str]:
    environment = {**clean_environment(project.folder), **project.variables}
    command = [BIN / "scones", "dashboard", "--allow-changes", "--port", "0"]
    with (project.folder / "dashboard.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, cwd=project.folder, stdout=subprocess.PIPE, stderr=log)
        assert child.stdout
        yield child.stdout.readline().decode().strip()
        child.send_signal(signal.SIGTERM)
        child.stdout.close()
        child.wait(60)


def make_live_for_a_day(project: Project) -> None:
    """Say of the live version that it answered all the captured traffic, which is older than its deployment."""
    parameter = f"/{project.name}/inference/live-model"
    live = json.loads(project.clients["ssm"].get_parameter(Name=parameter)["Parameter"]["Value"])
    earlier = int(live["since"]) - 24 * 3600
    project.clients["ssm"].put_parameter(Name=parameter, Value=json.dumps({**live, "since": earlier}), Overwrite=True)


def settled(page: Any) -> None:
    """Wait until the page is drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_function(
        """() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
           && !document.querySelector('[data-testid=stSkeleton]') && [...document.images].every(e => e.complete)
           && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(e => e.querySelector('.main-svg'))""",
        timeout=60_000,
    )


def click(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def shows(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=60_000)

"""`scones dashboard` in a Chromium, as people use it: each page's first view and what they mainly do there.

A page is there when the script has ended, every picture is loaded and every chart is drawn.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 60_000
"""Milliseconds until the benchmark gives up."""
PAUSE = 700
"""Milliseconds that people look before they do the next thing."""
LOOK = 4000
"""Milliseconds that people read the first page, where the desk loads the library of charts two seconds after it."""
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.images].every(e => e.complete)
    && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(
        e => !e.checkVisibility({visibilityProperty: true}) || e.querySelector('.main-svg'))"""
LEAST_CERTAIN = """e => {
    const plot = e.querySelector('.js-plotly-plot'), {_size, xaxis, yaxis} = plot._fullLayout;
    const {x, y} = plot._fullData[1], least = y.indexOf(Math.min(...y)), box = plot.getBoundingClientRect();
    return [box.x + _size.l + xaxis.d2p(x[least]), box.y + _size.t + yaxis.d2p(y[least])];
}"""
"""Where the least certain record stands in the window."""
TRACES = "n => [...document.querySelectorAll('.js-plotly-plot')].some(e => e._fullData?.length === n)"
PAGES = ("Confidence", "Drift", "Review", "Threshold", "Models", "Batch")


@dataclass(frozen=True)
class Took:
    """Wall seconds of one action, processor seconds of the server and of the browser, and the load average."""

    seconds: float
    server: float
    browser: float
    load: float


Note = Callable[[str, Callable[[], object]], None]
"""Does what is named, and remembers what it took."""


def browser() -> str | None:
    """The Chromium that would be used, or None."""
    return shutil.which("chromium") if importlib.util.find_spec("playwright") else None


def measured(environment: dict[str, str], cold: Path, folder: Path, records: int, rounds: int) -> dict[str, list[Took]]:
    """What everything took, by name: once while the traffic is being read, and `rounds` times after that.

    Args:
        environment: of the dashboard; names a cache that holds everything.
        cold: a cache that holds nothing.
    """
    from playwright.sync_api import sync_playwright

    found: dict[str, list[Took]] = {}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        try:
            with served({**environment, "SCONES_DASHBOARD_CACHE": str(cold)}, folder) as (server, address):
                page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
                note = noting(found, server)
                note("first page while traffic is read", lambda: opened(page, address))
                page.wait_for_timeout(LOOK)
                for title in ("Confidence", "Threshold"):
                    page.wait_for_timeout(PAUSE)
                    note(f"page {title} while it is read", partial(turned_to, page, title))
                page.context.close()
            with served(environment, folder) as (server, address):
                note = noting(found, server)
                for _ in range(rounds):
                    visit(chromium, address, note, records)
                found["(megabytes)"] = [Took(0.0, memory(server), 0.0, os.getloadavg()[0])]
        finally:
            chromium.close()
    return found


def visit(chromium: Any, address: str, note: Note, records: int) -> None:
    """One visitor, who has never been here: every page, and the main interaction on each."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()

    def pausing(name: str, act: Callable[[], object]) -> None:
        page.wait_for_timeout(PAUSE)
        note(name, act)

    note("first page", lambda: opened(page, address))
    page.get_by_text(f"{records:,} captured records").first.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(LOOK)
    actions: dict[str, list[tuple[str, Callable[[], object]]]] = {
        "Confidence": [
            ("click a record", lambda: clicked(page)),
            ("choose a period", lambda: period(page, records)),
        ],
        "Drift": [("leave a feature out", lambda: left_out(page))],
        "Review": [
            ("label a picture", lambda: pressed(page, "1", "1 answer given here")),
            ("take it back", lambda: pressed(page, "u", "Keys: 1, 2, … for a class, 0 for neither, S to skip")),
        ],
        "Threshold": [("move the slider", lambda: moved(page))],
    }
    for title in PAGES:
        pausing(f"page {title}", partial(turned_to, page, title))
        for name, act in actions.get(title, []):
            pausing(name, act)
    page.context.close()


def opened(page: Any, address: str) -> None:
    """Come for the first time, and see the page."""
    page.goto(address)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def turned_to(page: Any, title: str) -> None:
    """Click on a page and see it."""
    page.get_by_role("link", name=title).click()
    page.get_by_role("heading", name=title, exact=True, level=1).wait_for(timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def clicked(page: Any) -> None:
    """Click the least certain record and see its picture."""
    chart = page.get_by_test_id("stPlotlyChart").first
    page.mouse.move(*chart.evaluate(LEAST_CERTAIN), steps=3)
    page.mouse.down()
    page.mouse.up()
    page.locator(".st-key-record-card img").wait_for(timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def period(page: Any, records: int) -> None:
    """Choose seven days and see their charts."""
    page.get_by_text("7 days", exact=True).click()
    page.get_by_text(f"of {records:,} records are below").wait_for(state="hidden", timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def left_out(page: Any) -> None:
    """Take the first feature out of the chart over the runs."""
    page.get_by_test_id("stButtonGroup").get_by_role("button").first.click()
    page.wait_for_function(TRACES, arg=2, timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def pressed(page: Any, key: str, text: str) -> None:
    """Press a key and see what it says."""
    page.keyboard.press(key)
    page.get_by_text(text).wait_for(timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def moved(page: Any) -> None:
    """Move the slider by one step and see what that threshold does."""
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("Would pass at 0.925").wait_for(timeout=PATIENCE)
    page.wait_for_function(SETTLED, timeout=PATIENCE)


@contextmanager
def served(environment: dict[str, str], folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A dashboard that may change things: its process and its address."""
    command = [str(Path(sys.executable).with_name("scones")), "dashboard", "--port", "0", "--allow-changes"]
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            address = child.stdout.readline().strip() if child.stdout else ""
            if not address:
                raise SystemExit(f"The dashboard did not start: {(folder / 'log').read_text()}")
            yield psutil.Process(child.pid), address
        finally:
            child.terminate()
            child.wait(30)
            if child.stdout:
                child.stdout.close()


def noting(found: dict[str, list[Took]], server: psutil.Process) -> Note:
    """A function that does what is named and puts what it took into `found`."""

    def note(name: str, act: Callable[[], object]) -> None:
        ours, theirs = processor(server)
        begun = time.perf_counter()
        act()
        seconds = time.perf_counter() - begun
        ours_then, theirs_then = processor(server)
        took = Took(seconds, ours_then - ours, theirs_then - theirs, os.getloadavg()[0])
        found.setdefault(name, []).append(took)

    return note


def processor(server: psutil.Process) -> tuple[float, float]:
    """Processor seconds of the server's processes so far, and of the browser's."""
    ours = {server, *server.children(recursive=True)}
    theirs = set(psutil.Process().children(recursive=True)) - ours
    return _seconds(ours), _seconds(theirs)


def memory(server: psutil.Process) -> float:
    """Megabytes of the server's processes."""
    return float(sum(one.memory_info().rss for one in {server, *server.children(recursive=True)}) / 2**20)


def _seconds(processes: set[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total

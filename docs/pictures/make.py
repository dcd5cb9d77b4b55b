"""Make the pictures of README and docs again: `make pictures`, which runs the demo first and leaves its local cloud up.

Each is taken by a headless Chromium at 1280 x 800, light and dark, and written beside this file as WebP.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from project.console import say

HERE = Path(__file__).parent
SCONES = Path(sys.executable).with_name("scones")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTH, HEIGHT = 1280, 800
QUALITY = 80
MOST_BYTES = 150_000
DRAWN = """() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(e => e.querySelector('.main-svg'))"""


def main() -> None:
    """Take every picture in both themes; the execution is the one that the live version comes from."""
    with TemporaryDirectory() as folder, desk() as address, sync_playwright() as driver:
        live = next(one for one in asked("models") if one["live"])
        report = asked("report", live["properties"]["execution"], "--no-upload", "--output", f"{folder}/execution")
        midnight = f"{datetime.now(UTC):%Y-%m-%d}"
        monitor = asked("monitor", "report", "--since", midnight, "--output", f"{folder}/monitor")
        shots: dict[str, Callable[[Any], bytes]] = {
            "report": lambda page: taken(page, Path(report["page"]).as_uri()),
            "graph": lambda page: taken(page, Path(report["page"]).as_uri(), ".pipeline-graph"),
            "monitor": lambda page: taken(page, Path(monitor["page"]).as_uri()),
            "desk": lambda page: taken(page, f"{address}/confidence", drawn=DRAWN),
        }
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for theme in ("light", "dark"):
            for name, take in shots.items():
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
                written(take(page), HERE / f"{name}-{theme}.webp")
                page.close()
        browser.close()


def asked(*words: str) -> Any:
    """The JSON that a verb prints."""
    done = subprocess.run([SCONES, *words, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@contextmanager
def desk() -> Iterator[str]:
    """A desk of its own; its address."""
    with subprocess.Popen([SCONES, "dashboard", "--port", "0"], stdout=subprocess.PIPE) as child:
        try:
            yield child.stdout.readline().decode().strip() if child.stdout else ""
        finally:
            child.send_signal(signal.SIGTERM)


def taken(page: Any, address: str, part: str = "", drawn: str = "") -> bytes:
    """A PNG of the page as it opens, or of one part of it."""
    page.goto(address)
    page.wait_for_selector("h1", timeout=60_000)
    if drawn:
        page.wait_for_function(drawn, timeout=60_000)
    found: bytes = page.locator(part).screenshot() if part else page.screenshot()
    return found


def written(png: bytes, file: Path) -> None:
    """Write a picture as WebP; one that is too large for a page is refused."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(file, "WEBP", quality=QUALITY, method=6)
    size = file.stat().st_size
    say(f"{file.name} {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        sys.exit(f"{file}: {size:,} bytes, more than {MOST_BYTES:,}.")


if __name__ == "__main__":
    main()

"""How long the dashboard lets people wait at 100,000 captured records, and how much memory it takes.

    python benchmarks/operations_desk.py [--records N] [--page-seconds 2] [--interaction-seconds 1] [--megabytes 600]

A local cloud gets that many records in files of the size that an endpoint writes. Then, in a process of its own and
with Streamlit's harness: the first page with nothing known (cold), everything read, every page and what people do on
it; the same in a second process (warm). Last, where there is a Chromium, `scones dashboard` itself: from the request
to the page that stands there, and the memory of the server. Exit code 1 if a limit is not kept.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import psutil

from localcloud import up

PROJECT = "desk-benchmark"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
PER_FILE = 1000
PICTURE = 2400
"""Bytes of a picture: a PNG of 32x32 pixels."""
EVERY = timedelta(seconds=8)
PATIENCE = 300.0
READ = "(everything read)"


def main() -> int:
    """Fill a cloud, look at it, and hold what was measured against the limits."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--page-seconds", type=float, default=2.0)
    parser.add_argument("--interaction-seconds", type=float, default=1.0)
    parser.add_argument("--megabytes", type=float, default=600.0)
    parser.add_argument("--visit", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.visit:
        visit(asked.records)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        running = up.start(folder / "state", port=0, sagemaker_port=0)
        try:
            settings = folder / "scones.toml"
            settings.write_text(f'project = "{PROJECT}"\n', encoding="utf-8")
            cache = str(folder / "cache")
            environment = {**os.environ, **up.environment(running), "SCONES_SETTINGS": str(settings)}
            environment |= {"SCONES_DASHBOARD_CACHE": cache, "SCONES_DASHBOARD_CHANGES": "1", "OMP_NUM_THREADS": "1"}
            fill(up.environment(running)["AWS_ENDPOINT_URL"], asked.records)
            found = {start: visited(environment, asked.records) for start in ("cold", "warm")}
            if in_browser := browsed(environment, folder):
                found["browser"] = in_browser
        finally:
            up.stop(folder / "state")
    return told(found, asked)


def fill(address: str, records: int) -> None:
    """Put the parameters and the captured files into the cloud."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    s3, ssm = (session.client(name, endpoint_url=address) for name in ("s3", "ssm"))
    s3.create_bucket(Bucket=BUCKET)
    ssm.put_parameter(Name=f"/{PROJECT}/inference/threshold", Value="0.93", Type="String")
    ssm.put_parameter(Name=f"/{PROJECT}/inference/live-model", Value="{}", Type="String")
    random = np.random.default_rng(0)
    sent = base64.b64encode(random.bytes(PICTURE)).decode()
    start = datetime.now(UTC).replace(microsecond=0) - records * EVERY
    for first in range(0, records, PER_FILE):
        confidences = 0.5 + 0.5 * random.beta(9, 0.8, PER_FILE)
        lines = [line(first + i, float(c), start + (first + i) * EVERY, sent) for i, c in enumerate(confidences)]
        time_of_file = start + first * EVERY
        key = f"captures/{PROJECT}/AllTraffic/{time_of_file:%Y/%m/%d/%H/%M-%S}-000-{first:08d}.jsonl"
        s3.put_object(Bucket=BUCKET, Key=key, Body="".join(lines).encode())


def line(number: int, confidence: float, moment: datetime, sent: str) -> str:
    """One captured record."""
    answer = [confidence, 1 - confidence] if number % 5 < 3 else [1 - confidence, confidence]
    sides = {
        "endpointInput": {"observedContentType": "image/png", "mode": "INPUT", "data": sent, "encoding": "BASE64"},
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": json.dumps(answer),
            "encoding": "JSON",
        },
    }
    event = {"eventId": f"{number:08d}-0000-4000-8000-000000000000", "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}) + "\n"


def visited(environment: dict[str, str], records: int) -> dict[str, float]:
    """Look at every page in a new process; seconds by what was done, and its peak memory."""
    command = [sys.executable, __file__, "--visit", "--records", str(records)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def visit(records: int) -> None:
    """In that process: draw pages and use them as people do, with Streamlit's own harness."""
    import logging

    from streamlit.testing.v1 import AppTest

    logging.disable(logging.WARNING)
    found: dict[str, float] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        result = act()
        found[name] = time.perf_counter() - begun
        return result

    def page(title: str) -> Any:
        script = f"from dashboard.app import PAGES, page\npage(dict((t, s) for t, _, s in PAGES)[{title!r}])()"
        app = AppTest.from_string(script, default_timeout=120).run()
        if app.exception or app.error:
            raise SystemExit(f"page {title}: {app.exception} {app.error}")
        return app

    from dashboard.__main__ import prepare
    from dashboard.desk import close, desk

    prepare()
    begun = time.perf_counter()
    timed("first page", lambda: page("Now"))
    timed("page while traffic is read", lambda: page("Confidence"))
    feed = desk().feed
    while len(feed.table.records) < records:
        if time.perf_counter() - begun > PATIENCE:
            raise SystemExit(f"only {len(feed.table.records)} records after {PATIENCE:.0f} s")
        time.sleep(0.05)
    found[READ] = time.perf_counter() - begun
    titles = ("Now", "Confidence", "Review", "Threshold")
    apps = {title: timed(f"page {title}", partial(page, title)) for title in titles}
    choose = apps["Confidence"].segmented_control(key="confidence-period")
    timed("choose a period", lambda: choose.set_value("7 days").run())
    timed("label a picture", lambda: apps["Review"].button(key="answer-0").click().run())
    timed("take it back", lambda: apps["Review"].button(key="undo").click().run())
    timed("draw at random", lambda: apps["Review"].segmented_control(key="review-order").set_value("at random").run())
    timed("move the slider", lambda: apps["Threshold"].slider(key="threshold-tried").set_value(0.8).run())
    apps["Threshold"].text_input(key="why").set_value("a benchmark")
    timed("apply the threshold", lambda: apps["Threshold"].button(key="apply-button").click().run())
    timed("roll it back", lambda: apps["Threshold"].button(key="roll-back").click().run())
    close()
    found["(megabytes)"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def browsed(environment: dict[str, str], folder: Path) -> dict[str, float]:
    """`scones dashboard` in a browser: seconds by what was done, and the memory of the server; {} without a browser."""
    chromium = shutil.which("chromium")
    if not chromium or importlib.util.find_spec("playwright") is None:
        return {}
    from playwright.sync_api import sync_playwright

    found: dict[str, float] = {}
    command = [str(Path(sys.executable).with_name("scones")), "dashboard", "--port", "0"]
    with (folder / "log").open("wb") as log, sync_playwright() as driver:
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            page = browser.new_page()
            for name, link, text in (
                ("first page", "", "captured records, the newest"),
                ("page Confidence", "Confidence", "Latency of the model"),
                ("page Review", "Review", "Keys:"),
                ("page Threshold", "Threshold", "History"),
            ):
                begun = time.perf_counter()
                if link:
                    page.get_by_role("link", name=link).click()
                else:
                    page.goto(address)
                page.get_by_text(text).first.wait_for(timeout=60_000)
                found[name] = time.perf_counter() - begun
            page.get_by_role("slider").focus()
            begun = time.perf_counter()
            page.keyboard.press("ArrowLeft")
            page.get_by_text("Would pass at 0.925").wait_for(timeout=60_000)
            found["move the slider"] = time.perf_counter() - begun
            [streamlit] = psutil.Process(server.pid).children()
            found["(megabytes)"] = streamlit.memory_info().rss / 2**20
        finally:
            browser.close()
            server.terminate()
            server.wait(30)
            if server.stdout:
                server.stdout.close()
    return found


def told(found: dict[str, dict[str, float]], asked: argparse.Namespace) -> int:
    """Print the table; 1 if a limit is not kept."""
    late = False
    print(f"{asked.records:,} captured records\n{'':34}" + "".join(f"{start:>10}" for start in found))
    for name in dict.fromkeys(name for values in found.values() for name in values):
        values = [values.get(name) for values in found.values()]
        limit = _limit(name, asked)
        beyond = limit is not None and max(value for value in values if value is not None) > limit
        late = late or beyond
        unit = "" if "mega" in name else " s"
        shown = "".join(" " * 10 if value is None else f"{value:{10 - len(unit)}.3g}{unit}" for value in values)
        print(f"{name:34}{shown}{f'  beyond {limit:g}' if beyond else ''}")
    return int(late)


def _limit(name: str, asked: argparse.Namespace) -> float | None:
    if "mega" in name:
        return float(asked.megabytes)
    if name == READ:
        return None
    return float(asked.page_seconds if "page" in name else asked.interaction_seconds)


if __name__ == "__main__":
    raise SystemExit(main())

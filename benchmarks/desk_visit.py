"""The server's part of the dashboard's work, in this process and with Streamlit's own harness: every page and its use.

Prints what each took as JSON; `benchmarks/operations_desk.py` runs it.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from streamlit.testing.v1 import AppTest

from pipelines.runs.executions import execution_id, resolve
from scones.desk.__main__ import prepare
from scones.desk.desk import close, desk

PATIENCE = 300.0
TIMES = 3
Found = dict[str, list[tuple[float, float]]]
"""Name to wall and processor seconds, one pair each time."""


def main(records: int) -> None:
    """Look at everything, while the traffic is read and afterwards."""
    logging.disable(logging.WARNING)
    found: Found = {}
    prepare()
    begun, before = time.perf_counter(), time.process_time()
    timed(found, "first page while traffic is read", lambda: page("Now"))
    timed(found, "page Confidence while it is read", lambda: page("Confidence"))
    feed = desk().feed
    while len(feed.table.records) < records:
        if time.perf_counter() - begun > PATIENCE:
            raise SystemExit(f"only {len(feed.table.records)} records after {PATIENCE:.0f} s")
        time.sleep(0.05)
    found["(everything read)"] = [(time.perf_counter() - begun, time.process_time() - before)]
    for _ in range(TIMES):
        use(found)
    close()
    found["(megabytes)"] = [(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0.0)]
    print(json.dumps(found))


def use(found: Found) -> None:
    """Every page, and what people do there."""
    titles = ("Now", "Confidence", "Drift", "Review", "Threshold", "Pipelines", "Models", "Batch")
    apps = {title: timed(found, f"page {title}", partial(page, title)) for title in titles}
    review, threshold = apps["Review"], apps["Threshold"]
    choose = apps["Confidence"].segmented_control(key="period")
    timed(found, "choose a period", lambda: choose.set_value("7 days").run())
    timed(found, "label a picture", lambda: review.button(key="answer-0").click().run())
    timed(found, "take it back", lambda: review.button(key="undo").click().run())
    timed(found, "draw at random", lambda: review.segmented_control(key="order").set_value("at random").run())
    timed(found, "move the slider", lambda: threshold.slider(key="threshold-tried").set_value(0.8).run())
    timed(found, "open an execution", lambda: open_execution(apps["Pipelines"]))
    threshold.text_input(key="why").set_value("a benchmark")
    timed(found, "apply the threshold", lambda: threshold.button(key="apply-button").click().run())
    timed(found, "roll it back", lambda: threshold.button(key="roll-back").click().run())


def open_execution(pipelines: Any) -> None:
    """The latest execution, by its address."""
    pipelines.query_params["execution"] = execution_id(resolve(desk().names.settings.pipeline_name, None))
    pipelines.run()
    if pipelines.exception or "Step-29" not in str(pipelines.get("bidi_component")[0].proto):
        raise SystemExit(f"the execution was not drawn: {pipelines.exception} {pipelines.error}")


def timed(found: Found, name: str, act: Callable[[], Any]) -> Any:
    """What `act` gives, and its time in `found`."""
    begun, before = time.perf_counter(), time.process_time()
    result = act()
    found.setdefault(name, []).append((time.perf_counter() - begun, time.process_time() - before))
    return result


def page(title: str) -> Any:
    """A page, drawn."""
    script = f"from scones.desk.app import PAGES, page\npage(dict((t, s) for t, _, s in PAGES)[{title!r}])()"
    app = AppTest.from_string(script, default_timeout=120).run()
    if app.exception or app.error:
        raise SystemExit(f"page {title}: {app.exception} {app.error}")
    return app


if __name__ == "__main__":
    main(int(sys.argv[1]))

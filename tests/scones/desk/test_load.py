"""What keeps the desk quick at 100,000 records, whatever the machine: little is sent, little is done again."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from capture_files import CLASSES
from cloud_fixtures import eventually
from plotly.graph_objects import Figure

from monitoring.watch.history import History
from project import aws
from project.errors import SconesError
from scones.desk.data import confidence, threshold_effects
from scones.desk.data.captures import Feed
from scones.desk.data.records import RECORD, Records, Table, answered
from scones.reports.charts import traffic as charts
from scones.reports.charts.theme import painted

pytest.importorskip("streamlit")
from streamlit.testing.v1 import AppTest

from scones.desk import __main__ as process
from scones.desk.views.confidence import scatter

MANY = 100_000
MOST_POINTS = 1_000
MOST_BYTES = 200_000
"""Of one chart as it goes to the browser."""
CHARTS: list[Callable[[History], Figure]] = [
    charts.confidence_over_time,
    charts.confidence_histogram,
    charts.above_and_below,
    lambda history: charts.class_mix(history, {}),
]


@pytest.fixture(scope="module")
def many() -> Records:
    random = np.random.default_rng(2)
    found = np.zeros(MANY, RECORD)
    found["time"] = 1_700_000_000 + 8 * np.arange(MANY)
    found["confidence"] = 0.5 + 0.5 * random.beta(9, 0.8, MANY)
    found["predicted"] = random.integers(0, 2, MANY)
    found["event"] = [f"{i:08d}-0000-4000-8000-000000000000".encode() for i in range(MANY)]
    return found


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_sends_a_summary_and_not_the_records(chart: Callable[[History], Figure], many: Records) -> None:
    figure = painted(chart(confidence.history(many, CLASSES, 0.93)), "light")
    assert sum(len(trace.x) for trace in figure.data) <= MOST_POINTS
    assert len(figure.to_json()) <= MOST_BYTES


def test_the_records_that_are_drawn_one_by_one_are_few(many: Records) -> None:
    shown = many[confidence.sample(many, 0.93)]
    figure = scatter(shown, CLASSES, 0.93)
    assert 0 < sum(len(trace.x) for trace in figure.data) <= MOST_POINTS
    assert len(figure.to_json()) <= MOST_BYTES
    chosen = figure.data[1].customdata[0]
    assert shown[chosen]["event"].decode() in figure.data[1].hovertext[0], "a point gives back its own record"


def test_a_chart_does_not_look_new_beside_a_copy_of_itself() -> None:
    script = """
from scones.desk.charts import show_chart
from scones.desk.views.now import unseen
show_chart(unseen(), "key", "words")
"""
    app = AppTest.from_string(script, default_timeout=30).run()
    layout = json.loads(app.get("plotly_chart")[0].proto.spec)["layout"]
    assert layout["datarevision"] and "template" not in layout, "Plotly would draw it twice"


@pytest.fixture
def thawed() -> Iterator[None]:
    """A collector that looks through everything again afterwards."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_collecting_garbage_after_a_run_does_not_look_through_what_was_loaded_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_cloud() -> None:
        raise SconesError("no cloud answers")

    monkeypatch.setattr(process, "desk", no_cloud)
    process.prepare()
    assert gc.get_freeze_count() > 50 * len(gc.get_objects())


def test_looking_at_everything_copies_nothing(many: Records) -> None:
    table = Table(many, ("one",), ("AllTraffic",))
    assert np.shares_memory(answered(table.chosen()), many)


def test_moving_the_slider_asks_no_cloud_and_reads_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
from datetime import UTC, datetime
import numpy as np
from scones.desk.data import threshold_effects
from scones.desk.views.threshold import tune
from stepfunctions.threshold import Change
sure = np.linspace(0.5, 1, 1001)
traffic = threshold_effects.traffic(sure, sure[::10], sure[::10] > 0.6)
tune(traffic, 0.5, Change(1, 0.93, datetime.now(UTC), "Ann", ""), "name")
"""
    asked: list[str] = []
    monkeypatch.setattr(aws, "client", asked.append)
    app = AppTest.from_string(script, default_timeout=30).run()
    app.slider(key="threshold-tried").set_value(0.75).run()
    assert not app.exception and not app.error
    metrics = {one.label: one.value for one in app.metric}
    assert metrics["Would pass at 0.75"] == "50.0 %"
    assert metrics["Right, of labelled ones that pass"] == "100.0 %"
    assert asked == []


def test_a_slider_move_does_not_look_at_every_record(monkeypatch: pytest.MonkeyPatch) -> None:
    known = threshold_effects.traffic(np.linspace(0.5, 1, MANY), np.empty(0), np.empty(0, bool))
    monkeypatch.setattr(np, "sort", None)
    monkeypatch.setattr(np, "argsort", None)
    assert known.effect(0.75).passing == MANY // 2


def test_reading_stands_back_while_a_page_is_drawn() -> None:
    feed = Feed("bucket", "captures/nobody/", CLASSES)
    order: list[str] = []

    def read() -> None:
        feed._stand_back()
        order.append("read")

    reader = threading.Thread(target=read)
    try:
        with feed.standing_back():
            reader.start()
            eventually(lambda: len(feed._news._waiters) == 1)  # type: ignore[attr-defined]  # who waits is private
            order.append("drawn")
        reader.join(30)
    finally:
        feed.close()
    assert order == ["drawn", "read"]


def test_a_page_that_waits_for_traffic_does_not_keep_it_from_being_read() -> None:
    feed = Feed("bucket", "captures/nobody/", CLASSES)
    reader = threading.Thread(target=feed._stand_back)
    try:
        with feed.standing_back():
            reader.start()
            while reader.is_alive():
                assert len(feed.wait(0.05).records) == 0
    finally:
        feed.close()

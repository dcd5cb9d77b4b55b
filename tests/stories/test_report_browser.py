"""A report's page in a real browser: it draws, follows the reader's theme, prints, and asks nothing of anybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from accessibility import found_by_axe
from capture_files import traffic
from cloud_fixtures import eventually
from execution_facts import full
from plotly.offline import get_plotlyjs

from monitoring.analysis.analyze import read_baseline
from monitoring.analysis.environment import job
from scones.reports import monitor_page
from scones.reports.charts import layout
from scones.reports.charts.marks import line
from scones.reports.charts.theme import colour
from scones.reports.charts.words import times
from scones.reports.execution_page import page

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver here: pip install -e '.[dev]'")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here: apt-get install chromium")

HOSTILE = "</script><img src=x onerror=alert(1)><b>%{x}</b>"
WIDTHS = "() => [...document.querySelectorAll('.chart .main-svg')].map(e => Number(e.getAttribute('width')))"
TICKS = """async figure => {
    await Plotly.newPlot('chart', figure.data, figure.layout);
    return [...document.querySelectorAll('.xtick text')].map(one => {
        const box = one.getBoundingClientRect();
        return [box.left, box.right, one.textContent];
    });
}"""
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("report") / "index.html"
    written.write_text(page(full((HOSTILE, "bus"))), encoding="utf-8")
    return written


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Open]:
    """Open the page; a request, a complaint of the browser's or a dialog fails the test."""
    contexts, wrong = [], []

    def open_page(**settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        shown = context.new_page()
        shown.on("request", lambda one: wrong.append(one.url) if not one.url.startswith(("data:", "blob:")) else None)
        shown.on("console", lambda one: wrong.append(one.text))
        shown.on("pageerror", lambda one: wrong.append(str(one)))
        shown.on("dialog", lambda one: (wrong.append(one.message), one.dismiss()))
        shown.goto(file.as_uri())
        assert wrong == [file.as_uri()]
        wrong.clear()
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def look_at_all(shown: Any) -> int:
    """Bring every chart into view, one after the other, until it is drawn; how many there are."""
    charts = shown.locator(".chart")
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()
    return int(charts.count())


def surface_of(shown: Any) -> str:
    return str(shown.evaluate("document.querySelector('.chart')._fullLayout.paper_bgcolor"))


def test_charts_are_drawn_when_they_come_into_view_and_names_are_text(opened: Open) -> None:
    shown = opened()
    assert shown.locator(".chart .main-svg").count() < 3 * shown.locator(".chart").count(), "not all at once"
    assert look_at_all(shown) == 8
    assert HOSTILE in shown.locator("#per-class .chart").text_content()
    assert shown.locator("img[src=x]").count() == 0
    shown.locator("#durations").scroll_into_view_if_needed()
    shown.locator("#durations .point").nth(1).hover(force=True)  # Plotly's own layer lies over it
    assert "Train: 8.2 s" in shown.locator("#durations .hovertext").first.text_content()


def test_an_open_page_follows_the_readers_theme(opened: Open) -> None:
    shown = opened(color_scheme="light")
    look_at_all(shown)
    assert surface_of(shown) == colour("surface", "light")
    shown.emulate_media(color_scheme="dark")
    eventually(lambda: surface_of(shown) == colour("surface", "dark"))


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_its_window(opened: Open, width: int) -> None:
    shown = opened(viewport={"width": width, "height": 900})
    look_at_all(shown)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_reports_are_accessible(
    browser: Any, file: Path, baseline_folder: Path, tmp_path: Path, scheme: str
) -> None:
    asked = job({"dataset_source": str(traffic(tmp_path / "c", 200, seed=2, shade=0.6)), "output_path": "unused"})
    known = read_baseline(baseline_folder / "statistics.json", baseline_folder / "constraints.json")
    monitored = monitor_page.write(monitor_page.read_traffic(asked, known, datetime.now(UTC)), tmp_path)
    context = browser.new_context(color_scheme=scheme)
    shown, barriers = context.new_page(), []
    for report in (file, monitored):
        shown.goto(report.as_uri())
        look_at_all(shown)
        barriers += [f"{report.name}: {one}" for one in found_by_axe(shown)]
    context.close()
    assert barriers == []


def test_it_is_printed_light_with_every_chart_in_its_card_whatever_was_seen_before(opened: Open) -> None:
    shown = opened(color_scheme="dark")
    shown.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = ({WIDTHS})() }})")
    shown.evaluate(
        "addEventListener('beforeprint', () => { window.surface = "
        "document.querySelector('.chart')._fullLayout.paper_bgcolor })"
    )
    shown.evaluate(
        "addEventListener('beforeprint', () => { window.folded = document.querySelectorAll('.panel details').length "
        "- document.querySelectorAll('.panel details[open]').length })"
    )
    assert shown.pdf().startswith(b"%PDF")
    assert shown.evaluate("window.folded") == 0, "what cannot be opened on paper is open"
    shown.emulate_media(media="print")
    cuts = "all => all.filter(one => getComputedStyle(one).breakInside !== 'avoid').length"
    assert shown.locator(".card, .panel:not(.long), figure").evaluate_all(cuts) == 0, (
        "no card is cut by the end of a page"
    )
    shown.emulate_media(media="screen")
    printed = shown.evaluate("window.printed")
    assert len(printed) == 3 * 8 and set(printed) == {322, 680}
    assert shown.evaluate("window.surface") == colour("surface", "light")
    assert surface_of(shown) == colour("surface", "dark"), "the screen's theme is back"


def test_a_chart_is_saved_as_a_picture(opened: Open) -> None:
    shown = opened()
    chart = shown.locator("#roc .chart")
    chart.scroll_into_view_if_needed()
    chart.locator(".main-svg").first.wait_for()
    chart.hover()
    with shown.expect_download() as download:
        chart.locator(".modebar-btn").first.click()
    assert download.value.suggested_filename == "roc.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_without_scripts_every_chart_is_a_table(opened: Open) -> None:
    shown = opened(java_script_enabled=False)
    summaries = shown.locator("figure summary")
    assert summaries.count() == 8
    assert not shown.locator(".chart").first.is_visible()
    summaries.nth(0).click()
    assert shown.locator("figure").nth(0).get_by_text("epoch 1", exact=True).is_visible()


@pytest.mark.parametrize("start", [1795914057, 1798761000, 1795953600])
def test_times_stand_beside_each_other_on_a_phone(browser: Any, start: int) -> None:
    """Whatever the axis spans, from a minute to months: inside a card of 300 pixels no tick's label meets another's."""
    shown = browser.new_page()
    shown.set_content("<div id=chart style='width:300px'></div>")
    shown.add_script_tag(content=get_plotlyjs())
    spans = [60, 120, 300, 600, 1800, *(hour * 3600 for hour in (1, 5, 12, 24, 72, 168, 480, 1440, 4800))]
    for span in spans:
        edges = (float(start), float(start + span))
        drawn = layout.chart(line("", times(edges), [0, 1], "series1", where=["", ""]), layout.time_axis(*edges), {})
        labels = sorted(shown.evaluate(TICKS, drawn.update_layout(width=300).to_plotly_json()))
        assert len(labels) >= 2, span
        assert all(a[1] < b[0] for a, b in pairwise(labels)), (span, labels)
        assert labels[-1][1] <= 310, (span, labels)
    shown.close()

"""The desk's pages as a browser shows them: without a cloud, on a phone, in the dark, with markup in the traffic."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from accessibility import found_by_axe
from capture_files import entry, picture
from cloud_fixtures import LocalCloud, eventually
from dashboard_support import Project, capture, made, resources
from desk_browser import DESKTOP, MARKUP, PAGES, PHONE, SHOTS, Open, served, settled, shows
from numpy.random import default_rng

from localcloud import up

TALLEST = 4000
"""Pixels of a page in a picture."""


STALE = "getComputedStyle(document.querySelector('[data-testid=stMetricLabel] p'), '::after').content"


def test_without_a_cloud_what_is_known_stays_as_stale_and_goes_on_by_itself(
    state: Path, tmp_path: Path, browser: Any
) -> None:
    running = up.start(state, port=0, sagemaker_port=0)
    cloud = LocalCloud(state, running.addresses, up.environment(running), {}, state)
    project = made(cloud, "desk-gone", tmp_path)
    resources(project)
    capture(project, 30)
    with served(project) as address:
        page = browser.new_context().new_page()
        page.goto(f"{address}/threshold")
        shows(page, "30 captured records")
        place = "desk-gone · account 000000000000 · us-east-1 · local cloud"
        assert page.title() == f"Threshold · {place} · changes allowed"
        why = page.get_by_label("Why", exact=True)
        why.press_sequentially("half a sent")
        up.stop(state)
        shows(page, "marked as stale")
        assert page.get_by_test_id("stAlert").count() == 1
        assert "stale" in page.evaluate(STALE)
        page.get_by_text("1 hour", exact=True).click()
        settled(page)
        assert page.get_by_test_id("stAlert").count() == 1, "a page is drawn of what is known"
        shows(page, "30 captured records")
        up.start(state)
        page.get_by_text("marked as stale").wait_for(state="hidden", timeout=60_000)
        capture(project, 12, seed=1, variant="Other")
        shows(page, "42 captured records")
        assert why.input_value() == "half a sent"
        page.context.close()


LEAST_CERTAIN = """e => {
    const plot = e.querySelector('.js-plotly-plot'), {_size, xaxis, yaxis} = plot._fullLayout;
    const {x, y} = plot._fullData[1], least = y.indexOf(Math.min(...y)), box = plot.getBoundingClientRect();
    return [box.x + _size.l + xaxis.d2p(x[least]), box.y + _size.t + yaxis.d2p(y[least])];
}"""
"""Where the least certain record stands in the window: a point with nothing around it."""


def test_a_click_on_a_point_shows_its_picture(opened: Open) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    page = opened("confidence")
    chart = page.get_by_test_id("stPlotlyChart").first
    card = page.locator(".st-key-record-card")

    def clicked() -> bool:
        page.mouse.move(0, 0)
        try:
            chart.scroll_into_view_if_needed()
            page.mouse.move(*chart.evaluate(LEAST_CERTAIN), steps=3)
            chart.locator(".hovertext").first.wait_for(timeout=5_000)
            page.mouse.down()
            page.mouse.up()
            card.wait_for(timeout=5_000)
        except playwright.Error:
            return False  # the page was drawn again meanwhile, because all was read now
        return True

    eventually(clicked, patience=60)  # the chart moves while those below it are drawn
    card.get_by_text("is below the threshold").wait_for()
    card.locator("img").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_desk_and_a_phone_and_is_accessible(opened: Open, scheme: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page, barriers = opened("now", scheme), []
    for name in PAGES:
        page.goto(page.url.rpartition("/")[0] + ("/" if name == "now" else f"/{name}"))
        settled(page)
        for size, view in (("desktop", DESKTOP), ("phone", PHONE)):
            page.set_viewport_size(view)
            tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({**view, "height": min(TALLEST, max(tall, view["height"]))})
            page.screenshot(path=SHOTS / f"{name}-{scheme}-{size}.png")
            wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            assert wide <= view["width"], f"{name} is {wide} pixels wide on a {size}"
        page.set_viewport_size(DESKTOP)
        assert not page.get_by_test_id("stException").count(), name
        barriers += [f"{name}: {one}" for one in found_by_axe(page)]
    assert barriers == []


def test_markup_in_captured_traffic_is_text_on_every_page(project: Project, opened: Open) -> None:
    """Anybody who may invoke the endpoint chooses inference ids; file names and variants are others' as well."""
    now = datetime.now(UTC).replace(microsecond=0)
    sent = picture(default_rng(3), side=32)
    hostile = [entry(f"{MARKUP}{i}", (0.51, 0.49), sent, now, inference_id=f"{MARKUP}-{i}") for i in range(3)]
    wrong = {**entry("e", None, sent, now), "eventVersion": MARKUP}
    lines = "".join(json.dumps(one) + "\n" for one in (*hostile, wrong))
    for variant in ("AllTraffic", MARKUP.replace("/", "")):
        folder = f"captures/{project.name}/{variant}/{now:%Y/%m/%d/%H}"
        project.put(f"{folder}/59-00-000-{MARKUP.replace('/', '')}.jsonl", lines)
    said: list[str] = []
    page = opened("now")
    page.on("dialog", lambda one: (said.append(one.message), one.dismiss()))
    shows(page, "could not be used")
    for name in PAGES:
        page.goto(page.url.rpartition("/")[0] + ("/" if name == "now" else f"/{name}"))
        settled(page)
        for expander in page.locator("[data-testid=stExpander] summary").all():
            expander.click()
        settled(page)
        if name == "now":
            assert "onerror=alert(1)" in str(page.locator("body").inner_text()), "the damaged line is named, as text"
        assert page.locator("img[src='x']").count() == 0, name
    assert said == []

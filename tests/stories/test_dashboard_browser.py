"""The operations desk in a real browser, against the deployed template: approve, watch, label, tune, start a batch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from accessibility import found_by_axe
from capture_files import entry, picture, traffic
from cloud_fixtures import LocalCloud, eventually
from commands import BIN, clean_environment, run_scones
from dashboard_support import REGION, Project, baseline, capture, made, monitor_run, register, resources
from endpoint_support import archive
from foreign_pipeline import ForeignPipeline
from numpy.random import default_rng
from PIL import Image
from story_support import BY_BRIGHTNESS

from localcloud import up

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver here: pip install -e '.[dev]'")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here: apt-get install chromium")

PAGES = ("now", "confidence", "drift", "review", "threshold", "pipelines", "models", "batch")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TALLEST = 4000
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, baseline_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A live version, twenty hours of captured traffic, and three runs of the monitor."""
    project = made(local_cloud, "desk-browser", tmp_path_factory.mktemp("desk"), "[serving]\nbake_seconds = 0\n")
    deployed = scones(project, "infra", "deploy")
    assert deployed.returncode == 0, deployed.stderr
    project.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=project.name)
    project.put("models/1/model.tar.gz", archive({"code/inference.py": textwrap.dedent(BY_BRIGHTNESS).encode()}))
    baseline(project, baseline_folder)
    register(project)
    approved = scones(project, "approve", "--wait")
    assert approved.returncode == 0, approved.stderr
    make_live_for_a_day(project)
    capture(project, 400, every=timedelta(minutes=3), seed=5)
    with pytest.MonkeyPatch.context() as patch:
        for hours, shade in ((3, 1.0), (2, 0.9), (1, 0.7)):
            source = traffic(project.folder / f"traffic-{hours}", 120, seed=hours, shade=shade)
            monitor_run(project, source, baseline_folder, datetime.now(UTC) - timedelta(hours=hours), patch)
    return project


def make_live_for_a_day(project: Project) -> None:
    """Say of the live version that it answered all the captured traffic, which is older than its deployment."""
    parameter = f"/{project.name}/inference/live-model"
    live = json.loads(project.clients["ssm"].get_parameter(Name=parameter)["Parameter"]["Value"])
    earlier = int(live["since"]) - 24 * 3600
    project.clients["ssm"].put_parameter(Name=parameter, Value=json.dumps({**live, "since": earlier}), Overwrite=True)


def scones(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(project.folder), **project.variables}
    return run_scones(*words, environment=environment, folder=project.folder)


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    """A dashboard that may change things."""
    with served(project) as found:
        yield found


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield started
        started.close()


Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Open]:
    """Open a page; whatever it asks of another server fails the test."""
    contexts, outside = [], []

    def noted(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            outside.append(request.url)

    def open_page(name: str, scheme: str = "light", size: dict[str, int] = DESKTOP) -> Any:
        context = browser.new_context(color_scheme=scheme, viewport=size)
        contexts.append(context)
        page = context.new_page()
        page.on("request", noted)
        page.goto(address if name == "now" else f"{address}/{name}")
        settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert outside == []


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


def test_a_version_is_approved_and_seen_to_go_in_service(project: Project, opened: Open) -> None:
    arn = register(project)
    number = arn.rpartition("/")[2]
    page = opened("models")
    click(page, f"Approve version {number}…")
    shows(page, "The deploy workflow makes the endpoint" if number == "1" else "The deploy workflow puts")
    page.get_by_label("Your name").fill("ana")
    page.get_by_label("Why").fill("sharp enough")
    click(page, f"Approve version {number} now")
    shows(page, f"Version {number} is approved")
    shows(page, f"Version {number}: succeeded")
    page = opened("now")
    shows(page, "In service")
    shows(page, f"model version {number}")
    package = project.clients["sagemaker"].describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Approved", "By ana: sharp enough")
    make_live_for_a_day(project)


def captured(project: Project) -> set[str]:
    """Every name that a label may call a captured record."""
    found = set()
    for key in project.keys("captures/"):
        content = project.clients["s3"].get_object(Bucket=project.bucket, Key=key)["Body"].read()
        events = [json.loads(line)["eventMetadata"] for line in content.splitlines()]
        found |= {event[name] for event in events for name in ("eventId", "inferenceId") if name in event}
    return found


def test_a_key_labels_a_picture_and_another_takes_it_back(project: Project, opened: Open) -> None:
    page = opened("review")
    page.locator("[data-testid=stImage] img").first.wait_for()
    page.keyboard.press("2")
    shows(page, "1 answer given here")
    [key] = project.keys("ground-truth/")
    label = json.loads(project.clients["s3"].get_object(Bucket=project.bucket, Key=key)["Body"].read())
    assert label["groundTruthData"] == {"data": "1", "encoding": "CSV"}
    assert label["eventMetadata"]["eventId"] in captured(project)
    page.keyboard.press("u")
    eventually(lambda: not project.keys("ground-truth/"))
    page.locator(".st-key-review-gallery").get_by_text("bicycle", exact=True).first.click()
    eventually(lambda: len(project.keys("ground-truth/")) == 1)
    shows(page, "Right, of labelled records")


def test_the_next_delivery_is_judged_by_the_threshold_that_was_applied(project: Project, opened: Open) -> None:
    grey = project.folder / "grey.png"
    Image.new("RGB", (32, 32), (128, 128, 128)).save(grey)
    refused = scones(project, "invoke", str(grey))
    assert refused.returncode == 1 and "0.93" in refused.stderr
    page = opened("threshold")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")  # the least that two classes can have
    settled(page)
    shows(page, "Would pass at 0.5")
    page.get_by_label("Why", exact=True).fill("everything goes today")
    click(page, "Apply 0.5")
    shows(page, "The threshold is 0.5 now")
    shows(page, "everything goes today")
    eventually(lambda: scones(project, "invoke", str(grey)).returncode == 0)
    click(page, "Roll back")
    shows(page, "The threshold is 0.93 now")


def test_a_batch_is_started_followed_and_its_summary_downloaded(project: Project, opened: Open) -> None:
    for number, grey in enumerate((10, 250, 128)):
        file = project.folder / "picture.png"
        Image.new("RGB", (32, 32), (grey, grey, grey)).save(file)
        project.put(f"pictures/{number}.png", file.read_bytes())
    page = opened("batch")
    page.get_by_label("Prefix", exact=True).fill("pictures/")
    click(page, "Start")
    shows(page, f"s3://{project.bucket}/pictures/: succeeded")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the summary").click()
    summary = json.loads(Path(download.value.path()).read_text())
    assert (summary["images"], summary["routed"], len(summary["low_confidence"])) == (3, 2, 1)


def test_somebody_elses_pipeline_is_followed_and_its_link_sent(
    project: Project, local_cloud: LocalCloud, opened: Open
) -> None:
    session = boto3.Session("test", "test", region_name=REGION)
    queues = session.client("sqs", endpoint_url=local_cloud.addresses.ministack)
    if "bucket" not in [one["Name"] for one in project.clients["s3"].list_buckets()["Buckets"]]:
        project.clients["s3"].create_bucket(Bucket="bucket")
    pipeline = ForeignPipeline(project.clients["sagemaker"], queues, "desk-browser-foreign")
    arn = pipeline.start("watched", Note=MARKUP)
    token = pipeline.wait_for_question()
    problem = {
        "since": datetime.now(UTC).isoformat(),
        "times": 1,
        "what": "Pipeline execution failed",
        "measured": [arn],
    }
    project.put("alerts/open/pipeline.json", json.dumps(problem))
    page = opened("now")
    page.on("dialog", lambda one: pytest.fail(one.message))
    page.get_by_role("link", name="Open the execution").click()
    page.locator("a[data-step=AskSomebody]").wait_for(timeout=60_000)
    project.clients["s3"].delete_object(Bucket=project.bucket, Key="alerts/open/pipeline.json")
    link = page.url
    click(page, "All executions of desk-browser-foreign")
    page.get_by_role("link", name="watched").click()
    page.locator("a[data-step=AskSomebody]").wait_for(timeout=60_000)
    assert page.url == link
    page.locator("a[data-step=Measure]").click()
    shows(page, f"measuring 50 {MARKUP}")
    assert page.url.endswith("step=Measure")
    pipeline.answer(token, MARKUP)
    page.locator("a[data-step=AskSomebody][aria-label*=succeeded]").wait_for(timeout=60_000)
    shows(page, "Resume…")
    pipeline.wait(arn)
    page.goto(page.url.replace("Measure", "Tidy"))
    settled(page)
    shows(page, "nothing to tidy")
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= size["width"]
        page.screenshot(path=SHOTS / f"execution-{size['width']}.png", full_page=True)
    assert page.locator("img[src='x']").count() == 0


def test_an_alert_leads_to_the_picture_that_caused_it_in_two_clicks(project: Project, opened: Open) -> None:
    problem = {"since": datetime.now(UTC).isoformat(), "times": 1, "told": 1, "measured": ["contrast: 3.9 times"]}
    for key in ("drift", "low-confidence"):
        project.put(f"alerts/open/{key}.json", json.dumps({**problem, "what": f"Traffic differs: {key}"}))
    clicks = []
    for link, pictures in (
        ("The pictures that are unlike the test set", ".st-key-drift-pictures img"),
        ("The least certain pictures", ".st-key-review-first img"),
    ):
        page = opened("now")
        page.evaluate("window.clicks = 0; addEventListener('click', () => window.clicks += 1, true)")
        page.get_by_role("link", name=link).click()
        page.locator(pictures).first.wait_for(timeout=60_000)
        clicks.append(page.evaluate("window.clicks"))
    for key in project.keys("alerts/open/"):
        project.clients["s3"].delete_object(Bucket=project.bucket, Key=key)
    assert all(0 < number <= 2 for number in clicks)


def test_period_and_time_zone_stay_in_the_address_from_page_to_page(opened: Open) -> None:
    page = opened("confidence?period=24+hours&tz=Asia%2FTokyo")
    assert page.get_by_role("radio", name="24 hours").get_attribute("aria-checked") == "true"
    page.get_by_role("link", name="Threshold").click()
    shows(page, " JST")
    assert "tz=Asia" in page.url and "period=24" in page.url
    page.get_by_text("7 days", exact=True).click()
    page.wait_for_url("**period=7*days**")
    page.reload()
    settled(page)
    shows(page, " JST")


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

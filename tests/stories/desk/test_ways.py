"""Ways through the desk: from a problem to its cause, by links that can be sent, and what the address keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import pytest
from cloud_fixtures import LocalCloud
from dashboard_support import REGION, Project
from desk_browser import DESKTOP, MARKUP, PHONE, SHOTS, Open, click, settled, shows
from foreign_pipeline import ForeignPipeline


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
    page.get_by_text("7 days", exact=True).click()
    page.wait_for_url("**period=7*days**")
    settled(page)
    page.get_by_role("link", name="Threshold").click()
    shows(page, " JST")
    page.wait_for_url(lambda url: "tz=Asia" in url and "period=7" in url)
    page.reload()
    settled(page)
    shows(page, " JST")


def test_days_that_were_chosen_stay_in_the_address_and_choose_executions(opened: Open) -> None:
    page = opened("pipelines?days=2020-01-01&days=2020-01-31")
    assert page.get_by_role("radio", name="24 hours").is_disabled(), "days take its place"
    assert page.url.endswith("days=2020-01-01&days=2020-01-31")
    page.goto(page.url.partition("?")[0] + "?period=24+hours")
    settled(page)
    assert page.get_by_role("radio", name="24 hours").get_attribute("aria-checked") == "true"

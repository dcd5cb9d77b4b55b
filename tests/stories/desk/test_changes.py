"""What people change at the desk: approve, label, tune, start a batch; and what they take home."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from cloud_fixtures import eventually
from dashboard_support import Project, register
from desk_browser import Open, click, make_live_for_a_day, scones, settled, shows
from PIL import Image


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
    keys = project.keys("ground-truth/")
    assert keys, "one for each record that shows the picture"
    for key in keys:
        label = json.loads(project.clients["s3"].get_object(Bucket=project.bucket, Key=key)["Body"].read())
        assert label["groundTruthData"] == {"data": "1", "encoding": "CSV"}
        assert label["eventMetadata"]["eventId"] in captured(project)
    page.keyboard.press("u")
    eventually(lambda: not project.keys("ground-truth/"))
    page.locator(".st-key-review-gallery").get_by_text("bicycle", exact=True).first.click()
    eventually(lambda: project.keys("ground-truth/"))
    shows(page, "Right, of labelled records")
    exported(page, captured(project))


def exported(page: Any, known: set[str]) -> None:
    """The answer as both files have it."""
    found = {}
    for name in ("CSV", "JSON"):
        click(page, "Export")
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Labels as {name}").click()
        found[name] = Path(download.value.path()).read_text()
        assert download.value.suggested_filename == f"labels.{name.lower()}"
        page.keyboard.press("Escape")
    rows, same = list(csv.DictReader(found["CSV"].splitlines())), json.loads(found["JSON"])
    assert rows and all(row["event"] in known for row in rows)
    assert {(row["label"], row["counts"]) for row in rows} == {("bicycle", "True")}
    columns = ("event", "label", "reviewer")
    assert [[row[name] for name in columns] for row in rows] == [[one[name] for name in columns] for one in same]


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


def test_a_batch_is_started_followed_split_by_route_and_its_summary_downloaded(project: Project, opened: Open) -> None:
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
    shown = [" ".join(one.split()) for one in page.get_by_test_id("stMetric").all_inner_texts()]
    split = {"Pictures 3", "Routed 2", "Routed near 1", "Routed far 1", "Below the threshold 1", "Failed 0"}
    assert split <= set(shown), shown
    page.get_by_text("Show what was not routed").click()
    gallery = page.locator("[class*=st-key-gallery-]")
    gallery.locator("img").wait_for(timeout=60_000)
    assert gallery.locator("img").count() == 1
    shows(page, "Below the threshold (1)")
    gallery.get_by_text("2.png").wait_for()
    page.get_by_text("Show what was not routed").click()
    gallery.wait_for(state="detached", timeout=60_000)

"""What people see on the dashboard's pages, over a local cloud."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from capture_files import entry
from cloud_fixtures import LocalCloud
from dashboard_support import Project, Sit, capture, made, register, resources
from page_support import healthy, page, words

from scones.desk import desk
from scones.desk.bar import tab
from scones.desk.filters import ALL

PAGES = ("Now", "Confidence", "Drift", "Review", "Threshold", "Models", "Batch", "Pipelines")


@pytest.mark.parametrize("title", PAGES)
def test_a_page_says_no_data_when_there_is_none(title: str, empty: Project, at_desk: Sit) -> None:
    at_desk(empty)
    app = page(title)
    healthy(app)
    assert "No data" in words(app)


@pytest.mark.parametrize("title", PAGES)
def test_a_page_shows_what_there_is_and_changes_nothing_unless_allowed(title: str, busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page(title)
    healthy(app)
    writing = [
        button
        for button in app.button
        if (button.key and button.key.startswith(("answer", "undo", "roll"))) or button.label.split()[0] in WRITES
    ]
    assert all(button.disabled for button in writing)
    assert bool(writing) == (title in ("Review", "Threshold", "Models", "Batch"))
    if writing:
        assert "Read-only" in words(app)


WRITES = ("Apply", "Approve", "Reject", "Start")


@pytest.mark.parametrize("title", PAGES)
def test_every_page_says_where_it_is_and_whether_it_may_change_things(title: str, empty: Project, at_desk: Sit) -> None:
    for allowed, mode in ((False, "Read-only"), (True, "Changes allowed")):
        at_desk(empty, allowed)
        said = words(page(title))
        assert "**desk-empty** · account 000000000000 · us-east-1 · local cloud" in said
        assert mode in said
    assert tab(title, desk.desk()) == (
        f"{title} · desk-empty · account 000000000000 · us-east-1 · local cloud · changes allowed"
    )


def test_before_there_are_labels_the_threshold_is_shown_on_the_test_set(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Threshold")
    said = words(app)
    assert "On the test set" in said
    assert "At 0.93, 13.9 % (8.4 % to 21.9 %) of the test set pass and 100.0 %" in said
    assert "On the test set, 100.0 %" in said and "are right" in said


def test_a_drifted_feature_shows_the_pictures_of_its_run(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Drift")
    said = words(app)
    assert "least like the test set" in said
    assert "Below each its" in said and "The test set's median: " in said


def test_now_tells_verdict_executions_and_how_old_its_data_are(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Now")
    said = words(app)
    assert "CompletedWithViolations" in said
    assert "100 captured records, the newest" in said
    assert "No endpoint" in said
    metrics = {one.label: one.value for one in app.metric}
    assert (metrics["Routed"], metrics["Not routed"], metrics["Failed"]) == ("1", "1", "1")


def test_now_tells_open_problems_and_that_there_is_none(empty: Project, at_desk: Sit) -> None:
    at_desk(empty)
    assert "No open problem" in words(page("Now"))
    since = datetime.now(UTC) - timedelta(hours=3)
    drift = {"since": since.isoformat(), "times": 4, "told": 2, "what": "Traffic differs", "measured": ["a_b: 0.6"]}
    empty.put("alerts/open/drift.json", json.dumps({**drift, "told_at": since.timestamp()}))
    empty.put("alerts/open/broken.json", "{")
    try:
        app = page("Now")
    finally:
        for key in empty.keys("alerts/open/"):
            empty.clients["s3"].delete_object(Bucket=empty.bucket, Key=key)
    assert not app.exception
    said = words(app)
    assert "Traffic differs" in said and "a_b: 0.6" in said and "No open problem" not in said
    assert f"Since {since:%Y-%m-%d %H:%M:%S} UTC, 3 hours ago; reported 4 times, told people twice." in said
    assert "alerts/open/broken.json: JSONDecodeError" in said


def test_damaged_files_are_named_and_hide_nothing(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Confidence")
    assert any("1 captured line could not be used" in one.label for one in app.expander)
    assert "AllTraffic/2026/01/01/00/00-00-000-x.jsonl:1" in words(app)
    assert "100 records" in words(app)


def test_a_variant_can_be_looked_at_alone(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Confidence")
    app.selectbox(key="confidence-variant").select("Shadow").run()
    healthy(app)
    assert "of 40 records" in words(app)


def test_traffic_is_that_of_the_live_version_unless_others_are_chosen(
    local_cloud: LocalCloud, tmp_path: Path, at_desk: Sit
) -> None:
    project = made(local_cloud, "desk-versions", tmp_path)
    resources(project)
    sent = capture(project, 40, every=timedelta(minutes=1))
    project.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=project.name)
    now = datetime.now(UTC).replace(microsecond=0)
    for minutes in (60, 10):
        live = {"model_package_arn": register(project, "Approved")}
        project.clients["ssm"].put_parameter(
            Name=f"/{project.name}/inference/live-model",
            Value=json.dumps({**live, "since": int((now - timedelta(minutes=minutes)).timestamp())}),
            Overwrite=True,
        )
    problem = {"since": now.isoformat(), "times": 1, "told": 1, "what": "Traffic differs", "measured": []}
    project.put("alerts/open/drift.json", json.dumps({**problem, "version": "1", "by_run": True}))
    at_desk(project)
    for title in ("Confidence", "Review", "Threshold"):
        app = page(title)
        healthy(app)
        [chosen] = [box for box in app.selectbox if box.label == "Version"]
        assert chosen.value == 2, "the live one"
    app = page("Confidence")
    since = now - timedelta(minutes=10)
    recent = [one for one in sent if datetime.fromisoformat(one["eventMetadata"]["inferenceTime"]) >= since]
    assert 0 < len(recent) < 40 and f"of {len(recent)} records are below" in words(app)
    app.selectbox(key="confidence-version").set_value(ALL).run()
    assert "of 40 records are below" in words(app)
    said = page("Now")
    assert "1 problem of versions that were replaced" in [one.label for one in said.expander]
    assert "No open problem of version 2" in words(said) and "of version 2, the live one" in words(said)


def test_drift_shows_the_features_and_the_violations_of_a_run(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Drift")
    said = words(app)
    [violations] = [table.value.to_string() for table in app.table]
    assert "Violations" in said and "brightness" in violations and "times what is allowed" in violations
    app.selectbox(key="drift-run").select_index(1).run()
    healthy(app)
    assert "no violations" in words(app)


def test_a_cloud_that_does_not_answer_is_one_sentence_with_the_fix(
    busy: Project, at_desk: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_desk(busy)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    app = page("Now")
    assert not app.exception
    assert [("no answer from" in one.value, "scones local status" in one.value) for one in app.error] == [(True, True)]


def test_missing_resources_are_one_sentence_with_the_fix(local_cloud: LocalCloud, tmp_path: Path, at_desk: Sit) -> None:
    at_desk(made(local_cloud, "desk-nothing", tmp_path))
    app = page("Threshold")
    assert not app.exception
    assert "scones infra deploy" in words(app)


def test_new_traffic_is_read_and_known_traffic_is_not_read_again(busy: Project, at_desk: Sit) -> None:
    from scones.desk.data.captures import Feed
    from scones.desk.data.objects import body

    at_desk(busy)
    fetched: list[str] = []

    def counted(bucket: str, key: str) -> bytes | None:
        fetched.append(key)
        return body(bucket, key)

    prefix = f"captures/{busy.name}/"
    feed = Feed(busy.bucket, prefix, ("bicycle", "motorcycle"), busy.folder / "other-cache", counted)
    before = len(feed.refresh().records)
    read = len(fetched)
    feed.refresh()
    assert len(fetched) == read, "nothing is new"
    moment = datetime.now(UTC).replace(microsecond=0)
    lines = [json.dumps(entry(event, time=moment)) for event in ("fresh", "fresh", "desk-busy-AllTraffic-1-59")]
    key = f"{prefix}AllTraffic/{moment:%Y/%m/%d/%H}/59-59-999-fresh.jsonl"
    busy.put(key, "\n".join(lines))
    try:
        assert len(feed.refresh().records) == before + 1, "each event once"
        assert fetched[read:] == [key]
        again = Feed(busy.bucket, prefix, ("bicycle", "motorcycle"), busy.folder / "other-cache", counted)
        assert len(again.refresh().records) == before + 1
        assert len(fetched) == read + 1, "the cache knew every file"
        again.close()
    finally:
        busy.clients["s3"].delete_object(Bucket=busy.bucket, Key=key)
        feed.close()
    assert desk.desk().names.bucket == busy.bucket

"""The dashboard's pages in Streamlit's own test harness, over a local cloud: what people see, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from capture_files import entry, traffic
from cloud_fixtures import LocalCloud, eventually
from dashboard_support import THRESHOLD, Project, baseline, capture, made, monitor_run, register, resources

from dashboard import desk
from scones.errors import SconesError

pytest.importorskip("streamlit")
from streamlit.testing.v1 import AppTest

PAGES = ("Now", "Confidence", "Drift", "Review", "Threshold", "Models", "Batch")
Sit = Callable[..., None]
NOW = datetime.now(UTC)


def page(title: str) -> AppTest:
    """A page, drawn by what `scones dashboard` draws it with once the traffic was read."""
    with suppress(SconesError):  # without a cloud the page says why
        feed = desk.desk().feed
        eventually(lambda: bool(feed.problem or (feed.looked and not feed.table.unread)))
    script = f"""
from dashboard.app import PAGES, page
page(next(show for title, _, show in PAGES if title == {title!r}))()
"""
    return AppTest.from_string(script, default_timeout=30).run()


def words(app: AppTest) -> str:
    """Everything that a page says."""
    kinds = (
        app.title,
        app.subheader,
        app.markdown,
        app.caption,
        app.info,
        app.success,
        app.warning,
        app.error,
        app.code,
    )
    said = [str(one.value) for kind in kinds for one in kind]
    metrics = [f"{one.label} {one.value}" for one in app.metric]
    return "\n".join(said + metrics).replace("\\", "")


def healthy(app: AppTest) -> None:
    assert not app.exception, [one.value for one in app.exception]
    assert not app.error, [one.value for one in app.error]


@pytest.fixture(scope="session")
def empty(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Deployed, and nothing has happened yet."""
    project = made(local_cloud, "desk-empty", tmp_path_factory.mktemp("empty"))
    resources(project)
    return project


@pytest.fixture(scope="session")
def busy(local_cloud: LocalCloud, baseline_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two variants' traffic, a damaged file, three versions of which one is live, two monitor runs, executions."""
    project = made(local_cloud, "desk-busy", tmp_path_factory.mktemp("busy"))
    resources(project)
    capture(project, 60, every=timedelta(minutes=2), seed=1)
    capture(project, 40, every=timedelta(minutes=2), seed=2, variant="Shadow")
    project.put(f"captures/{project.name}/AllTraffic/2026/01/01/00/00-00-000-x.jsonl", "{broken <b>\n")
    project.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=project.name)
    baseline(project, baseline_folder)
    register(project, "Rejected")
    live = register(project, "Approved")
    register(project)
    project.clients["ssm"].put_parameter(
        Name=f"/{project.name}/inference/live-model", Value=json.dumps({"model_package_arn": live}), Overwrite=True
    )
    with pytest.MonkeyPatch.context() as patch:
        for hours, shade in ((2, 1.0), (1, 0.6)):
            source = traffic(project.folder / f"traffic-{hours}", 120, seed=hours, shade=shade)
            monitor_run(project, source, baseline_folder, NOW - timedelta(hours=hours), patch)
    machine(project, "inference", {"passed": None, "unsure": "LowConfidence", "broken": "ImageNotFound"})
    return project


def machine(project: Project, name: str, runs: dict[str, str | None]) -> None:
    """A state machine that ends as its input says, and one execution of it per entry of `runs`."""
    choice = {"Variable": "$.error", "IsPresent": True, "Next": "Failed"}
    definition = {
        "StartAt": "How?",
        "States": {
            "How?": {"Type": "Choice", "Choices": [choice], "Default": "Done"},
            "Failed": {"Type": "Fail", "ErrorPath": "$.error", "Cause": '{"problem": "as the test says"}'},
            "Done": {"Type": "Succeed"},
        },
    }
    states = project.clients["stepfunctions"]
    arn = states.create_state_machine(
        name=f"{project.name}-{name}", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/any"
    )["stateMachineArn"]
    for run, error in runs.items():
        states.start_execution(stateMachineArn=arn, name=run, input=json.dumps({"error": error} if error else {}))


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


def test_now_tells_verdict_executions_and_how_old_its_data_are(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Now")
    said = words(app)
    assert "CompletedWithViolations" in said
    assert "100 captured records, the newest" in said
    assert "No endpoint" in said
    metrics = {one.label: one.value for one in app.metric}
    assert (metrics["Passed"], metrics["Failed loudly"], metrics["Broken"]) == ("1", "1", "1")


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


def test_drift_shows_the_features_and_the_violations_of_a_run(busy: Project, at_desk: Sit) -> None:
    at_desk(busy)
    app = page("Drift")
    said = words(app)
    assert "brightness" in said and "Baseline drift distance" in said
    app.selectbox(key="drift-run").select_index(1).run()
    healthy(app)
    assert "no violations" in words(app)


def label_of(project: Project, key: str) -> tuple[str, str]:
    content = project.clients["s3"].get_object(Bucket=project.bucket, Key=key)["Body"].read()
    document = json.loads(content)
    return document["eventMetadata"]["eventId"], document["groundTruthData"]["data"]


def test_labels_of_two_people_are_both_kept_and_undo_takes_back_only_ones_own(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    ann, ben = page("Review"), page("Review")
    healthy(ann)
    ann.text_input(key="reviewer").set_value("Ann").run()
    ben.text_input(key="reviewer").set_value("Ben <b>").run()
    before = set(busy.keys("ground-truth/"))
    ann.button(key="answer-0").click().run()
    ben.button(key="answer-1").click().run()
    keys = sorted(set(busy.keys("ground-truth/")) - before)
    assert [("Ann" in key, "Ben-b" in key) for key in keys] == [(True, False), (False, True)]
    (one, first), (other, second) = (label_of(busy, key) for key in keys)
    assert one == other, "both looked at the same picture, the least certain one"
    assert (first, second) == ("0", "1")
    ben.button(key="undo").click().run()
    assert sorted(set(busy.keys("ground-truth/")) - before) == keys[:1]
    ann.button(key="undo").click().run()
    assert set(busy.keys("ground-truth/")) == before


def test_a_picture_of_neither_is_remembered_and_kept_out_of_ground_truth(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    app = page("Review")
    first = app.markdown[0].value
    app.button(key="answer--1").click().run()
    healthy(app)
    assert app.markdown[0].value != first or app.button(key="undo").label == "Undo (1)"
    [key] = busy.keys("set-aside/")
    assert label_of(busy, key)[1] == "-1"
    assert busy.keys("ground-truth/") == []
    app.button(key="undo").click().run()
    assert busy.keys("set-aside/") == []


def test_the_threshold_is_written_with_who_and_why_and_rolled_back(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    app = page("Threshold")
    app.slider(key="threshold-tried").set_value(0.8).run()
    app.text_input(key="who").set_value("Ann")
    app.text_input(key="why").set_value("too many held back: see Monday")
    app.button(key="apply-button").click().run()
    healthy(app)
    history = busy.clients["ssm"].get_parameter_history(Name=busy.threshold)["Parameters"]
    assert (history[-1]["Value"], history[-1]["Description"]) == ("0.8", "By Ann: too many held back: see Monday")
    assert "0.8 now" in words(app)
    app.button(key="roll-back").click().run()
    value = busy.clients["ssm"].get_parameter(Name=busy.threshold)["Parameter"]["Value"]
    assert float(value) == THRESHOLD


def test_a_threshold_that_somebody_else_has_changed_is_not_overwritten(busy: Project, at_desk: Sit) -> None:
    from scones import threshold
    from scones.errors import CloudError, UsageError

    at_desk(busy, True)
    seen = threshold.history(busy.threshold)[0]
    threshold.change(busy.threshold, 0.7, seen.version, "Ben", "trying")
    with pytest.raises(CloudError, match=r"Ben has set it to 0\.7 meanwhile, because trying"):
        threshold.change(busy.threshold, 0.6, seen.version, "Ann", "trying too")
    with pytest.raises(UsageError, match="who changes it, and why"):
        threshold.change(busy.threshold, 0.6, seen.version + 1, "Ann", " ")
    threshold.change(busy.threshold, THRESHOLD, seen.version + 1, "Ben", "back")


def test_a_decision_on_a_version_is_recorded_with_its_comment(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    app = page("Models")
    assert app.selectbox[0].value.version.number == 3, "the one that waits"
    app.text_input(key="comment").set_value("blurry")
    next(button for button in app.button if button.label == "Reject").click().run()
    healthy(app)
    assert "Version 3 is rejected" in words(app)
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{busy.name}/3"
    package = busy.clients["sagemaker"].describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Rejected", "blurry")
    busy.clients["sagemaker"].update_model_package(ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval")


def test_a_batch_without_a_prefix_is_refused_with_what_to_do(empty: Project, at_desk: Sit) -> None:
    at_desk(empty, True)
    app = page("Batch")
    next(button for button in app.button if button.label == "Start").click().run()
    assert "there is no prefix" in words(app) and "What to do" in words(app)


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
    from dashboard.data.feed import Feed
    from dashboard.data.objects import body

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


def test_a_label_is_never_written_over_another(busy: Project, at_desk: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.data import labels
    from scones.errors import CloudError

    class Same:
        hex = "0" * 32

    at_desk(busy, True)
    monkeypatch.setattr(labels.uuid, "uuid4", Same)
    mine = labels.Labels(busy.bucket, busy.name, ("bicycle", "motorcycle"))
    given = mine.give("event", 0, "Ann", NOW)
    try:
        with pytest.raises(CloudError, match="PreconditionFailed"):
            mine.give("event", 1, "Ann", NOW)
        assert label_of(busy, given.key) == ("event", "0")
    finally:
        mine.undo(given)
    with pytest.raises(ClientError):
        label_of(busy, given.key)

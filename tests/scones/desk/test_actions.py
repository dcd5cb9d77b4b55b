"""What people do at the dashboard's pages: labels, thresholds, decisions and batches, with who did it and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from capture_files import entry
from dashboard_support import THRESHOLD, Project, Sit
from page_support import AppTest, healthy, page, words

from scones.desk import desk


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


def test_review_tells_how_far_people_are_and_agree_and_asks_for_a_second_look(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    ann, ben = page("Review"), page("Review")
    ann.text_input(key="reviewer").set_value("Ann").run()
    ann.button(key="answer-0").click().run()
    healthy(ann)
    said = words(ann)
    [progress] = ann.get("progress")
    assert "1 of 100 records labelled in all" in progress.proto.text
    assert "no record has been labelled by two people yet" in said
    ben.text_input(key="reviewer").set_value("Ben").run()
    ben.segmented_control(key="order").set_value("second look").run()
    healthy(ben)
    assert "Labelled" not in " ".join(one.value for one in ben.caption), "nobody is told what others said"
    ben.button(key="answer-1").click().run()
    said = words(ben)
    assert "Ann, Ben say the same of 0.0 %" in said and "of 1 record" in said
    assert "There is nothing that others have labelled and you have not." in said
    ben.segmented_control(key="order").set_value("wrong").run()
    healthy(ben)
    ben.button(key="undo").click().run()
    ann.button(key="undo").click().run()
    assert busy.keys("ground-truth/") == []


def test_an_answer_meets_the_picture_that_was_looked_at_whatever_came_in_meanwhile(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    app = page("Review")
    first = app.session_state["review-places"][1]
    now = datetime.now(UTC).replace(microsecond=0)
    key = f"captures/{busy.name}/AllTraffic/{now:%Y/%m/%d/%H}/59-58-000-unsure.jsonl"
    busy.put(key, json.dumps(entry("least-certain-of-all", (0.5, 0.5), time=now)) + "\n")
    try:
        desk.desk().feed.refresh()
        healthy(app.run())
        places = app.session_state["review-places"][1]
        assert [name for name, place in places.items() if place == 0] == [n for n, p in first.items() if p == 0]
        assert app.session_state["review-places"][1].keys() >= first.keys() - {max(first, key=lambda n: first[n])}
    finally:
        busy.clients["s3"].delete_object(Bucket=busy.bucket, Key=key)


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
    from project.errors import CloudError, UsageError
    from stepfunctions import threshold

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
    assert version_box(app).value.version.number == 3, "the one that waits"
    press(app, "Reject version 3…")
    assert "Version 3 is neither live nor being deployed: the endpoint stays as it is." in words(app)
    assert described(busy, 3)["ModelApprovalStatus"] == "PendingManualApproval", "one click decides nothing"
    press(app, "Reject version 3 now")
    assert "there is no reason" in words(app)
    app.text_input(key="decider").set_value("ana")
    app.text_input(key="comment").set_value("blurry")
    press(app, "Reject version 3 now")
    healthy(app)
    assert "Version 3 is rejected by **ana**, because: blurry." in words(app)
    assert next(button for button in app.button if button.label == "Reject version 3…").disabled
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{busy.name}/3"
    package = described(busy, 3)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Rejected", "By ana: blurry")
    busy.clients["sagemaker"].update_model_package(ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval")


def version_box(app: AppTest) -> Any:
    return next(box for box in app.selectbox if box.label == "Version")


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def described(project: Project, number: int) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{project.name}/{number}"
    return dict(project.clients["sagemaker"].describe_model_package(ModelPackageName=arn))


def test_a_version_stands_beside_the_live_one_and_cannot_be_made_what_it_is(busy: Project, at_desk: Sit) -> None:
    at_desk(busy, True)
    app = page("Models")
    rows = app.table[1].value
    assert list(rows.columns) == ["metric", "version 3", "version 2, live", "difference"]
    same = "91.0 % (87.0 % to 94.0 %)"
    assert rows.iloc[0].tolist() == ["accuracy", same, same, "no difference that the test shows"]
    assert rows.iloc[-1].tolist() == [
        "accuracy on 57 reviewed deliveries",
        "91.2 % (81.1 % to 96.2 %)",
        "84.2 % (72.6 % to 91.5 %)",
        "+.070 (95 % interval +.010 to +.130)",
    ]
    assert "Of 5 pictures of neither it would route 2" in words(app)
    version_box(app).set_value(next(one for one in desk.desk().versions.all() if one.version.number == 2)).run()
    shut = {button.label: button.disabled for button in app.button}
    assert shut["Approve version 2…"] and not shut["Reject version 2…"]
    assert list(app.table[1].value.columns) == ["metric", "version 2"], "not beside itself"


def test_a_batch_without_a_prefix_is_refused_with_what_to_do(empty: Project, at_desk: Sit) -> None:
    at_desk(empty, True)
    app = page("Batch")
    next(button for button in app.button if button.label == "Start").click().run()
    assert "there is no prefix" in words(app) and "What to do" in words(app)


def test_a_label_is_never_written_over_another(busy: Project, at_desk: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring.watch import labels as given_labels
    from project.errors import CloudError
    from scones.desk.data import labels

    class Same:
        hex = "0" * 32

    at_desk(busy, True)
    monkeypatch.setattr(given_labels.uuid, "uuid4", Same)
    mine = labels.Labels(busy.bucket, busy.name, ("bicycle", "motorcycle"))
    now = datetime.now(UTC)
    given = mine.give("event", 0, "Ann", now)
    try:
        with pytest.raises(CloudError, match="PreconditionFailed"):
            mine.give("event", 1, "Ann", now)
        assert label_of(busy, given.key) == ("event", "0")
    finally:
        mine.undo(given)
    with pytest.raises(ClientError):
        label_of(busy, given.key)

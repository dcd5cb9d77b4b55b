"""Labelled deliveries become a set: joined, counted by the majority, called by content, and kept when captures go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from capture_files import entry
from cloud_fixtures import LocalCloud

from monitoring.analysis.ground_truth import NEITHER
from monitoring.watch import labels
from pipelines.runs import reviewed
from project.errors import DataError
from project.names import Names
from project.settings import Settings
from steps import reviewed_list
from steps.reviewed_list import Reviewed

CLASSES = ("bicycle", "motorcycle")
NAMES = Names(Settings(project="reviewed-sets"))
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def bucket(on_local_cloud: LocalCloud) -> Iterator[Any]:
    """S3 with an empty bucket of the project, and two versions that were live one after the other."""
    s3, ssm = boto3.client("s3"), boto3.client("ssm")
    s3.create_bucket(Bucket=NAMES.bucket)
    for version, since in ((1, NOON), (2, NOON + timedelta(hours=1))):
        value = {"model_package_arn": f"arn:package/{version}", "since": since.timestamp()}
        ssm.put_parameter(Name=NAMES.live_parameter, Value=json.dumps(value), Type="String", Overwrite=True)
    yield s3
    for one in s3.list_objects_v2(Bucket=NAMES.bucket).get("Contents", []):
        s3.delete_object(Bucket=NAMES.bucket, Key=one["Key"])
    s3.delete_bucket(Bucket=NAMES.bucket)
    ssm.delete_parameter(Name=NAMES.live_parameter)
    s3.close()
    ssm.close()


def capture(s3: Any, *entries: dict[str, Any]) -> None:
    for number, one in enumerate(entries):
        time = datetime.fromisoformat(one["eventMetadata"]["inferenceTime"])
        key = f"captures/{NAMES.endpoint}/AllTraffic/{time:%Y/%m/%d/%H}/00-0{number}-000-x.jsonl"
        s3.put_object(Bucket=NAMES.bucket, Key=key, Body=json.dumps(one))


def say(event: str, label: int, by: str = "Ann", minute: int = 0) -> None:
    labels.give(NAMES.bucket, NAMES.endpoint, event, label, by, NOON + timedelta(minutes=minute))


def pictures(published: reviewed.Published) -> dict[str, Reviewed]:
    """By the first event that showed each."""
    return {one.answers[0].event: one for one in published.pictures}


def test_labels_captures_and_versions_are_joined(bucket: Any) -> None:
    capture(
        bucket,
        entry("e1", (0.9, 0.1), b"one", NOON + timedelta(minutes=5)),
        entry("e2", (0.2, 0.8), b"two", NOON + timedelta(hours=2), inference_id="mine"),
        entry("e3", (0.6, 0.4), b"one", NOON + timedelta(hours=3)),
        entry("e4", (0.6, 0.4), b"four", NOON - timedelta(hours=3)),
    )
    for event, label in (("e1", 0), ("mine", NEITHER), ("e3", 0), ("e4", 1)):
        say(event, label)
    found = pictures(reviewed.publish(NAMES))
    assert set(found) == {"e1", "mine", "e4"}, "e3 showed the picture of e1"
    assert [(one.version, one.probabilities) for one in found["e1"].answers] == [(1, (0.9, 0.1)), (2, (0.6, 0.4))]
    assert (found["mine"].label, found["mine"].answers[0].version) == (None, 2)
    assert found["e4"].answers[0].version is None, "before the first version that is known"
    assert [(vote.by, vote.label, vote.at) for vote in found["e1"].votes] == [
        ("Ann", "bicycle", "2026-05-04T12:00:00+00:00")
    ]


def test_the_majority_counts_with_everybodys_last_word_and_a_tie_is_left_out(
    bucket: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(bucket, *(entry(name, (0.9, 0.1), name.encode(), NOON) for name in ("agreed", "tied", "split")))
    for event, label, by, minute in (
        ("agreed", 1, "Ann", 0),
        ("agreed", 0, "Ann", 1),
        ("tied", 0, "Ann", 0),
        ("tied", 1, "Ben", 0),
        ("split", 0, "Ann", 0),
        ("split", 0, "Ben", 0),
        ("split", NEITHER, "Cleo", 0),
    ):
        say(event, label, by, minute)
    published = reviewed.publish(NAMES)
    found = pictures(published)
    assert {name: (one.label, one.agreement) for name, one in found.items()} == {
        "agreed": ("bicycle", 1.0),
        "split": ("bicycle", 0.6667),
    }
    assert published.left_out == {"people disagree": ["tied (Ann: bicycle, Ben: motorcycle)"]}
    told = capsys.readouterr().err
    assert "2 bicycle, 0 motorcycle, 0 neither; 4 labels by 3 people, who agree about 50% of the pictures" in told
    assert "Every labelled vehicle is a bicycle: the next model learns nothing" in told


def test_a_set_never_changes_and_a_later_one_keeps_pictures_whose_captures_are_gone(bucket: Any) -> None:
    capture(bucket, entry("e1", (0.9, 0.1), b"one", NOON), entry("e2", (0.1, 0.9), b"two", NOON))
    say("e1", 0)
    say("e2", 1)
    first = reviewed.publish(NAMES)
    assert reviewed.newest(NAMES) == first.uri == reviewed.publish(NAMES).uri
    for one in bucket.list_objects_v2(Bucket=NAMES.bucket, Prefix="captures/")["Contents"]:
        bucket.delete_object(Bucket=NAMES.bucket, Key=one["Key"])
    capture(bucket, entry("e3", (0.7, 0.3), b"three", NOON + timedelta(hours=1)))
    say("e3", 0)
    second = reviewed.publish(NAMES)
    assert second.uri != first.uri and reviewed.newest(NAMES) == second.uri
    assert {*first.pictures} < {*second.pictures}
    place = second.uri.split("/", 3)[3]
    there = [one["Key"] for one in bucket.list_objects_v2(Bucket=NAMES.bucket, Prefix=place)["Contents"]]
    assert len(there) == 3 + 1
    for picture in second.pictures:
        body = bucket.get_object(Bucket=NAMES.bucket, Key=f"{place}pictures/{picture.sha256}")["Body"].read()
        assert body in {b"one", b"two", b"three"}
    content = bucket.get_object(Bucket=NAMES.bucket, Key=f"{place}reviewed.json")["Body"].read()
    assert reviewed_list.digest(content) == place.split("/")[1]


def test_what_cannot_be_used_is_named(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    capture(
        bucket,
        entry("good", (0.9, 0.1), b"good", NOON),
        entry("other-classes", (0.2, 0.3, 0.5), b"x", NOON),
        entry("no-answer", None, b"y", NOON),
        entry("no-picture", (0.9, 0.1), None, NOON),
    )
    for event in ("good", "other-classes", "no-answer", "no-picture", "lost"):
        say(event, 0)
    published = reviewed.publish(NAMES)
    assert set(pictures(published)) == {"good"}
    told = capsys.readouterr().err
    assert "Left out, no captured request has this id: lost" in told
    assert "Left out, the captured request has no picture (the request was not captured): no-picture" in told
    assert published.left_out["the captured answer is none of a model of these classes"] == [
        "no-answer",
        "other-classes",
    ]


def test_without_a_label_or_a_labelled_capture_there_is_no_set(bucket: Any) -> None:
    with pytest.raises(DataError, match="No delivery of endpoint reviewed-sets has a label yet") as error:
        reviewed.publish(NAMES)
    assert "scones dashboard --allow-changes" in error.value.fix
    say("lost", 0)
    with pytest.raises(DataError, match="None of the 1 labels belongs to a captured picture"):
        reviewed.publish(NAMES)
    assert reviewed.newest(NAMES) is None


def test_a_set_of_other_classes_before_is_passed_over(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    capture(bucket, entry("e1", (0.9, 0.1), b"one", NOON))
    say("e1", 0)
    first = reviewed.publish(NAMES)
    swapped = Names(Settings(project="reviewed-sets", classes=("motorcycle", "bicycle")))
    second = reviewed.publish(swapped)
    assert second.uri != first.uri and [one.label for one in second.pictures] == ["motorcycle"]
    assert "The set before cannot be used, so all captured traffic is searched." in capsys.readouterr().err

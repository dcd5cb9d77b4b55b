"""An event names its pictures in the forms in which S3, EventBridge, SNS, SQS and HTTP send it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import Stubber
from lambda_support import CONTEXT, object_answer, picture

from lambdas import event_forms
from lambdas.outcomes import BadInputError
from lambdas.serialize_image.handler import handler as serialize

BUCKET = "scones-test"


def of_s3(*keys: str) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}} for key in keys]}


ENVELOPE = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(of_s3("a.png", "b.png"))}
SEVERAL: dict[str, Any] = {
    "S3": of_s3("a.png", "b.png"),
    "SNS": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(of_s3("a.png", "b.png"))}}]},
    "SQS": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(of_s3(key))} for key in ("a.png", "b.png")]},
    "SNS by way of SQS": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(ENVELOPE)}]},
    "SQS by way of HTTP": {"body": json.dumps({"Records": [{"body": json.dumps(ENVELOPE)}]})},
}


@pytest.mark.parametrize("form", SEVERAL)
def test_every_record_is_a_picture(form: str) -> None:
    asked = event_forms.pictures({**SEVERAL[form], "threshold": 0.5})
    assert asked == [{"s3_bucket": BUCKET, "s3_key": key, "threshold": 0.5} for key in ("a.png", "b.png")]


def test_what_is_inside_does_not_speak_for_another_execution() -> None:
    inner = {"s3_bucket": BUCKET, "s3_key": "a.png", "execution": {"name": "another"}, "threshold": 0.1}
    noted = {"execution": {"name": "own"}, "threshold": 0.9}
    assert event_forms.pictures({"body": json.dumps(inner), **noted}) == [{**inner, **noted}]


def test_who_names_a_picture_names_it_whatever_stands_beside() -> None:
    event = {"s3_bucket": BUCKET, "s3_key": "a.png", "body": "a note", **of_s3("b.png"), "source": "aws.s3"}
    assert event_forms.pictures(event) == [event]
    assert not event_forms.is_wrapped(event)


def test_the_key_of_a_notification_is_decoded_once() -> None:
    assert event_forms.pictures(of_s3("a+b%252B.png"))[0]["s3_key"] == "a b%2B.png"


def test_several_pictures_are_all_answered_and_the_worst_counts(s3: Stubber) -> None:
    s3.add_client_error("get_object", "NoSuchKey", "none", 404)
    s3.add_response("get_object", object_answer(picture()), {"Bucket": BUCKET, "Key": "b.png"})
    result = serialize(SEVERAL["SQS"], CONTEXT)
    assert [(one["s3_key"], one["outcome"]) for one in result["answers"]] == [("a.png", "bad_input"), ("b.png", "ok")]
    assert (result["outcome"], result["error"]) == ("bad_input", "ImageNotFound")


def test_an_execution_refuses_several_pictures_by_name(s3: Stubber) -> None:
    result = serialize({**SEVERAL["S3"], "execution": {"name": "e"}}, CONTEXT)
    assert (result["outcome"], result["error"]) == ("bad_input", "SeveralPictures")


def test_a_state_machine_gets_a_bare_answer(s3: Stubber) -> None:
    s3.add_response("get_object", object_answer(picture()), {"Bucket": BUCKET, "Key": "a.png"})
    result = serialize({"body": {"s3_bucket": BUCKET, "s3_key": "a.png"}, "execution": {"name": "e"}}, CONTEXT)
    assert (result["outcome"], result["execution"]) == ("ok", {"name": "e"})


NO_PICTURE: list[dict[str, Any]] = [
    {"Records": [{"s3": {}}]},
    {"source": "aws.s3"},
    {"Type": "Notification", "Message": "x"},
]


@pytest.mark.parametrize("event", NO_PICTURE)
def test_a_form_without_a_picture_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        event_forms.pictures(event)

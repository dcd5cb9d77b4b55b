"""Events that no caller should send: every one is answered with the same named refusal, by every function."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_aws import FakeAws
from lambda_support import CONTEXT
from wrong_events import faults_of_events

from lambdas.classify_image.handler import handler as classify
from lambdas.filter_inferences.handler import handler as decide
from lambdas.serialize_image.handler import handler as serialize

FUNCTIONS: dict[str, Any] = {"serialize": serialize, "classify": classify, "filter": decide}


def deep(levels: int) -> Any:
    """Lists inside each other."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


NO_EVENT: dict[str, Any] = {
    "null": None,
    "a list": [{"s3_bucket": "scones-test", "s3_key": "a.png"}],
    "text": "{}",
    "a number": 3,
    "body of a number": {"body": 3},
    "body of null": {"body": None},
    "body of a list": {"body": []},
    "body of broken JSON": {"body": '{"s3_bucket": '},
    "body of JSON text of a list": {"body": "[]"},
    "body that is nested too deeply": {"body": "[" * 50_000},
    "body with NaN": {"body": '{"a": NaN}'},
    "half a character": {"s3_bucket": "scones-test", "s3_key": "\ud800", "image_data": "x", "inferences": [1, 0]},
    "half a character in a body": {"body": '{"s3_key": "\\ud800"}'},
    "NaN": {"s3_key": "a", "image_data": "x", "inferences": [float("nan"), 0.5]},
    "infinity that nothing reads": {"s3_key": "a", "image_data": "x", "inferences": [1, 0], "more": [[float("inf")]]},
    "too many levels": {"s3_key": "a", "image_data": "x", "inferences": [1, 0], "more": deep(101)},
    "bodies inside each other": {"body": {"body": {"body": {"body": {"body": {"body": {"s3_key": "a"}}}}}}},
    "no record": {"Records": []},
    "records of nothing": {"Records": [{}]},
    "records that are none": {"Records": {"s3": {}}},
    "a message of null": {"Records": [{"Sns": {"Message": None}}]},
}
BAD_PLACES: dict[str, Any] = {
    "nothing": {},
    "no key": {"s3_bucket": "scones-test"},
    "no bucket": {"s3_key": "a.png"},
    "null key": {"s3_bucket": "scones-test", "s3_key": None},
    "number as key": {"s3_bucket": "scones-test", "s3_key": 7},
    "empty bucket": {"s3_bucket": "", "s3_key": "a.png"},
    "empty key": {"s3_bucket": "scones-test", "s3_key": ""},
    "no bucket name": {"s3_bucket": "Not A Bucket/..", "s3_key": "a.png"},
    "bucket ARN": {"s3_bucket": "arn:aws:s3:::scones-test", "s3_key": "a.png"},
    "folder": {"s3_bucket": "scones-test", "s3_key": "incoming/"},
    "too long": {"s3_bucket": "scones-test", "s3_key": "ü" * 600},
    "event without object": {"source": "aws.s3", "detail": {}},
}
BAD_INFERENCES: dict[str, Any] = {
    "missing": ...,
    "null": None,
    "empty": [],
    "one value": [1.0],
    "three values": [0.3, 0.3, 0.4],
    "not summing to 1": [0.9, 0.2],
    "negative": [-0.2, 1.2],
    "above 1": [1.5, -0.5],
    "text in it": ["0.9", 0.1],
    "boolean in it": [True, False],
    "nested": [[0.9, 0.1]],
    "an object": {"bicycle": 0.9},
    "JSON text with NaN": "[NaN, 1]",
    "broken text": "[0.9, 0.1",
    "deeply nested text": "[" * 50_000,
    "a number too large for a float": [10**400, 0],
}
BAD_THRESHOLDS: list[Any] = [-0.1, 1.1, "0.9", True, [0.9], 10**400, "x" * 6_000_000]


def refused(function: Any, event: object) -> dict[str, Any]:
    result = function(event, CONTEXT)
    inner = result.get("body", result)
    answer: dict[str, Any] = json.loads(inner) if isinstance(inner, str) else inner
    assert answer["outcome"] == "bad_input"
    cause = json.loads(answer["cause"])
    assert cause["error"] == answer["error"]
    assert cause["problem"] and len(answer["cause"]) < 4000
    return answer


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("case", NO_EVENT, ids=NO_EVENT)
def test_what_is_no_event_is_refused(function_environment: FakeAws, function: Any, case: str) -> None:
    assert refused(function, NO_EVENT[case])["error"] == "BadEvent"


@pytest.mark.parametrize("case", BAD_PLACES, ids=BAD_PLACES)
def test_a_place_that_cannot_be_in_s3_is_refused_without_asking_s3(function_environment: FakeAws, case: str) -> None:
    assert refused(serialize, BAD_PLACES[case])["error"] == "BadEvent"


@pytest.mark.parametrize("case", BAD_INFERENCES, ids=BAD_INFERENCES)
def test_inferences_that_are_no_probabilities_are_refused(function_environment: FakeAws, case: str) -> None:
    value = BAD_INFERENCES[case]
    event = {} if value is ... else {"inferences": value}
    found = refused(decide, event)
    assert found["error"] == "InferencesRefused"
    assert ("missing or null" in found["cause"]) == (event.get("inferences") is None)


@pytest.mark.parametrize("threshold", BAD_THRESHOLDS, ids=lambda value: repr(value)[:20])
def test_a_threshold_that_is_no_fraction_is_refused(function_environment: FakeAws, threshold: object) -> None:
    assert refused(decide, {"inferences": [0.9, 0.1], "threshold": threshold})["error"] == "BadThreshold"


def test_a_huge_event_is_refused(function_environment: FakeAws) -> None:
    assert refused(classify, {"image_data": "A" * 6_000_000})["error"] == "ImageDataRefused"
    assert not function_environment.invocations


@pytest.mark.parametrize("key", ["../../etc/passwd", "/absolute.png", "a%2Fb+c.png", "🚲/ü ñ.png", "a" * 1024])
def test_a_strange_key_is_asked_for_as_it_is(function_environment: FakeAws, key: str) -> None:
    """S3 keys are names, not paths: nothing in them is resolved or decoded."""
    from botocore.stub import Stubber

    from lambdas import clients

    with Stubber(clients.s3()) as s3:
        s3.add_client_error(
            "get_object", "NoSuchKey", "none", 404, expected_params={"Bucket": "scones-test", "Key": key}
        )
        assert refused(serialize, {"s3_bucket": "scones-test", "s3_key": key})["error"] == "ImageNotFound"
        s3.assert_no_pending_responses()


def test_whatever_arrives_is_answered() -> None:
    """The longer search is benchmarks/fuzz/."""
    assert not faults_of_events(seed=16, count=400)

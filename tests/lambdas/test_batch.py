"""A batch run loses no picture: each is routed, unsure, failed with a reason, or named as not processed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from fake_aws import FakeAws, probabilities, refusal
from lambda_support import CONTEXT, picture

from lambdas import clients
from lambdas.classify_batch.handler import handler as classify_batch
from lambdas.list_images.handler import handler as list_images
from lambdas.list_images.listing import batches, result_key, work_key
from lambdas.summarise_batch.handler import handler as summarise

BUCKET = "scones-test"
RUN = {"s3_bucket": BUCKET, "prefix": "week/", "execution": {"name": "run-1"}, "run": "run-1"}


@pytest.fixture
def s3(function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("BUCKET", BUCKET)
    with Stubber(clients.s3()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def stored(data: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ContentLength": len(data)}


def expect_json_written(s3: Stubber, key: str) -> None:
    s3.add_response("put_object", {}, {"Bucket": BUCKET, "Key": key, "Body": ANY, "ContentType": "application/json"})


def batch(*keys: str) -> dict[str, Any]:
    return {**RUN, "index": 3, "keys": list(keys), "threshold": None}


def test_a_listing_is_cut_into_batches_without_folder_markers(s3: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_SIZE", "2")
    pages = [["week/", "week/a.png", "week/b.png"], ["week/c.png"]]
    for number, keys in enumerate(pages):
        more = {"IsTruncated": number == 0} | ({"NextContinuationToken": "t"} if number == 0 else {})
        s3.add_response("list_objects_v2", {"Contents": [{"Key": key} for key in keys], **more})
    expect_json_written(s3, work_key("run-1"))
    result = list_images(RUN, CONTEXT)
    assert (result["outcome"], result["images"], result["batches"]) == ("ok", 3, 2)
    assert result["work"] == {"bucket": BUCKET, "key": "batches/run-1/work.json"}


def test_results_of_earlier_runs_are_not_pictures(s3: Stubber) -> None:
    assert list_images({**RUN, "prefix": "batches/run-0/"}, CONTEXT)["error"] == "BadEvent"


def test_one_bad_picture_does_not_spoil_its_batch(s3: Stubber, function_environment: FakeAws) -> None:
    s3.add_response("get_object", stored(picture()))
    s3.add_client_error("get_object", "NoSuchKey", "gone", 404)
    s3.add_response("get_object", stored(b"hello"))
    s3.add_response("get_object", stored(picture()))
    s3.add_response("get_object", stored(picture()))
    expect_json_written(s3, result_key("run-1", 3))
    function_environment.answers = [
        probabilities(0.99, 0.01, unfamiliarity=0.95),
        probabilities(0.5, 0.5),
        probabilities(0.99, 0.01, unfamiliarity=0.96),
    ]
    result = classify_batch(batch("a.png", "gone.png", "note.txt", "unsure.png", "cat.png"), CONTEXT)
    counts = {"ok": 1, "bad_input": 2, "low_confidence": 1, "unfamiliar": 1}
    assert result == {"index": 3, "outcome": "ok", "counts": counts}


def test_a_busy_endpoint_makes_the_batch_worth_another_attempt(s3: Stubber, function_environment: FakeAws) -> None:
    s3.add_response("get_object", stored(picture()))
    expect_json_written(s3, result_key("run-1", 3))
    function_environment.answers = [refusal("ModelError", 424, OriginalStatusCode=503)] * 9
    result = classify_batch(batch("a.png"), CONTEXT)
    assert (result["outcome"], result["error"]) == ("retry", "Unavailable")
    assert "a.png" in result["cause"]


def test_a_batch_that_left_no_results_is_listed_key_by_key(s3: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLERATED_FAILURE_PERCENTAGE", "50")
    work = [{"index": 0, "keys": ["a.png", "b.png"]}, {"index": 1, "keys": ["c.png"]}]
    decision = {"outcome": "ok", "route": "near", "vehicle": "bicycle", "confidence": 0.99, "threshold": 0.93}
    results = [{"key": key, **decision} for key in ("a.png", "b.png")]
    s3.add_response("get_object", stored(json.dumps(work).encode()))
    s3.add_response("get_object", stored(json.dumps(results).encode()))
    s3.add_client_error("get_object", "NoSuchKey", "none", 404)
    written: list[bytes] = []
    put = clients.s3().put_object
    monkeypatch.setattr(clients.s3(), "put_object", lambda **named: written.append(named["Body"]) or put(**named))
    expect_json_written(s3, "batches/run-1/summary.json")
    result = summarise(RUN, CONTEXT)
    assert result["counts"] == {
        "images": 3, "routed": 2, "routes": {"near": 2}, "vehicles": {"bicycle": 2}, "failed_percentage": 33.33,
        "low_confidence": 0, "unfamiliar": 0, "failed": 0, "not_processed": 1,
    }  # fmt: skip
    assert json.loads(written[0])["not_processed"] == ["c.png"]


@pytest.mark.parametrize(
    ("keys", "least", "sizes"),
    [
        ([f"{n}.png" for n in range(60)], 25, {25, 10}),
        ([f"{n}.png" for n in range(1_000_000)], 25, {250}),
        ([f"{n:04d}" + "k" * 1000 for n in range(600)], 500, {198, 6}),
        (["ä" * 500] * 400, 500, {66, 4}),
    ],
    ids=["few", "a million", "long keys", "keys that JSON makes longer"],
)
def test_a_batch_fits_into_a_states_input_and_a_run_has_no_more_batches_than_its_summary_reads(
    keys: list[str], least: int, sizes: set[int]
) -> None:
    made = list(batches(keys, least))
    assert [key for batch in made for key in batch] == keys
    assert {len(batch) for batch in made} == sizes
    assert max(len(json.dumps(batch)) for batch in made[:100]) < 262_144 - 50_000
    assert len(made) <= 4000

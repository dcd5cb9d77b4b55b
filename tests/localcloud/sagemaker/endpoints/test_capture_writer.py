"""Captured records: their form, their place, and when a file is written. S3 is a dictionary, the clock a number."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from capture_schema import check_capture_file
from golden import GOLDEN

from localcloud.sagemaker.endpoints import capture_writer
from localcloud.sagemaker.endpoints.capture import Captured, Options, line, options, place
from localcloud.sagemaker.endpoints.capture_writer import CaptureWriter, seconds_from_environment

REAL = sorted((GOLDEN / "captures").glob("*.jsonl"))
NOON = datetime(2026, 11, 20, 12, 5, 9, 87_654, UTC).timestamp()
EVENT_ID = "695344c2-3858-45e5-a14d-33deaf4310c7"
BOTH = Options("s3://b/capture", 100, True, True, frozenset({"application/json"}), frozenset({"text/csv"}))


def captured(moment: float = NOON, **changes: Any) -> Captured:
    made = Captured(moment, EVENT_ID, "image/png", b"\x89PNG", "application/json", b"[0.9, 0.1]")
    return replace(made, **changes)


class Bucket:
    """Stands in for the cloud and its S3 client."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.away = False
        self.tries = 0

    def aws(self, _service: str, _role: str) -> Bucket:
        return self

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.tries += 1
        if self.away:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        assert Key not in self.files
        self.files[Key] = Body

    @property
    def records(self) -> int:
        return sum(body.count(b"\n") for body in self.files.values())


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(bucket: Bucket, clock: Clock) -> CaptureWriter:
    return CaptureWriter(bucket, seconds=60.0, clock=clock)  # type: ignore[arg-type]  # all that it uses is there


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[:9])
def test_the_service_s_own_files_have_the_form_that_ours_are_held_to(path: Path) -> None:
    records = check_capture_file(path.name, path.read_bytes())
    assert {record["captureData"]["endpointInput"]["encoding"] for record in records} == {"BASE64"}


def test_a_file_that_the_service_wrote_is_written_again_byte_for_byte() -> None:
    for path in REAL:
        for text in path.read_bytes().splitlines(keepends=True):
            record = json.loads(text)
            data, metadata = record["captureData"], record["eventMetadata"]
            again = Captured(
                datetime.fromisoformat(metadata["inferenceTime"]).timestamp(),
                metadata["eventId"],
                data["endpointInput"]["observedContentType"],
                base64.b64decode(data["endpointInput"]["data"]),
                data["endpointOutput"]["observedContentType"],
                data["endpointOutput"]["data"].encode(),
            )
            assert line(again, BOTH) == text


def test_the_key_is_endpoint_variant_hour_and_the_time_of_the_first_record() -> None:
    bucket, key = place("s3://b/some/prefix/", "my-endpoint", "AllTraffic", NOON)
    assert bucket == "b"
    folder, _, name = key.rpartition("/")
    assert folder == "some/prefix/my-endpoint/AllTraffic/2026/11/20/12"
    assert name.startswith("05-09-087-")
    assert place("s3://b", "e", "v", NOON)[1].startswith("e/v/2026/11/20/12/05-09-087-")


@pytest.mark.parametrize(
    ("content_type", "data", "kept", "encoding"),
    [
        ("application/json", b'{"a": "\xc3\xa4"}', '{"a": "ä"}', "JSON"),
        ("Application/JSON; charset=utf-8", b"[1]", "[1]", "JSON"),
        ("text/csv", b"1,2", "1,2", "CSV"),
        ("text/plain", b"1,2", "MSwy", "BASE64"),
        ("application/json", b"\xff\xfe", "//4=", "BASE64"),
        ("", b"", "", "BASE64"),
    ],
)
def test_data_is_text_for_the_configured_types_and_base64_for_all_others(
    content_type: str, data: bytes, kept: str, encoding: str
) -> None:
    side = json.loads(line(captured(input_type=content_type, input=data), BOTH))["captureData"]["endpointInput"]
    assert side == {"observedContentType": content_type, "mode": "INPUT", "data": kept, "encoding": encoding}


def test_an_inference_id_and_custom_attributes_are_there_only_if_they_were_sent() -> None:
    plain = json.loads(line(captured(), BOTH))["eventMetadata"]
    assert plain == {"eventId": EVENT_ID, "inferenceTime": "2026-11-20T12:05:09Z"}
    full = json.loads(line(captured(inference_id="run/1", custom_attributes="a=b"), BOTH))["eventMetadata"]
    assert full == {**plain, "inferenceId": "run/1", "customAttributes": ["a=b"]}


@pytest.mark.parametrize(
    ("modes", "sides"),
    [
        (["Input"], ["endpointInput"]),
        (["Output"], ["endpointOutput"]),
        (["InputAndOutput"], ["endpointInput", "endpointOutput"]),
    ],
)
def test_only_the_sides_that_are_asked_for_are_kept(modes: list[str], sides: list[str]) -> None:
    config = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://b/c",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
    }
    wanted = options(config)
    assert wanted is not None
    assert list(json.loads(line(captured(), wanted))["captureData"]) == sides
    assert options({**config, "EnableCapture": False}) is None
    assert options({**config, "InitialSamplingPercentage": 0}) is None


def test_a_file_is_written_when_its_first_record_is_old_enough(
    bucket: Bucket, clock: Clock, writer: CaptureWriter
) -> None:
    writer.add("e", "v", BOTH, captured())
    clock.now += 40
    writer.add("e", "v", BOTH, captured(clock.now))
    assert writer.write_due() == pytest.approx(20)
    assert not bucket.files
    clock.now += 20
    writer.write_due()
    ((key, body),) = bucket.files.items()
    records = check_capture_file(key.rpartition("/")[2], body)
    assert [record["eventMetadata"]["inferenceTime"][-9:] for record in records] == ["12:05:09Z", "12:05:49Z"]
    writer.add("e", "v", BOTH, captured(clock.now))
    clock.now += 59
    writer.write_due()
    assert len(bucket.files) == 1


def test_endpoints_and_variants_have_files_of_their_own(bucket: Bucket, clock: Clock, writer: CaptureWriter) -> None:
    for endpoint, variant in (("e", "v"), ("e", "w"), ("f", "v")):
        writer.add(endpoint, variant, BOTH, captured())
    clock.now += 60
    writer.write_due()
    assert sorted(key.split("/")[1:3] for key in bucket.files) == [["e", "v"], ["e", "w"], ["f", "v"]]


def test_a_file_that_is_large_enough_does_not_wait(
    bucket: Bucket, writer: CaptureWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_writer, "FILE_BYTES", 25)
    for _ in range(5):
        writer.add("e", "v", BOTH, captured())  # 14 bytes each
    writer.write_due()
    assert [body.count(b"\n") for body in bucket.files.values()] == [2, 2]


def test_flushing_writes_what_one_endpoint_has(bucket: Bucket, writer: CaptureWriter) -> None:
    writer.add("e", "v", BOTH, captured())
    writer.add("f", "v", BOTH, captured())
    assert writer.flush("e")
    assert [key.split("/")[1] for key in bucket.files] == ["e"]
    writer.close()
    assert bucket.records == 2


def test_a_file_that_s3_does_not_take_is_tried_again_under_its_key_and_nothing_is_lost(
    bucket: Bucket, clock: Clock, writer: CaptureWriter
) -> None:
    bucket.away = True
    writer.add("e", "v", BOTH, captured())
    clock.now += 60
    assert writer.write_due() == pytest.approx(1)
    writer.write_due()
    assert bucket.tries == 1, "not before the pause is over"
    writer.add("e", "v", BOTH, captured(clock.now))
    clock.now += 1
    assert writer.write_due() == pytest.approx(2)
    bucket.away = False
    clock.now += 2
    writer.write_due()
    assert bucket.records == 1
    writer.close()
    assert bucket.records == 2
    assert next(iter(bucket.files)).split("/")[-1].startswith("05-09-087-")


def test_memory_is_bounded_and_what_is_dropped_is_counted(
    bucket: Bucket, writer: CaptureWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(capture_writer, "MOST_BYTES", 30)
    for _ in range(5):
        writer.add("e", "v", BOTH, captured())
    assert writer.dropped == 3
    writer.flush()
    assert bucket.records == 2
    assert "3 invocations were not captured" in caplog.text
    writer.add("e", "v", BOTH, captured())
    writer.flush()
    assert bucket.records == 3, "there is room again"


@pytest.mark.parametrize(("text", "seconds"), [("", 60.0), ("2", 2.0), ("0.5", 0.5)])
def test_the_age_of_a_file_can_be_set(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("LOCALCLOUD_CAPTURE_SECONDS", text)
    assert seconds_from_environment() == seconds


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_an_age_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LOCALCLOUD_CAPTURE_SECONDS", text)
    with pytest.raises(SystemExit, match="LOCALCLOUD_CAPTURE_SECONDS"):
        seconds_from_environment()

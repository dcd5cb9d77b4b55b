"""Bytes that claim to be a picture: every decoder of the project answers or refuses in its own words, nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from fake_aws import FakeAws, probabilities
from hypothesis import given, settings
from hypothesis import strategies as st
from lambda_support import CONTEXT, picture
from PIL import PngImagePlugin

from lambdas import clients
from lambdas.classify_batch import batch as module
from lambdas.classify_batch.handler import handler as classify_batch
from lambdas.outcomes import BadInputError
from lambdas.serialize_image.picture import normalised
from localcloud.programs.image_classification.images import UnreadableImageError, decode_image
from monitoring.analysis.features import UNUSABLE, picture_features
from project.errors import DataError
from scones.desk.pictures import enlarged
from scones.reports.thumbnails import thumbnail
from steps import manifests, near_duplicates
from steps.train import inference

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BUCKET = "scones-test"


def chunks(png: bytes) -> Iterator[tuple[int, int]]:
    """Where each chunk of a PNG begins, and the length of its body, as far as they fit."""
    start = len(SIGNATURE)
    while start + 12 <= len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        if start + 12 + length > len(png):
            return
        yield start, length
        start += 12 + length


def with_right_checksums(png: bytes) -> bytes:
    """The same chunks, so that damage gets past the checksums and reaches the decoder."""
    mended = bytearray(png)
    for start, length in chunks(png):
        end = start + 8 + length
        mended[end : end + 4] = struct.pack(">I", zlib.crc32(png[start + 4 : end]))
    return bytes(mended)


def bomb(side: int) -> bytes:
    """A PNG of a few hundred bytes that says it has side x side pixels."""
    png = picture()
    return with_right_checksums(png[:16] + struct.pack(">II", side, side) + png[24:])


def measured(data: bytes) -> None:
    reasons: list[str] = []
    _, states = picture_features([data], lambda row, reason: reasons.append(reason))
    if states[0] == UNUSABLE:
        raise ValueError(*reasons)


DECODERS: dict[str, tuple[Callable[[bytes], object], type[Exception]]] = {
    "SerializeImage": (lambda data: normalised(data, (32, 32)), BadInputError),
    "serving container": (inference.decode, ValueError),
    "built-in algorithm": (decode_image, UnreadableImageError),
    "monitor": (measured, ValueError),
    "monitor's report": (thumbnail, ValueError),
    "dashboard": (enlarged, ValueError),
}


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest) -> tuple[Callable[[bytes], object], type[Exception]]:
    return DECODERS[request.param]


@pytest.mark.parametrize("side", [8_000, 10_000, 14_000, 60_000], ids="{}".format)
@pytest.mark.filterwarnings("ignore")  # as in a program: Pillow warns of 10,000 x 10,000, refuses 14,000 x 14,000
def test_a_bomb_is_refused_whatever_pillow_makes_of_it(
    decoder: tuple[Callable[[bytes], object], type[Exception]], side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, refusal = decoder
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(refusal, match="pixels"):
        decode(bomb(side))


@pytest.mark.parametrize("raised", [IndexError, KeyError, MemoryError, OverflowError, RecursionError, struct.error])
def test_whatever_a_decoder_raises_is_a_refusal_with_a_reason(
    decoder: tuple[Callable[[bytes], object], type[Exception]],
    raised: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(_: object) -> None:
        raise raised

    decode, refusal = decoder
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    with pytest.raises(refusal, match=raised.__name__):
        decode(picture())


@pytest.mark.filterwarnings("ignore")  # Pillow warns about odd metadata in files that it can read
@settings(max_examples=150)
@given(st.data())
def test_damaged_pictures_are_answered_or_refused_by_every_decoder(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG"]))
    damaged = bytearray(picture(data.draw(st.sampled_from(["RGB", "L"])), kind=kind))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        damaged = damaged or bytearray(b"\0")
    bytes_ = with_right_checksums(bytes(damaged)) if kind == "PNG" else bytes(damaged)
    for decode, refusal in DECODERS.values():
        try:
            decode(bytes_)
        except refusal as error:
            assert str(error)


def test_jobs_say_which_of_their_files_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bomb(14_000))
    (tmp_path / "images.csv").write_text(
        f"path,split,label,class_name,pixels_sha256,group,source_side\na.png,train,0,bicycle,{'0' * 64},a,\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=r"a\.png: not a readable image"):
        manifests.read_images(tmp_path)
    with pytest.raises(DataError, match=r"a\.png: not a readable image"):
        near_duplicates.pixels(tmp_path, ["a.png"])


@pytest.fixture
def s3(function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("BUCKET", BUCKET)
    with Stubber(clients.s3()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_one_bomb_among_forty_pictures_costs_one_picture(s3: Stubber, function_environment: FakeAws) -> None:
    pictures = {f"{number}.png": bomb(14_000) if number == 7 else picture() for number in range(40)}
    assert classify(s3, function_environment, pictures) == {"ok": 39, "bad_input": 1}


def test_what_nobody_expected_costs_one_picture_too(
    s3: Stubber, function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(data: bytes, size: tuple[int, int]) -> bytes:
        if data == b"strange":
            raise RuntimeError("never seen before")
        return normalised(data, size)

    monkeypatch.setattr(module, "normalised", failing)
    pictures = {"a.png": picture(), "b.png": b"strange", "c.png": picture()}
    assert classify(s3, function_environment, pictures) == {"ok": 2, "failed": 1}
    assert [vars(record)["key"] for record in caplog.records if record.exc_info] == ["b.png"]


def classify(s3: Stubber, aws: FakeAws, pictures: dict[str, bytes]) -> dict[str, int]:
    """How many of `pictures` (by key) had which outcome."""
    for data in pictures.values():
        body = StreamingBody(io.BytesIO(data), len(data))
        s3.add_response("get_object", {"Body": body, "ContentLength": len(data)})
    s3.add_response("put_object", {}, dict.fromkeys(("Bucket", "Key", "Body", "ContentType"), ANY))
    aws.answers = [probabilities(0.99, 0.01)] * len(pictures)
    event = {"s3_bucket": BUCKET, "run": "run-1", "index": 0, "keys": list(pictures), "threshold": None}
    result = classify_batch(event, CONTEXT)
    assert result["outcome"] == "ok", result
    counts: dict[str, int] = result["counts"]
    return counts

"""Pictures, captures and archives that were damaged on the way, and readers that must answer or refuse."""

from __future__ import annotations

import json
import random
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cifar_archives import meta, part, tar_gz
from lambda_support import picture
from mutations import mutated

from lambdas.outcomes import BadInputError
from lambdas.serialize_image.picture import normalised
from localcloud.programs.image_classification.images import UnreadableImageError, decode_image
from monitoring.analysis import capture, ground_truth
from project.errors import DataError
from scones.reports.thumbnails import thumbnail
from steps import cifar
from steps.train import inference

FORMS = (
    *(("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("I;16", "PNG")),
    *(("L", "JPEG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "WEBP")),
)
READERS: dict[str, tuple[Callable[[bytes], object], type[Exception]]] = {
    "SerializeImage": (lambda data: normalised(data, (32, 32)), BadInputError),
    "served model": (inference.decode, ValueError),
    "local image classification": (decode_image, UnreadableImageError),
    "report": (thumbnail, ValueError),
}
ENTRY: dict[str, Any] = {
    "captureData": {
        "endpointInput": {"observedContentType": "image/png", "data": "iVBORw0KGgo=", "encoding": "BASE64"},
        "endpointOutput": {"observedContentType": "application/json", "data": "[0.9, 0.1]", "encoding": "JSON"},
    },
    "eventMetadata": {"eventId": "e", "inferenceId": "i", "inferenceTime": "2026-01-01T00:00:00Z"},
    "groundTruthData": {"data": "1", "encoding": "CSV"},
    "eventVersion": "0",
}
LINES = (b"[" * 5000, b"\xff\xfe\x00", b"", b'{"captureData": 1e999}', b"[" + b"9" * 5000 + b"]", b"\x1f\x8b\x08\x00")
ANSWERS = (
    *("[0.5, 0.5]", "[1e400, 0]", "[1" + "0" * 400 + ", 0.5]", "0.5,0.5", "nan,1", '{"scores": [[]]}', "[" * 5000),
    *("[" + "9" * 5000 + ", 0]", "", "\ud800"),
)


def faults_of_pictures(seed: int, count: int) -> Counter[str]:
    """What readers do with `count` damaged pictures, where that is neither an answer nor a refusal."""
    draw, found = random.Random(seed), Counter[str]()
    whole = [picture(mode, (33, 17), kind) for mode, kind in FORMS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata
        for _ in range(count):
            name, data = draw.choice(list(READERS)), damaged(draw.choice(whole), draw)
            read, refusal = READERS[name]
            try:
                read(data)
            except refusal as error:
                found[f"{name}: {len(str(error))} characters"] += len(str(error)) > 1000
            except Exception as error:  # what a fuzzer is for
                found[f"{name}: {type(error).__name__}: {error}"[:200]] += 1
    return +found


def faults_of_captures(seed: int, count: int) -> Counter[str]:
    """Likewise of `count` lines of captures and labels: each is a record, or counted as bad."""
    draw, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "captured.jsonl"
        for _ in range(count):
            entry = mutated(ENTRY, draw) if draw.random() < 0.7 else ENTRY
            if draw.random() < 0.3:
                answer = {"data": draw.choice(ANSWERS), "encoding": draw.choice(("JSON", "CSV"))}
                entry = {**ENTRY, "captureData": {**ENTRY["captureData"], "endpointOutput": answer}}
            line = json.dumps(entry).encode() if draw.random() < 0.9 else draw.choice(LINES)
            line = damaged(line, draw) if draw.random() < 0.2 else line
            file.write_bytes(line.replace(b"\n", b" ") + b"\n")
            try:
                _read_capture(file, found)
            except Exception as error:  # what a fuzzer is for
                found[f"{type(error).__name__}: {error}"[:200]] += 1
    return found


def _read_capture(file: Path, found: Counter[str]) -> None:
    tally = capture.Tally()
    records = list(capture.read([file], tally, classes=2))
    if file.read_bytes().strip() and not (len(records) == 1 or tally.bad):
        found["a line that is neither a record nor bad"] += 1
    for record in records:
        json.dumps([record.event_id, record.inference_id, record.content_type], ensure_ascii=False).encode()
    labels = ground_truth.read(file.parent, ("a", "b"), tally)
    json.dumps(labels, ensure_ascii=False).encode()
    json.dumps(tally.problems, ensure_ascii=False).encode()


def faults_of_archives(seed: int, count: int) -> Counter[str]:
    """Likewise of `count` CIFAR archives, damaged inside the compression or outside of it."""
    draw, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cifar.tar.gz"
        records = b"".join(bytes((0, label)) + bytes(cifar.PIXELS) for label in (8, 48))
        binary = [("train.bin", records), ("test.bin", records), ("fine_label_names.txt", b"a\n" * 100)]
        layouts = [
            [meta(), part("train", [8, 48]), part("test", [8, 48])],
            [(f"cifar-100-binary/{name}", body) for name, body in binary],
        ]
        for _ in range(count):
            members = [
                (name, damaged(body, draw) if draw.random() < 0.4 else body) for name, body in draw.choice(layouts)
            ]
            tar_gz(file, *members)
            if draw.random() < 0.2:
                file.write_bytes(damaged(file.read_bytes(), draw))
            try:
                cifar.read(file)
            except DataError as error:
                found[f"{len(str(error))} characters"] += len(str(error)) > 1000
            except Exception as error:  # what a fuzzer is for
                found[f"{type(error).__name__}: {error}"[:200]] += 1
    return +found


def damaged(data: bytes, draw: random.Random) -> bytes:
    """A copy with some bytes changed, cut out, repeated or put in."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at, end = draw.randrange(len(changed) + 1), draw.randrange(len(changed) + 1)
        kind = draw.randrange(4)
        if kind == 0 and at < len(changed):
            changed[at] = draw.randrange(256)
        elif kind == 1:
            del changed[min(at, end) : min(at, end) + draw.choice((1, 4, 1000))]
        elif kind == 2:
            changed[at:at] = changed[end : end + draw.choice((1, 12, 200))]
        else:
            changed[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\x01"))
    return bytes(changed)

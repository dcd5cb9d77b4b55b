"""Reading captured traffic: every layout and encoding, the time window, duplicates, and memory of events."""

from __future__ import annotations

import base64
import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import capture_files
import numpy as np
import pytest
from capture_files import NOON, entry, side, write

from monitoring.analysis import capture, payload, traffic
from monitoring.analysis.capture import Tally, Window
from monitoring.analysis.duplicates import Seen

# One record of a real endpoint, shortened to an 8x8 picture: field names, order and types as they were.
REAL = (
    '{"captureData":{"endpointInput":{"observedContentType":"image/png","mode":"INPUT","data":"%s","encoding":"BASE64"},'
    '"endpointOutput":{"observedContentType":"application/json","mode":"OUTPUT",'
    '"data":"[0.9388836622238159, 0.061116307973861694]","encoding":"JSON"}},"eventMetadata":{"eventId":'
    '"f2b7a1de-9f1f-4a55-a9a5-0f4d3b9ffb6c","inferenceTime":"2024-10-15T14:05:12Z"},"eventVersion":"0"}'
)


def read(folder: Path, window: Window = capture.EVER) -> tuple[list[capture.Record], Tally]:
    tally = Tally()
    return list(capture.read(capture.files(folder, window), tally, window)), tally


def test_a_real_record_is_read_whole(tmp_path: Path) -> None:
    sent = capture_files.picture(np.random.default_rng(0), side=8)
    write(tmp_path / "05-12-996-134a89fb.jsonl", [REAL % base64.b64encode(sent).decode()])
    (record,), tally = read(tmp_path)
    assert record.time == datetime(2024, 10, 15, 14, 5, 12, tzinfo=UTC)
    assert record.event_id == "f2b7a1de-9f1f-4a55-a9a5-0f4d3b9ffb6c" and record.inference_id == ""
    assert record.content_type == "image/png"
    assert record.probabilities == [0.9388836622238159, 0.061116307973861694]
    assert record.picture() == sent
    assert record.place == f"{tmp_path / '05-12-996-134a89fb.jsonl'}:1"
    assert (tally.files, tally.lines, tally.bad) == (1, 1, 0)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("[0.9, 0.1]", "JSON"),
        ("[[0.9, 0.1]]", "JSON"),
        ('{"predictions": [[0.9, 0.1]]}', "JSON"),
        ('{"probabilities": [0.9, 0.1]}', "JSON"),
        ('"[0.9, 0.1]"', "JSON"),
        ("0.9,0.1", "CSV"),
        ("0.9, 0.1\n", "CSV"),
        ("[0.9, 0.1]", "CSV"),
        (base64.b64encode(b"[0.9, 0.1]").decode(), "BASE64"),
        (base64.b64encode(b"0.9,0.1").decode(), "BASE64"),
    ],
)
def test_an_answer_is_read_in_every_encoding(data: str, encoding: str) -> None:
    assert payload.answer(side(data, encoding), classes=2).probabilities == [0.9, 0.1]


def test_an_answer_says_how_unfamiliar_the_picture_is_or_nothing() -> None:
    said = payload.answer(side('{"prediction": [0.9, 0.1], "unfamiliarity": 0.25}', "JSON"), classes=2)
    assert said == payload.Answer([0.9, 0.1], 0.25)
    assert math.isnan(payload.answer(side('{"prediction": [0.9, 0.1]}', "JSON"), classes=2).unfamiliarity)


@pytest.mark.parametrize("unfamiliarity", ["NaN", "Infinity", "-0.1", "1.1", '"0.5"', "null", "true", "[0.5]"])
def test_an_unfamiliarity_that_is_no_share_is_a_fault_of_the_answer(unfamiliarity: str) -> None:
    text = f'{{"prediction": [0.9, 0.1], "unfamiliarity": {unfamiliarity}}}'
    with pytest.raises(ValueError, match="not a number from 0 to 1"):
        payload.answer(side(text, "JSON"), classes=2)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (base64.b64encode(b"\x89PNG").decode(), "BASE64"),
        (json.dumps(base64.b64encode(b"\x89PNG").decode()), "JSON"),
        (json.dumps({"image_data": base64.b64encode(b"\x89PNG").decode(), "s3_key": "a.png"}), "JSON"),
        (json.dumps({"image": "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()}), "JSON"),
        (base64.encodebytes(b"\x89PNG").decode(), "BASE64"),
    ],
)
def test_a_picture_is_found_in_every_encoding(data: str, encoding: str) -> None:
    assert payload.picture(side(data, encoding)) == b"\x89PNG"


def test_only_records_inside_the_window_are_yielded_and_the_others_counted(tmp_path: Path) -> None:
    times = [NOON + timedelta(minutes=m) for m in (-1, 0, 30, 59, 60)]
    write(tmp_path / "flat.jsonl", [entry(f"e{i}", time=time) for i, time in enumerate(times)])
    records, tally = read(tmp_path, Window(NOON, NOON + timedelta(hours=1)))
    assert [record.event_id for record in records] == ["e1", "e2", "e3"]
    assert tally.outside == 2


def test_files_of_other_hours_are_not_opened_but_those_that_end_in_the_window_are(tmp_path: Path) -> None:
    for hour in (9, 10, 11, 12, 13):
        write(tmp_path / f"endpoint/AllTraffic/2026/05/04/{hour:02d}/59-50-000-a.jsonl", [])
    window = Window(NOON, NOON + timedelta(hours=1))
    found = [path.parent.name for path in capture.files(tmp_path, window)]
    assert found == ["11", "12"]  # a file begun at 11:59:50 may hold records of 12:00


def test_a_time_without_zone_is_utc_and_others_are_converted(tmp_path: Path) -> None:
    late = entry("a")
    late["eventMetadata"]["inferenceTime"] = "2026-05-04T14:00:00+02:00"
    bare = entry("b")
    bare["eventMetadata"]["inferenceTime"] = "2026-05-04T12:00:00"
    write(tmp_path / "a.jsonl", [late, bare])
    assert [record.time for record in read(tmp_path)[0]] == [NOON, NOON]


def test_compressed_files_are_read_whatever_their_name(tmp_path: Path) -> None:
    text = json.dumps(entry("a")) + "\n"
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "b.jsonl").write_bytes(gzip.compress(text.encode()))
    assert len(read(tmp_path)[0]) == 2


def test_records_stream_in_batches_across_files(tmp_path: Path) -> None:
    for i in range(5):
        write(tmp_path / f"{i}.jsonl", [entry(f"{i}-{j}") for j in range(3)])
    sizes = [len(batch) for batch in capture.batches(capture.read(capture.files(tmp_path), Tally()), size=4)]
    assert sizes == [4, 4, 4, 3]


def test_an_event_counts_once_also_across_files_and_processes(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.jsonl", [entry("same"), entry(name)])
    tally = Tally()
    batches = list(traffic.read(capture.files(tmp_path), traffic.Reading(pictures=False), tally))
    assert [event for batch in batches for event in batch.event_id] == ["same", "a", "b", "c"]
    assert tally.duplicates == 2


def test_seen_events_are_remembered_over_many_batches() -> None:
    seen, rng = Seen(), np.random.default_rng(3)
    ids = [str(i) for i in rng.integers(0, 3000, 10_000)]
    fresh = np.concatenate([seen.first(ids[i : i + 700]) for i in range(0, len(ids), 700)])
    known: set[str] = set()
    for event, is_fresh in zip(ids, fresh, strict=True):
        assert is_fresh == (event not in known)
        known.add(event)


def test_two_processes_find_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring.analysis import parallel

    folder = capture_files.traffic(tmp_path / "capture", 60, seed=1, every=timedelta(minutes=1))
    write(folder / "scones-endpoint" / "zz.jsonl", ["not json", entry("event-1-3")])
    monkeypatch.setattr(parallel, "GROUP_BYTES", 20_000)
    files, found = capture.files(folder), []
    for processes in (1, 2):
        tally = Tally()
        batches = list(traffic.read(files, traffic.Reading(("a", "b")), tally, processes))
        events = [event for batch in batches for event in batch.event_id]
        brightness = np.concatenate([batch.columns.values["brightness"] for batch in batches])
        found.append((events, brightness.tolist(), tally))
    assert found[0] == found[1]
    assert len(found[0][0]) == 60 and found[0][2].duplicates == 1 and found[0][2].bad == 1

"""Damaged, foreign and hostile capture files: each bad line is counted and named, the good ones around it are read."""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from capture_files import end_at_once, entry, side, write

from monitoring.analysis import capture, payload, traffic
from monitoring.analysis.capture import Tally
from monitoring.analysis.features import UNUSABLE
from project.errors import DataError


def changed(**parts: Any) -> dict[str, Any]:
    return {**entry("e"), **parts}


def metadata(**parts: Any) -> dict[str, Any]:
    return changed(eventMetadata={**entry("e")["eventMetadata"], **parts})


BAD_LINES: list[tuple[Any, str]] = [
    ("{", "not JSON"),
    ("", ""),
    ("null", "not a captured request"),
    ("[]", "not a captured request"),
    ('"text"', "not a captured request"),
    ("{}", "not a captured request"),
    ("[" * 100_000, "not JSON"),
    ('{"captureData": {"endpointInput": {"data": "', "not JSON: Unterminated string"),
    ({"captureData": None, "eventMetadata": {}}, "not a captured request"),
    (changed(eventVersion="1"), "unknown eventVersion '1'"),
    (metadata(eventId=None), "eventMetadata.eventId is missing"),
    (metadata(eventId=""), "eventMetadata.eventId is missing"),
    (metadata(inferenceTime=None), "eventMetadata.inferenceTime: None is not a time"),
    (metadata(inferenceTime="soon"), "eventMetadata.inferenceTime: 'soon' is not a time"),
    (metadata(inferenceTime=1730000000), "eventMetadata.inferenceTime: 1730000000 is not a time"),
]


@pytest.mark.parametrize(("line", "says"), BAD_LINES)
def test_a_bad_line_is_counted_and_named_and_its_neighbours_are_read(tmp_path: Path, line: Any, says: str) -> None:
    file = write(tmp_path / "a.jsonl", [entry("before"), line, entry("after")])
    tally = Tally()
    assert [record.event_id for record in capture.read([file], tally)] == ["before", "after"]
    if says:
        assert tally.bad == 1
        assert tally.problems[0].startswith(f"{file}:2: {says}")


BAD_ANSWERS: list[tuple[dict[str, Any], str]] = [
    (side("[0.9, 0.1]", "AVRO"), "unknown encoding 'AVRO'"),
    (side("[0.9, 0.1]", "base64"), "unknown encoding 'base64'"),
    ({"data": "[0.9, 0.1]"}, "unknown encoding None"),
    ({"data": 5, "encoding": "JSON"}, "data is int, not text"),
    (side("not base64!", "BASE64"), "not base64"),
    (side("[NaN, 0.5]", "JSON"), "not probabilities"),
    (side("[Infinity, 0]", "JSON"), "not probabilities"),
    (side("[-0.5, 1.5]", "JSON"), "not probabilities"),
    (side("[0.2, 0.2]", "JSON"), "not probabilities"),
    (side("[]", "JSON"), "0 probabilities for 2 classes"),
    (side("[1.0]", "JSON"), "1 probabilities for 2 classes"),
    (side("[0.5, 0.3, 0.2]", "JSON"), "3 probabilities for 2 classes"),
    (side('["0.9", "0.1"]', "JSON"), "not a list of numbers"),
    (side("[true, false]", "JSON"), "not a list of numbers"),
    (side('{"error": "model crashed"}', "JSON"), "not a list of numbers"),
    (side("bicycle", "CSV"), "neither JSON nor comma-separated numbers"),
    (side("[" * 100_000, "JSON"), "nested too deeply"),
]


@pytest.mark.parametrize(("answer", "says"), BAD_ANSWERS)
def test_an_answer_that_is_no_probabilities_is_named_and_its_record_kept(
    tmp_path: Path, answer: dict[str, Any], says: str
) -> None:
    record = entry("e")
    record["captureData"]["endpointOutput"] = answer
    file = write(tmp_path / "a.jsonl", [record])
    tally = Tally()
    (found,) = capture.read([file], tally, classes=2)
    assert found.probabilities is None and found.answer_fault.startswith(says)
    assert tally.faults == 1 and f"{file}:1: answer: {says}" in tally.problems[0]


@pytest.mark.parametrize("answer", [None, {"data": "", "encoding": "JSON"}, {"data": "x", "encoding": "EMPTY"}, {}])
def test_an_empty_answer_is_missing_not_wrong(tmp_path: Path, answer: Any) -> None:
    record = entry("e")
    record["captureData"]["endpointOutput"] = answer
    tally = Tally()
    (found,) = capture.read([write(tmp_path / "a.jsonl", [record])], tally)
    assert found.probabilities is None and not found.answer_fault and tally.faults == 0


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (side("not base64!", "BASE64"), "not base64"),
        (side(base64.b64encode(b"b'\\x89PNG'").decode(), "BASE64"), "not a PNG, JPEG or WebP"),
        (side(base64.b64encode(b"GIF89a" + bytes(40)).decode(), "BASE64"), "not a PNG, JPEG or WebP"),
        (side("0.1,0.2,0.3", "CSV"), "CSV that holds no picture"),
        (side('{"rows": 3}', "JSON"), "JSON that holds no picture"),
        (side("[1, 2, 3]", "JSON"), "JSON that holds no picture"),
        (side("iVBORw0KGgo", "UTF8"), "unknown encoding 'UTF8'"),
    ],
)
def test_a_request_without_a_picture_is_named_and_has_no_picture_features(
    tmp_path: Path, sent: dict[str, Any], says: str
) -> None:
    record = entry("e")
    record["captureData"]["endpointInput"] = sent
    tally = Tally()
    (batch,) = traffic.read([write(tmp_path / "a.jsonl", [record])], traffic.Reading(), tally)
    assert batch.columns.states["picture"].tolist() == [UNUSABLE]
    assert batch.columns.values["confidence"].tolist() == [0.9]
    assert f"a.jsonl:1: picture: {says}" in tally.problems[0]


def test_mixed_encodings_in_one_file_are_all_read(tmp_path: Path) -> None:
    texts = [("[0.9, 0.1]", "JSON"), ("0.9,0.1", "CSV"), (base64.b64encode(b"[0.9, 0.1]").decode(), "BASE64")]
    records = []
    for i, (data, encoding) in enumerate(texts):
        records.append(entry(f"e{i}"))
        records[-1]["captureData"]["endpointOutput"] = side(data, encoding)
    tally = Tally()
    found = list(capture.read([write(tmp_path / "a.jsonl", records)], tally))
    assert [record.probabilities for record in found] == [[0.9, 0.1]] * 3 and not tally.problems


def test_a_file_cut_in_the_middle_of_a_line_gives_what_came_before(tmp_path: Path) -> None:
    whole = "".join(json.dumps(entry(f"e{i}")) + "\n" for i in range(3))
    file = tmp_path / "a.jsonl"
    file.write_text(whole[:-40])
    tally = Tally()
    assert len(list(capture.read([file], tally))) == 2
    assert tally.bad == 1 and tally.problems[0].startswith(f"{file}:3: not JSON")


def test_a_cut_gzip_file_gives_what_came_before_and_is_named(tmp_path: Path) -> None:
    lines = "".join(json.dumps(entry(os.urandom(200).hex())) + "\n" for _ in range(200))
    packed = gzip.compress(lines.encode())
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(packed[: len(packed) // 2])
    tally = Tally()
    assert 0 < len(list(capture.read([file], tally))) < 200
    assert tally.bad >= 1 and "the file cannot be read on" in tally.problems[-1]


def test_a_file_of_something_else_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_BAD_LINES", 3)
    first, second = write(tmp_path / "a.jsonl", ["x"] * 10), write(tmp_path / "b.jsonl", ["x", "x", entry("e")])
    tally = Tally()
    assert [record.event_id for record in capture.read([first, second], tally)] == ["e"]
    assert f"{first}:4: the file cannot be read on: 3 of its lines are no captured requests" in tally.problems


def test_a_file_that_vanishes_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, [entry(name)]) for name in ("a.jsonl", "b.jsonl"))
    first.unlink()
    tally = Tally()
    assert [record.event_id for record in capture.read([first, second], tally)] == ["b.jsonl"]
    assert tally.problems == [f"{first}:1: the file cannot be read on: [Errno 2] No such file or directory: '{first}'"]


def test_an_empty_file_and_blank_lines_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    write(tmp_path / "b.jsonl", ["", "  ", entry("e"), ""])
    tally = Tally()
    assert len(list(capture.read(capture.files(tmp_path), tally))) == 1
    assert (tally.lines, tally.bad) == (1, 0)


def test_an_enormous_line_is_named_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "LONGEST_LINE", 1000)
    file = write(tmp_path / "a.jsonl", [entry("a"), "x" * 10_000, entry("b")])
    tally = Tally()
    assert [record.event_id for record in capture.read([file], tally)] == ["a", "b"]
    assert tally.problems == [f"{file}:2: longer than 1000 bytes"]


def test_bytes_that_are_not_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xff\xfe\x00\n" + json.dumps(entry("e")).encode() + b"\r\n")
    tally = Tally()
    assert len(list(capture.read([file], tally))) == 1
    assert tally.bad == 1


def test_of_very_many_problems_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    tally = Tally()
    list(capture.read([write(tmp_path / "a.jsonl", ["x"] * 1000)], tally))
    assert tally.bad == 1000 and len(tally.problems) == capture.NAMED


def test_clocks_that_go_backwards_are_read_as_they_are(tmp_path: Path) -> None:
    from capture_files import NOON

    times = [NOON, NOON.replace(hour=9), NOON.replace(hour=15)]
    file = write(tmp_path / "a.jsonl", [entry(f"e{i}", time=time) for i, time in enumerate(times)])
    assert [record.time for record in capture.read([file], Tally())] == times


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder of captured traffic"):
        capture.files(tmp_path / "nothing")


def test_a_reading_process_that_dies_is_an_error_not_a_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring.analysis import parallel
    from project.errors import SconesError

    monkeypatch.setattr(parallel, "GROUP_BYTES", 1)
    monkeypatch.setattr(parallel, "PATIENCE", 0.05)
    files = [write(tmp_path / f"{i}.jsonl", [entry(f"e{i}")]) for i in range(3)]
    with pytest.raises(SconesError, match=r"process \d+ ended with exit code 3"):
        list(parallel.spread(end_at_once, files, traffic.Reading(), Tally(), processes=2))


def test_base64_with_url_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="not base64"):
        payload.content(side("__-_", "BASE64"))


def test_files_of_other_names_are_named_and_not_opened(tmp_path: Path) -> None:
    write(tmp_path / "2026/05/04/12/a.jsonl", [entry("e")])
    for name in ("b.json", "c.jsonl.bz2", "d", ".hidden"):
        (tmp_path / "2026/05/04/12" / name).write_bytes(b"x")
    tally = Tally()
    assert [path.name for path in capture.files(tmp_path, tally=tally)] == ["a.jsonl"]
    assert tally.passed_over == 3
    assert tally.problems == [
        f"{tmp_path}/2026/05/04/12/{name}: passed over: only .jsonl and .jsonl.gz files are read"
        for name in ("b.json", "c.jsonl.bz2", "d")
    ]

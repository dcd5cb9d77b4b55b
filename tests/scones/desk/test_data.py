"""What the dashboard's pages show, as data: records from files, thresholds, the review queue, live accuracy."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture_files import CLASSES, NOON, entry, picture
from PIL import Image

from monitoring.analysis.ground_truth import NEITHER
from monitoring.analysis.outcome import Outcome
from monitoring.measures.metrics import threshold_curve
from pipelines.runs.live_history import Deployment
from project.errors import DataError
from scones.desk.data import batches, confidence, review, threshold_effects
from scones.desk.data.captures import Feed
from scones.desk.data.deployments import of_version, versions
from scones.desk.data.file_cache import FileCache
from scones.desk.data.records import RECORD, Records, Table, parsed, uncompressed, variant_of
from scones.desk.data.records import picture as picture_of
from scones.desk.data.runs import MonitorRun
from scones.desk.data.unlike import of_run, unlike
from scones.desk.pictures import enlarged

KEY = "captures/scones/AllTraffic/2026/05/04/12/00-00-000-a.jsonl"


def lines(*entries: Any) -> bytes:
    return b"".join((one if isinstance(one, str) else json.dumps(one)).encode() + b"\n" for one in entries)


def records(*rows: tuple[str, float, int], inference: str = "") -> Records:
    """Records of event, confidence of the predicted class, and that class; a second apart."""
    found = np.zeros(len(rows), RECORD)
    for i, (event, sure, predicted) in enumerate(rows):
        found[i]["event"], found[i]["inference"] = event.encode(), inference.encode()
        found[i]["confidence"], found[i]["margin"], found[i]["predicted"] = sure, 2 * sure - 1, predicted
        found[i]["time"] = 1_000 + i
    return found


def test_what_a_batch_did_not_route_is_listed_with_why_the_least_sure_first() -> None:
    summary = {
        "low_confidence": [
            {"key": "b.png", "vehicle": "bicycle", "confidence": 0.8},
            {"key": "a.png", "vehicle": "bicycle", "confidence": 0.6},
        ],
        "unfamiliar": [{"key": "c.png", "vehicle": "motorcycle", "unfamiliarity": 12.0}],
        "failed": [{"key": "d.png", "error": "ImageRefused", "problem": "empty"}],
        "not_processed": ["e.png"],
    }
    found = batches.not_routed(json.dumps(summary).encode())
    assert [(one.key, one.why) for one in found["low_confidence"]] == [
        ("a.png", "bicycle 0.600"),
        ("b.png", "bicycle 0.800"),
    ]
    assert [one.why for name in ("unfamiliar", "failed", "not_processed") for one in found[name]] == [
        "motorcycle, unfamiliarity 12",
        "ImageRefused: empty",
        "its part of the batch left no result",
    ]
    with pytest.raises(DataError, match="KeyError"):
        batches.not_routed(b"{}")


def test_the_records_of_a_run_are_those_of_its_window() -> None:
    some = records(*((f"e{i}", 0.9, 0) for i in range(5)))
    run = MonitorRun("f", datetime.fromtimestamp(1_003, UTC), Outcome.HEALTHY, "", "", 2, (), 0)
    assert of_run(some, run)["event"].tolist() == [b"e2", b"e3"], "the last ones before it"
    window = (datetime.fromtimestamp(1_001, UTC), datetime.fromtimestamp(1_003, UTC))
    assert of_run(some, replace(run, window=window))["event"].tolist() == [b"e1", b"e2"]


def test_the_pictures_least_like_the_others_come_first_and_of_answers_the_least_certain() -> None:
    random = np.random.default_rng(1)
    shades = [1.0, 1.0, 1.0, 1.0, 0.2]
    content = lines(*(entry(f"e{i}", (0.9, 0.1), picture(random, shade=s)) for i, s in enumerate(shades)))
    feed = Feed("bucket", "captures/scones/", CLASSES, fetch=lambda bucket, key: content)
    some = parsed(content, KEY, CLASSES).records
    try:
        found = unlike(feed, some, (KEY,), CLASSES, "brightness", None, None)
        assert found.looked_at == found.of == 5
        assert found.records["event"][0] == b"e4" and float(found.said[0]) < 0.3
        unsure = unlike(feed, records(("sure", 0.9, 0), ("unsure", 0.6, 1)), (KEY,), CLASSES, "entropy", None, None)
        assert unsure.records["event"].tolist() == [b"unsure", b"sure"]
        some["unfamiliarity"] = [0.2, 0.99, 0.5, np.nan, 0.3]
        strange = unlike(feed, some, (KEY,), CLASSES, "unfamiliarity", None, None)
        assert strange.records["event"].tolist() == [b"e1", b"e2", b"e4", b"e0"] and strange.said[0] == "0.99"
    finally:
        feed.close()


def test_a_record_knows_where_its_picture_lies() -> None:
    pictures = [picture(np.random.default_rng(seed)) for seed in range(3)]
    content = lines(*(entry(f"e{i}", (0.9, 0.1), sent) for i, sent in enumerate(pictures)))
    found = parsed(content, KEY, CLASSES).records
    assert [one["event"] for one in found] == [b"e0", b"e1", b"e2"]
    for one, sent in zip(found, pictures, strict=True):
        assert picture_of(content[one["offset"] : one["offset"] + one["length"]]) == sent


def test_damaged_lines_are_counted_by_their_key_and_the_others_are_read() -> None:
    content = lines(entry("good", (0.2, 0.8)), "{broken", entry("none", None), entry("odd", (0.5, 0.1)))
    found = parsed(content, KEY, CLASSES)
    assert (found.bad, found.faults) == (1, 1)
    assert found.problems[0].startswith(f"{KEY}:2: ")
    assert found.records["predicted"].tolist() == [1, -1, -1]
    assert found.records["event"].tolist() == [b"good", b"none", b"odd"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\xff not a capture file", b"\x1f\x8bbroken"])
def test_a_file_without_a_single_record_is_no_failure(content: bytes) -> None:
    assert len(parsed(content, KEY, CLASSES).records) == 0


def test_a_compressed_file_that_ends_early_gives_what_is_before_the_damage() -> None:
    whole = gzip.compress(lines(*(entry(f"e{i}", (0.9, 0.1), bytes([i]) * 3000) for i in range(200))), 1)
    cut = whole[: len(whole) // 2]
    found = parsed(cut, f"{KEY}.gz", CLASSES)
    assert 0 < len(found.records) < 200
    assert found.bad >= 1
    last = found.records[-1]
    text = uncompressed(cut)[0][last["offset"] : last["offset"] + last["length"]]
    assert json.loads(text)["eventMetadata"]["eventId"].encode() == last["event"]


def test_the_variant_is_read_from_the_key() -> None:
    assert variant_of(KEY) == "AllTraffic"
    assert variant_of("captures/odd.jsonl") == ""


def test_unfamiliar_pictures_are_asked_about_by_turns_with_those_that_the_model_is_unsure_of() -> None:
    rows = records(("sure", 0.99, 0), ("unsure", 0.6, 0), ("strange", 0.99, 1), ("stranger", 0.98, 0), ("mid", 0.8, 0))
    rows["unfamiliarity"] = [np.nan, 0.5, 0.96, 0.99, 0.1]
    asked = [rows["event"][row].decode() for row in review.queue(rows, {"mid": 0}, "least certain", 4, limit=0.95)]
    assert asked == ["unsure", "stranger", "strange", "sure"]
    assert len(review.queue(rows, {}, "least certain", 2, limit=0.95)) == 2
    assert rows["event"][review.queue(rows, {}, "least certain", 5, limit=1.0)[1]] == b"mid"


def test_what_a_record_says_of_likeness_is_read_from_its_json_line() -> None:
    content = lines(entry("a", (0.9, 0.1), unfamiliarity=0.5), entry("b", (0.9, 0.1)))
    np.testing.assert_array_equal(parsed(content, KEY, CLASSES).records["unfamiliarity"], [0.5, np.nan])


def test_a_table_gives_a_period_and_a_variant() -> None:
    rows = records(("a", 0.9, 0), ("b", 0.9, 0), ("c", 0.9, 0))
    rows["file"] = [0, 1, 0]
    table = Table(rows, ("one", "two"), ("Blue", "Green"))
    assert table.chosen(since=1_001)["event"].tolist() == [b"b", b"c"]
    assert table.chosen(variant="Blue")["event"].tolist() == [b"a", b"c"]
    assert table.chosen(since=1_001, variant="Green")["event"].tolist() == [b"b"]


def test_what_was_read_is_known_again_unless_the_file_is_another(tmp_path: Path) -> None:
    found = parsed(lines(entry("a", (0.9, 0.1)), "{broken"), KEY, CLASSES)
    cache = FileCache(tmp_path, "bucket", 2)
    cache.put([(KEY, "etag", found)])
    cache.close()
    again = FileCache(tmp_path, "bucket", 2)
    known = again.get({KEY: "etag"})[KEY]
    assert known.records.tobytes() == found.records.tobytes()  # NaN, of what was not said, is equal to nothing
    assert (known.bad, known.problems) == (found.bad, found.problems)
    assert again.get({KEY: "another"}) == {}
    again.close()


@pytest.mark.parametrize("damage", ["a file of something else", ""])
def test_a_damaged_cache_is_begun_anew(tmp_path: Path, damage: str) -> None:
    cache = FileCache(tmp_path, "bucket", 2)
    cache.close()
    [file] = tmp_path.glob("*.sqlite")
    file.write_text(damage)
    again = FileCache(tmp_path, "bucket", 2)
    again.put([(KEY, "etag", parsed(lines(entry("a")), KEY, CLASSES))])
    assert len(again.get({KEY: "etag"})[KEY].records) == 1
    again.close()


def test_a_cache_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = FileCache(tmp_path / "file" / "below", "bucket", 2)
    cache.put([(KEY, "etag", parsed(b"", KEY, CLASSES))])
    assert KEY in cache.get({KEY: "etag"})
    cache.close()


def test_an_effect_counts_as_the_filter_does() -> None:
    sure = np.array([0.99, 0.93, 0.5, 0.930001])
    known = threshold_effects.traffic(sure, np.array([0.93, 0.99, 0.930001]), np.array([False, True, True]))
    low, exact, high = (known.effect(at) for at in (0.5, 0.93, 0.999))
    assert (low.passing, low.labelled) == (4, 3)
    assert (exact.passing, exact.share) == (3, 0.75), "exactly the threshold passes"
    assert exact.accuracy == pytest.approx(2 / 3)
    assert exact.low is not None and exact.high is not None and exact.low < 2 / 3 < exact.high
    assert (high.passing, high.accuracy) == (0, None)


def test_an_effect_of_much_traffic_is_what_counting_one_by_one_gives() -> None:
    random = np.random.default_rng(7)
    sure, labelled, right = random.uniform(0.5, 1, 3000), random.uniform(0.5, 1, 400), random.random(400) < 0.8
    known = threshold_effects.traffic(sure, labelled, right)
    curve = threshold_curve(labelled, right, np.linspace(0.5, 1, 21))
    for expected in curve:
        found = known.effect(expected["threshold"])
        assert found.passing == np.count_nonzero(sure >= expected["threshold"])
        assert (found.labelled, found.accuracy) == (expected["images"], expected.get("accuracy"))
        assert (found.low, found.high) == (expected.get("accuracy_low"), expected.get("accuracy_high"))


def test_without_labels_or_records_an_effect_says_that_it_does_not_know() -> None:
    nothing, none = np.empty(0), np.empty(0, bool)
    found = threshold_effects.traffic(nothing, nothing, none).effect(0.9)
    assert (found.share, found.accuracy, found.labelled) == (None, None, 0)


def test_the_least_certain_come_first_and_what_was_looked_at_does_not_come_again() -> None:
    rows = records(("a", 0.9, 0), ("b", 0.6, 1), ("c", 0.55, 0), ("d", 0.7, 0))
    assert review.queue(rows, {}, "least certain", 3).tolist() == [2, 1, 3]
    assert review.queue(rows, {"c": 0, "d": NEITHER}, "least certain", 3).tolist() == [1, 0]


def test_equal_pictures_are_one_question_and_equal_answers_alone_are_not() -> None:
    rows = records(("a", 1.0, 0), ("b", 0.6, 1), ("c", 1.0, 0), ("d", 1.0, 0), ("e", 0.7, 0))
    asked: list[int] = []

    def content(row: int) -> bytes | None:
        asked.append(row)
        return {0: b"same", 2: b"other", 3: b"same"}[row]

    assert review.same_pictures(rows, [0, 1, 2, 3, 4], content, 4) == [[0, 3], [1], [2], [4]]
    assert asked == [0, 2, 3], "only of equal answers is the picture looked at"
    assert review.same_pictures(rows, [0, 2, 3], content, 1) == [[0, 3]]
    assert review.same_pictures(rows, [0, 3], lambda _: None, 4) == [[0], [3]], "without pictures nothing is known"


def test_a_draw_is_the_same_for_everybody_and_new_traffic_does_not_change_it() -> None:
    rows = records(*((f"e{i}", 0.9, 0) for i in range(50)))
    drawn = review.queue(rows, {}, "at random", 50)
    assert sorted(drawn.tolist()) == list(range(50)) != drawn.tolist()
    fewer = review.queue(rows[:30], {}, "at random", 50)
    assert fewer.tolist() == [row for row in drawn.tolist() if row < 30]


def test_a_smoke_test_is_nobodys_delivery() -> None:
    rows = records(("a", 0.6, 0), inference="smoke/config-1")
    assert review.queue(rows, {}, "least certain", 5).tolist() == []


def test_a_label_under_the_inference_id_counts_before_one_under_the_event_id() -> None:
    rows = records(("a", 0.6, 0), ("b", 0.6, 0))
    rows["inference"] = [b"mine", b""]
    assert review.labels_of(rows, {"a": 0, "mine": 1, "b": 1}).tolist() == [1, 1]
    assert review.labels_of(rows, {"unknown": 1}).tolist() == [review.UNLABELLED] * 2
    assert review.labels_of(rows[:0], {"a": 0}).tolist() == []


def test_a_label_is_found_by_the_whole_name_where_all_begin_alike() -> None:
    rows = records(*((f"delivery-{i}", 0.6, 0) for i in range(4)))
    rows["inference"] = [b"delivery-of-ann", b"", b"", b"delivery-of-bob"]
    labels = {"delivery-2": 1, "delivery-of-bob": 0, "delivery-of-eve": 1}
    assert review.labels_of(rows, labels).tolist() == [review.UNLABELLED, review.UNLABELLED, 1, 0]


def test_live_accuracy_leaves_out_neither_and_weighs_by_traffic() -> None:
    rows = records(*((f"s{i}", 0.95, 0) for i in range(90)), *((f"u{i}", 0.55, 0) for i in range(10)))
    assert review.live_accuracy(rows, {}) is None
    uncertain_only = review.live_accuracy(rows, {"u0": 0, "u1": 1, "u2": NEITHER})
    assert uncertain_only is not None
    assert (uncertain_only.labelled, uncertain_only.right, uncertain_only.neither) == (2, 1, 1)
    assert uncertain_only.weighted is None, "nothing is known of nine tenths of the traffic"
    both = review.live_accuracy(rows, {"u0": 0, "u1": 1, "s0": 0})
    assert both is not None
    assert both.weighted == pytest.approx(0.9 * 1 + 0.1 * 0.5)
    assert both.accuracy == pytest.approx(2 / 3)


def test_points_are_drawn_for_the_least_certain_and_for_a_part_of_the_others() -> None:
    random = np.random.default_rng(3)
    rows = records(*((f"e{i}", float(c), 0) for i, c in enumerate(random.uniform(0.5, 1, 5000))))
    drawn = confidence.sample(rows, 0.93, 400)
    assert len(drawn) == 400
    assert (np.diff(drawn) > 0).all()
    lowest = np.argsort(rows["confidence"])[:200]
    assert set(lowest.tolist()) <= set(drawn.tolist())
    assert (rows["confidence"][drawn] >= 0.93).any()
    assert confidence.sample(rows[:10], 0.93, 400).tolist() == list(range(10))


def test_counts_by_class_add_up() -> None:
    rows = records(("a", 0.93, 0), ("b", 0.92, 0), ("c", 0.99, 1))
    assert confidence.counted(rows, 0.93, CLASSES) == [("bicycle", 1, 1), ("motorcycle", 1, 0)]


def test_records_are_in_the_order_of_time_whatever_file_they_are_in() -> None:
    later = parsed(lines(entry("late", time=NOON.replace(hour=14)), entry("early", time=NOON)), KEY, CLASSES)
    assert later.records["time"].tolist() != sorted(later.records["time"].tolist())
    from scones.desk.data.captures import _joined

    joined = _joined([later.records, parsed(lines(entry("middle", time=NOON.replace(hour=13))), KEY, CLASSES).records])
    assert joined["event"].tolist() == [b"early", b"middle", b"late"]
    assert joined["file"].tolist() == [0, 1, 0]


def test_a_record_is_of_the_version_that_was_live_at_its_time() -> None:
    rows = records(*((name, 0.9, 0) for name in "abcdef"))  # 1000, 1001, …
    deployed = [Deployment(1, 1_001), Deployment(2, 1_003), Deployment(1, 1_004), Deployment(None, 1_005)]
    found = {number: [one.decode() for one in of_version(rows, deployed, number)["event"]] for number in (1, 2, 3)}
    assert found == {1: ["b", "c", "e"], 2: ["d"], 3: []}
    assert versions(deployed) == [2, 1]


@pytest.mark.parametrize(("side", "shown"), [(32, 256), (64, 256), (96, 192), (300, 256)])
def test_a_picture_is_shown_whole_and_enlarged_by_whole_pixels_alone(side: int, shown: int) -> None:
    sent = picture(np.random.default_rng(1), side=side)
    with Image.open(io.BytesIO(enlarged(sent))) as seen, Image.open(io.BytesIO(sent)) as original:
        assert seen.size == (shown, shown)
        if shown > side:
            assert (np.asarray(seen)[:: shown // side, :: shown // side] == np.asarray(original)).all()

"""What becomes of labels: who is to look at what, how far people agree, and the file for other programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from monitoring.analysis.ground_truth import NEITHER
from monitoring.watch import labels
from monitoring.watch.labels import Given
from scones.desk.data import agreement, label_export, review
from scones.desk.data.records import RECORD, Records

CLASSES = ("bicycle", "motorcycle")
TEN = "ground-truth/scones/2026/05/05/10/00-0{}-000000-{}-0123456789ab.jsonl"


def given(second: int, who: str, event: str, label: int) -> Given:
    return Given(TEN.format(second, who), event, label)


ANSWERS = [given(1, "Ann", "a", 0), given(2, "Ben-b", "a", 1), given(3, "Ann", "b", 1), given(4, "Ben-b", "b", 1)]


@pytest.fixture
def records() -> Records:
    found = np.zeros(3, RECORD)
    found["event"], found["time"] = [b"a", b"b", b"c"], [1_777_975_200, 1_777_975_260, 1_777_975_320]
    found["confidence"], found["margin"], found["predicted"] = [0.9, 0.8, 0.7], [0.8, 0.6, 0.4], [0, 1, 0]
    return found


def test_keys_tell_who_gave_a_label_and_when_and_other_programs_labels_are_unnamed() -> None:
    assert labels.reviewer_of(ANSWERS[1].key) == "Ben-b"
    assert labels.given_at(ANSWERS[1].key) == datetime(2026, 5, 5, 10, 0, 2, tzinfo=UTC)
    assert labels.reviewer_of("ground-truth/scones/2026/05/05/10/merged.jsonl") == labels.UNNAMED
    assert labels.given_at("ground-truth/scones/2026/05/05/10/merged.jsonl") is None


def test_agreement_counts_records_of_two_people_and_the_last_word_of_each() -> None:
    found = agreement.agreement(agreement.said([*ANSWERS, given(5, "Ann", "c", NEITHER)]))
    assert found is not None
    assert (found.records, found.agreed, found.apart, found.reviewers) == (2, 1, ("a",), ("Ann", "Ben-b"))
    settled = agreement.agreement(agreement.said([*ANSWERS, given(6, "Ben-b", "a", 0)]))
    assert settled is not None and settled.agreed == 2 and settled.alpha == 1
    assert agreement.agreement(agreement.said(ANSWERS[:1])) is None


def test_alpha_is_that_of_the_published_example() -> None:
    """Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", part C: four observers, missing answers."""
    observers = (
        (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
        (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
    )
    units = [[one for one in unit if one is not None] for unit in zip(*observers, strict=True)]
    assert agreement.alpha([unit for unit in units if len(unit) > 1]) == pytest.approx(0.743, abs=5e-4)
    assert agreement.alpha([[1, 1], [1, 1]]) is None


def test_a_second_look_is_at_what_others_labelled_and_begins_where_the_model_was_contradicted(records: Records) -> None:
    labels, mine = {"a": 1, "b": 1}, {"b": 1}
    assert review.queue(records, labels, "least certain", 9).tolist() == [2]
    assert review.queue(records, labels, "second look", 9, mine=mine).tolist() == [0]
    assert review.queue(records, labels, "second look", 9, mine={}).tolist() == [0, 1]
    assert review.queue(records, labels, "wrong", 9).tolist() == [0]


def test_an_export_has_every_answer_and_what_the_model_had_said(records: Records) -> None:
    rows = label_export.rows([*ANSWERS, given(5, "=cmd", "gone", NEITHER)], records, ("one.jsonl",), CLASSES)
    assert [one["counts"] for one in rows] == [False, True, False, True, True]
    assert (rows[0]["label"], rows[0]["predicted"], rows[0]["confidence"]) == ("bicycle", "bicycle", 0.9)
    assert rows[0]["captured_at"] == "2026-05-05T10:00:00+00:00"
    assert (rows[4]["label"], rows[4]["predicted"], rows[4]["file"]) == ("neither", None, None)
    assert json.loads(label_export.as_json(rows)) == rows
    table = list(csv.DictReader(io.StringIO(label_export.as_csv(rows).decode())))
    assert tuple(table[0]) == label_export.COLUMNS
    assert table[4]["reviewer"] == "'=cmd", "no formula in anybody's spreadsheet"

"""DataProcessing of a transform job: filters and joins, by the developer guide's own kinds of records."""

from __future__ import annotations

import json
from typing import Any

import pytest
from job_support import Bucket, ServingModel, finish, transform

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.association import AssociationError, association, chosen

ADDS_UP = """
def answer(body, headers):
    rows = [line.split(",") for line in body.decode().splitlines()]
    return 200, "\\n".join(f"{sum(map(float, row))},{len(row)}" for row in rows).encode()
"""
SCORES = """
def answer(body, headers):
    found = [json.loads(line) for line in body.splitlines()]
    return 200, "\\n".join(json.dumps({"score": len(one)}) for one in found).encode()
"""


def job(bucket: Bucket, model: str, form: str, **processing: str) -> dict[str, Any]:
    """A transform of lines in one form, as one writes it for a table."""
    wanted = transform(bucket, model, BatchStrategy="MultiRecord", DataProcessing=processing)
    wanted["TransformInput"].update(ContentType=form, SplitType="Line")
    wanted["TransformOutput"].update(Accept=form, AssembleWith="Line")
    return wanted


def test_columns_are_left_out_answers_joined_and_columns_chosen(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    bucket.put("in/a.csv", b'id-1,1,2\n"id,2",3,4\n')
    model = serving_model(ADDS_UP)
    done = finish(cloud, job(bucket, model, "text/csv", InputFilter="$[1:]", JoinSource="Input"))
    assert done["TransformJobStatus"] == "Completed", done
    assert bucket.get("scored/a.csv.out") == b'id-1,1,2,3.0,2\n"id,2",3,4,7.0,2'
    finish(cloud, job(bucket, model, "text/csv", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-2]"))
    assert bucket.get("scored/a.csv.out") == b'id-1,3.0\n"id,2",7.0'


def test_json_lines_keep_what_they_said_beside_the_answer(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    bucket.put("in/a", b'{"id": 1, "features": [5, 6]}\n{"id": 2, "features": [7], "note": "a\xe2\x80\xa8b"}\n')
    model = serving_model(SCORES)
    wanted = job(bucket, model, "application/jsonlines", InputFilter="$.features", JoinSource="Input")
    assert finish(cloud, wanted)["TransformJobStatus"] == "Completed"
    first, second = (json.loads(line) for line in bucket.get("scored/a.out").splitlines())
    assert first == {"id": 1, "features": [5, 6], "SageMakerOutput": {"score": 2}}
    assert (second["note"], second["SageMakerOutput"]) == ("a\u2028b", {"score": 1})
    wanted = job(bucket, model, "application/jsonlines", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")
    finish(cloud, wanted)
    assert json.loads(bucket.get("scored/a.out").splitlines()[0]) == {"id": 1, "SageMakerOutput": {"score": 2}}


def test_as_many_answers_as_records_or_the_object_fails(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    bucket.put("in/a.csv", b"1\n2\n")
    model = serving_model('def answer(body, headers):\n    return 200, b"1"')
    done = finish(cloud, job(bucket, model, "text/csv", JoinSource="Input"))
    assert done["TransformJobStatus"] == "Failed"
    assert "mismatched line count between the input and the output: 2 and 1" in done["FailureReason"]
    assert bucket.keys("scored") == []


@pytest.mark.parametrize(
    ("path", "record", "expected"),
    [
        ("$", [1], [1]),
        ("$[:2]", [1, 2, 3], [1, 2]),
        ("$[-1]", [1, 2, 3], 3),
        ("$.a.b[0]", {"a": {"b": [7]}}, 7),
        ("$.a[*]", {"a": [1, 2]}, [1, 2]),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$['a']['b c']", {"a": {"b c": 1}}, 1),
    ],
)
def test_a_filter_takes_its_part(path: str, record: Any, expected: Any) -> None:
    assert chosen(record, path) == expected


@pytest.mark.parametrize(("path", "record"), [("$.a", {"b": 1}), ("$[3]", [1]), ("$[1:]", "text"), ("$.a", 5)])
def test_a_record_without_that_part_is_an_error(path: str, record: Any) -> None:
    with pytest.raises(AssociationError, match="finds nothing"):
        chosen(record, path)


@pytest.mark.parametrize(
    ("source", "processing", "words"),
    [
        ("text/csv", {"InputFilter": "features"}, "must begin with"),
        ("text/csv", {"OutputFilter": "$[?(@.a)]"}, "no JSONPath that is supported"),
        ("image/png", {"JoinSource": "Input"}, "not 'image/png'"),
    ],
)
def test_what_cannot_be_filtered_is_refused(source: str, processing: dict[str, str], words: str) -> None:
    request = {"DataProcessing": processing, "TransformInput": {"ContentType": source}, "TransformOutput": {}}
    with pytest.raises(ServiceError, match=words):
        association(request)

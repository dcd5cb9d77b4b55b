"""The scikit-learn container's defaults: what a body becomes, and what a prediction is sent as."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from localcloud.programs.handlers import UnsupportedTypeError
from localcloud.programs.scikit_learn_inference import input_fn, output_fn


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "array"),
    [
        ("1.5,2\n3,4\n", "text/csv", np.array([[1.5, 2], [3, 4]], np.float32)),
        ("1.5,2\n", "text/csv", np.array([1.5, 2], np.float32)),
        ("[[1, 2]]", "application/json", np.array([[1, 2]], np.float32)),
        (npy(np.array([[1, 2]], np.int64)), "application/x-npy", np.array([[1, 2]], np.int64)),
    ],
)
def test_a_body_becomes_an_array_as_in_the_container(body: str | bytes, content_type: str, array: Any) -> None:
    found = input_fn(body, content_type)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("prediction", "accept", "sent"),
    [
        (np.array([0.5, 2.0]), "text/csv", b"0.5\n2.0\n"),
        (np.array([[1, 2], [3, 4]]), "text/csv", b"1,2\n3,4\n"),
        (np.array([[1, 2]]), "application/json", b"[[1, 2]]"),
        ({"label": np.array(["far"])}, "application/json", b'{"label": ["far"]}'),
    ],
)
def test_a_prediction_is_sent_as_the_container_sends_it(prediction: Any, accept: str, sent: bytes) -> None:
    assert output_fn(prediction, accept) == sent
    array = np.asarray(prediction)
    if array.dtype != object:
        np.testing.assert_array_equal(np.load(io.BytesIO(output_fn(prediction, "application/x-npy"))), array)


def test_a_pickle_in_an_npy_body_is_refused() -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        input_fn(npy(np.array([{}], object), allow_pickle=True), "application/x-npy")


def test_other_types_are_refused_both_ways() -> None:
    with pytest.raises(UnsupportedTypeError, match="text/plain"):
        input_fn("1", "text/plain")
    with pytest.raises(UnsupportedTypeError, match="text/plain"):
        output_fn(json.loads("[1]"), "text/plain")

"""The restricted unpickler: arrays come through, and nothing else runs."""

from __future__ import annotations

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.errors import DataError
from scones.data.archive import pickle_of
from steps import pickled


def load(content: bytes) -> dict[str, Any]:
    return pickled.load(io.BytesIO(content), len(content), "train", Path("a.tar.gz"))


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("dtype", ["u1", "<i8", ">i2", "<f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_numbers_come_through(dtype: str, order: Any) -> None:
    array = np.asarray(np.arange(12).reshape(3, 4), dtype, order=order)

    loaded = load(pickle.dumps({"data": array}, protocol=3))["data"]

    assert loaded.dtype == array.dtype and np.array_equal(loaded, array)


def test_what_the_sample_writes_is_what_pythons_own_unpickler_reads() -> None:
    value = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "names": ["a", "b" * 300], "labels": [0, 255, 256]}
    content = pickle_of(value)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, once per process: the original's pickles use an old name of it
        theirs = pickle.loads(content, encoding="bytes")  # noqa: S301 - our own bytes

    assert theirs[b"names"] == [b"a", b"b" * 300] and theirs[b"labels"] == [0, 255, 256]
    assert theirs[b"data"].tolist() == load(content)["data"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "value",
    [
        Call(print, "ran"),
        Call(exec, "raise SystemExit"),
        Call(np.load, "/etc/passwd"),
        Call(getattr, "", "join"),
        io.StringIO(),
        np.dtype("u1").type(3),
    ],
    ids=["print", "exec", "numpy.load", "getattr", "StringIO", "numpy scalar"],
)
def test_a_pickle_that_calls_anything_else_is_refused_before_it_runs(
    value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="only numpy arrays are admitted"):
        load(pickle.dumps({"data": value}, protocol=2))
    assert capsys.readouterr().out == ""


def test_an_array_of_objects_is_refused() -> None:
    with pytest.raises(DataError, match="instead of numbers"):
        load(pickle.dumps({"data": np.array([{}, []], object)}, protocol=3))


def test_a_shape_that_the_bytes_do_not_fill_is_refused() -> None:
    content = pickle_of({"data": np.zeros((2, 3), np.uint8)})
    with pytest.raises(DataError, match="cannot read train"):
        load(content.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"))


@pytest.mark.parametrize("value", [["a list"], 3, None])
def test_anything_but_a_dictionary_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="not a dictionary"):
        load(pickle.dumps(value, protocol=2))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_damage_is_an_error_of_ours_or_harmless(junk: bytes, at: int) -> None:
    content = bytearray(pickle_of({"data": np.zeros((2, 3), np.uint8), "fine_labels": [1, 2]}))
    content[at : at + len(junk)] = junk
    try:
        load(bytes(content))
    except DataError as error:
        assert "a.tar.gz" in str(error)

"""Reading the Python-2 pickles of `cifar-100-python.tar.gz` without running anything that they ask for.

A pickle is a program. This reader admits the three names that a pickled numpy array refers to, and answers them with
inert stand-ins of its own: numpy itself is never called with a value from the file until that value has been checked.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import IO, Any

import numpy as np

from project.errors import DataError

NUMBER_TYPE = re.compile(r"[uif][1248]")


class _PickledType:
    """What `numpy.dtype(code, align, copy)` and its state say: a number's kind, width and byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else str(code)
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else str(order)

    def checked(self) -> np.dtype[Any]:
        if not NUMBER_TYPE.fullmatch(self.code) or self.order not in {"|", "<", ">", "="}:
            raise pickle.UnpicklingError(f"an array of type {self.code!r} instead of numbers")
        return np.dtype(self.order + self.code)


class _PickledArray:
    """What `_reconstruct` and its state say: shape, type, memory order and bytes. The bytes are not copied."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_major, content = state
        flat = np.frombuffer(content, dtype.checked())
        self.array = flat.reshape(shape, order="F" if column_major else "C")


ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy", "ndarray"): "numpy.ndarray",  # only ever an argument; a text cannot be called or changed
    ("numpy", "dtype"): _PickledType,
}


class _Reader(pickle.Unpickler):
    """An unpickler that knows the names in ADMITTED and refuses every other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, and only numpy arrays are admitted")
        return ADMITTED[module, name]


def load(content: IO[bytes], member: str, archive: Path) -> dict[str, Any]:
    """The dictionary pickled in `content`: keys as text, arrays as read-only numpy arrays, Python-2 strings as bytes.

    Raises:
        DataError: not a pickle, a pickle of anything but a dictionary, or one that refers to a name not admitted.
    """
    try:
        value = _Reader(content, encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything, says the pickle module's documentation
        raise DataError(
            f"{archive}: cannot read {member}: {error}.", "Use the original archive: scones data fetch."
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{archive}: {member} holds a {type(value).__name__}, not a dictionary.")
    return {_text(key): _unwrapped(item) for key, item in value.items()}


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _unwrapped(item: Any) -> Any:
    return item.array if isinstance(item, _PickledArray) else item

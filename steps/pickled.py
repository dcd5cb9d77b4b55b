"""Reading the Python-2 pickles of `cifar-100-python.tar.gz` without running anything that they ask for.

A pickle is a program. This reader admits the three names that a pickled numpy array refers to, and answers them with
inert stand-ins of its own: numpy itself is never called with a value from the file until that value has been checked.

It is Python's own unpickler in Python: the one in C makes room for as many values as a pickle of nine bytes says that
it will keep, two gigabytes of it. Nor is more read than there is, or a key looked at that is no text: what holds itself
twice, forty times over, would be looked at for ever.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from project.errors import DataError

NUMBER_TYPE = re.compile(r"[uif][1248]")
LONGEST_LINE = 4096


class _PickledType:
    """What `numpy.dtype(code, align, copy)` and its state say: a number's kind, width and byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = _ascii(code)
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = _ascii(state[1])

    def checked(self) -> np.dtype[Any]:
        if not NUMBER_TYPE.fullmatch(self.code) or self.order not in {"|", "<", ">", "="}:
            raise pickle.UnpicklingError(f"an array of type {self.code[:40]!r} instead of numbers")
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


_OWN: dict[int, Any] = pickle._Unpickler.dispatch
"""What Python's unpickler does at each opcode."""


class _Reader(pickle._Unpickler):
    """An unpickler that knows the names in ADMITTED and refuses every other."""

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            found = f"{module[:40]}.{name[:40]}"
            raise pickle.UnpicklingError(f"it refers to {found}, and only numpy arrays are admitted")
        return ADMITTED[module, name]

    def load_setitem(self) -> None:
        """`stack` ends in a dictionary, a key and a value."""
        _check_key(self.stack[-2])
        _OWN[pickle.SETITEM[0]](self)

    def load_setitems(self) -> None:
        """`stack` holds keys and values in turn since the mark."""
        for key in self.stack[::2]:
            _check_key(key)
        _OWN[pickle.SETITEMS[0]](self)

    def load_dict(self) -> None:
        """Likewise."""
        for key in self.stack[::2]:
            _check_key(key)
        _OWN[pickle.DICT[0]](self)

    dispatch: ClassVar[dict[int, Any]] = {
        **_OWN,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
    }


class _Bounded:
    """A stream that hands out what it has, and refuses to look for more."""

    def __init__(self, content: IO[bytes], size: int) -> None:
        self.content, self.left = content, size

    def read(self, size: int) -> bytes:
        """The next `size` bytes."""
        if not 0 <= size <= self.left:
            raise pickle.UnpicklingError(f"it speaks of {size} bytes more, and has {self.left}")
        self.left -= size
        return self.content.read(size)

    def readline(self) -> bytes:
        """The rest of the line, if that is a name or a number: nothing else of Python 2's stands in a line."""
        line = self.content.readline(LONGEST_LINE)
        self.left -= len(line)
        return line


def _ascii(value: Any) -> str:
    if not isinstance(value, bytes | str):
        raise pickle.UnpicklingError(f"an array whose type is a {type(value).__name__}")
    return value.decode("ascii") if isinstance(value, bytes) else value


def _check_key(key: Any) -> None:
    if not isinstance(key, bytes | str):
        raise pickle.UnpicklingError(f"a dictionary with a key that is a {type(key).__name__}")


def load(content: IO[bytes], size: int, member: str, archive: Path) -> dict[str, Any]:
    """The dictionary pickled in the `size` bytes of `content`.

    Its keys are text, its arrays read-only numpy arrays, its Python-2 strings bytes.

    Raises:
        DataError: not a pickle, a pickle of anything but a dictionary, or one that refers to a name not admitted.
    """
    try:
        value = _Reader(_Bounded(content, size), encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything, says the pickle module's documentation
        raise DataError(
            f"{archive}: cannot read {member}: {error!s:.200}.", "Use the original archive: scones data fetch."
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{archive}: {member} holds a {type(value).__name__}, not a dictionary.")
    return {_text(key): _unwrapped(item) for key, item in value.items()}


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _unwrapped(item: Any) -> Any:
    return item.array if isinstance(item, _PickledArray) else item

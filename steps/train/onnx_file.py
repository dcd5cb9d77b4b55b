"""Write an ONNX file with the standard library: the training container has PyTorch but no `onnx` to export with.

Only what this project's graph needs. Field numbers are those of onnx.proto (IR version 9, operator set 20); the
encoding is Protocol Buffers' own: a key (field number, wire type), then a varint or a length and that many bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IR_VERSION, OPERATOR_SET = 9, 20
FLOAT, UINT8, INT64 = 1, 2, 7  # TensorProto.DataType
_VARINT, _BYTES = 0, 2  # wire types
_ATTRIBUTE_INT, _ATTRIBUTE_INTS = 2, 7  # AttributeProto.AttributeType


def model(nodes: Sequence[bytes], weights: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
    """A ModelProto with one graph. All arguments come from the functions below."""
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, "classifier"),
            *(_field(5, weight) for weight in weights),
            *(_field(11, value) for value in inputs),
            *(_field(12, value) for value in outputs),
        ]
    )
    operators = _field(1, "") + _field(2, OPERATOR_SET)
    return _field(1, IR_VERSION) + _field(2, "scones-unlimited") + _field(7, graph) + _field(8, operators)


def node(operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """A NodeProto: `output = operator(inputs)`."""
    body = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(3, output) + _field(4, operator)
    for name, value in attributes.items():
        if isinstance(value, int):
            attribute = _field(3, value) + _field(20, _ATTRIBUTE_INT)
        else:
            attribute = b"".join(_field(8, item) for item in value) + _field(20, _ATTRIBUTE_INTS)
        body += _field(5, _field(1, name) + attribute)
    return body


def weight(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """A TensorProto of float32 values, or of int64 ones where an operator wants axes, little-endian, any shape."""
    dimensions = b"".join(_field(1, size) for size in values.shape)
    kind, stored = (INT64, "<i8") if values.dtype == np.int64 else (FLOAT, "<f4")
    return dimensions + _field(2, kind) + _field(8, name) + _field(9, values.astype(stored).tobytes())


def value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto, for the graph's inputs and outputs; a string in `shape` names a free dimension."""
    sizes = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, sizes)))


def _field(number: int, content: int | str | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3 | _VARINT) + _varint(content)
    body = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | _BYTES) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    """Seven bits per byte, lowest first; the top bit says that more follow. Only non-negative numbers occur here."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

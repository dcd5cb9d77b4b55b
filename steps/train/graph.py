"""The served model: an ensemble of networks as one ONNX graph, from pixels to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steps.train import onnx_file
from steps.train.messages import Folded


def build(members: Sequence[Folded], temperature: float, side: int) -> bytes:
    """The ONNX file: input `pictures`, uint8 RGB (N, side, side, 3); two outputs, float32.

    `probabilities` are (N, classes); `likeness`, (N,), is to the training pictures (`likeness.py`).
    The temperature and the means over members are folded into the last layers, as normalisation is into the
    convolutions, so that serving does no work that training could do once.
    """
    nodes = [
        onnx_file.node("Cast", ["pictures"], "values", to=onnx_file.FLOAT),
        onnx_file.node("Transpose", ["values"], "channels_first", perm=[0, 3, 1, 2]),
    ]
    weights: list[bytes] = []
    for index, member in enumerate(members):
        _member(nodes, weights, member, f"member{index}", 1 / len(members), temperature)
    nodes += [
        onnx_file.node("Sum", [f"member{index}.logits" for index in range(len(members))], "logits"),
        onnx_file.node("Softmax", ["logits"], "probabilities", axis=1),
        onnx_file.node("Sum", [f"member{index}.likeness" for index in range(len(members))], "likeness"),
    ]
    classes = len(members[0].head)
    return onnx_file.model(
        nodes,
        weights,
        [onnx_file.value("pictures", onnx_file.UINT8, ["count", side, side, 3])],
        [
            onnx_file.value("probabilities", onnx_file.FLOAT, ["count", classes]),
            onnx_file.value("likeness", onnx_file.FLOAT, ["count"]),
        ],
    )


def _member(
    nodes: list[bytes], weights: list[bytes], member: Folded, name: str, share: float, temperature: float
) -> None:
    """Append one network: `<name>.logits`, its share of them over the temperature, and `<name>.likeness`, its share."""
    last = "channels_first"

    def add(operator: str, label: str, *parameters: NDArray[Any], **attributes: int | Sequence[int]) -> None:
        nonlocal last
        inputs = [last]
        for position, parameter in enumerate(parameters):
            inputs.append(f"{name}.{label}.{position}")
            weights.append(onnx_file.weight(inputs[-1], parameter))
        last = f"{name}.{label}"
        nodes.append(onnx_file.node(operator, inputs, last, **attributes))

    add("Conv", "whiten", *member.whiten)
    add("Gelu", "whiten.gelu")
    for index, (first, second) in enumerate(member.groups):
        # Normalising before the maximum is the same as after it: the scale is positive.
        add("Conv", f"group{index}.first", *first, pads=[1, 1, 1, 1])
        add("MaxPool", f"group{index}.pool", kernel_shape=[2, 2], strides=[2, 2])
        add("Gelu", f"group{index}.first.gelu")
        add("Conv", f"group{index}.second", *second, pads=[1, 1, 1, 1])
        add("Gelu", f"group{index}.second.gelu")
    add("GlobalMaxPool", "maximum")
    add("Flatten", "features")
    features = last
    add("MatMul", "logits", member.head.T * np.float32(share / temperature))
    last = features
    add("MatMul", "classes", member.directions * np.float32(share))
    add("ReduceMax", "likeness", np.array([1], np.int64), keepdims=0)

"""The served model: an ensemble of networks as one ONNX graph, from pixels to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from steps.train import onnx_file
from steps.train.network import LOGIT_SCALE, Network

Array = NDArray[np.float32]


def build(members: Sequence[Network], temperature: float, side: int) -> bytes:
    """The ONNX file: input `pictures`, uint8 RGB (N, side, side, 3); output `probabilities`, float32 (N, classes).

    Normalisation of the input and of every layer is folded into the convolutions, and the temperature and the mean
    over members into the last layers, so that serving does no work that training could do once.
    """
    nodes = [
        onnx_file.node("Cast", ["pictures"], "values", to=onnx_file.FLOAT),
        onnx_file.node("Transpose", ["values"], "channels_first", perm=[0, 3, 1, 2]),
    ]
    weights: list[bytes] = []
    for index, member in enumerate(members):
        _member(nodes, weights, member.cpu().eval(), f"member{index}", LOGIT_SCALE / (len(members) * temperature))
    nodes += [
        onnx_file.node("Sum", [f"member{index}.logits" for index in range(len(members))], "logits"),
        onnx_file.node("Softmax", ["logits"], "probabilities", axis=1),
    ]
    classes = members[0].head.out_features
    return onnx_file.model(
        nodes,
        weights,
        [onnx_file.value("pictures", onnx_file.UINT8, ["count", side, side, 3])],
        [onnx_file.value("probabilities", onnx_file.FLOAT, ["count", classes])],
    )


def _member(nodes: list[bytes], weights: list[bytes], member: Network, name: str, scale: float) -> None:
    """Append one network; its scaled logits are `<name>.logits`."""
    last = "channels_first"

    def add(operator: str, label: str, *parameters: Array, **attributes: int | Sequence[int]) -> None:
        nonlocal last
        inputs = [last]
        for position, parameter in enumerate(parameters):
            inputs.append(f"{name}.{label}.{position}")
            weights.append(onnx_file.weight(inputs[-1], parameter))
        last = f"{name}.{label}"
        nodes.append(onnx_file.node(operator, inputs, last, **attributes))

    add("Conv", "whiten", *_whitening(member))
    add("Gelu", "whiten.gelu")
    for index, group in enumerate(member.groups):
        first, second = (
            _arrays(fuse_conv_bn_eval(convolution, norm))
            for convolution, norm in ((group.first, group.first_norm), (group.second, group.second_norm))
        )
        # Normalising before the maximum is the same as after it: the scale is positive.
        add("Conv", f"group{index}.first", *first, pads=[1, 1, 1, 1])
        add("MaxPool", f"group{index}.pool", kernel_shape=[2, 2], strides=[2, 2])
        add("Gelu", f"group{index}.first.gelu")
        add("Conv", f"group{index}.second", *second, pads=[1, 1, 1, 1])
        add("Gelu", f"group{index}.second.gelu")
    add("GlobalMaxPool", "maximum")
    add("Flatten", "features")
    add("MatMul", "logits", member.head.weight.detach().numpy().T * scale)


def _whitening(member: Network) -> tuple[Array, Array]:
    """Filters and biases that take pixels in 0..255: w (x/255 - mean) / deviation + b, rewritten as w' x + b'."""
    weight, bias = _arrays(member.whiten)
    weight = weight / member.deviation.numpy()
    return weight / 255, bias - (weight * member.mean.numpy()).sum(axis=(1, 2, 3))


def _arrays(convolution: nn.Conv2d) -> tuple[Array, Array]:
    assert convolution.bias is not None  # noqa: S101  # for the type checker: both callers have one
    return convolution.weight.detach().numpy(), convolution.bias.detach().numpy()

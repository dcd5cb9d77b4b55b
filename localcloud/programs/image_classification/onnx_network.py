"""A network description and its learnt arrays as an ONNX model, so that serving needs ONNX Runtime and not PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from localcloud.programs.image_classification.network import BATCH_NORM_EPSILON, INPUT, OUTPUT, Node

OPSET = 17
IR_VERSION = 8

OPERATORS = {
    "relu": "Relu",
    "add": "Add",
    "max_pool": "MaxPool",
    "convolution": "Conv",
    "batch_norm": "BatchNormalization",
    "fully_connected": "Gemm",
    "softmax": "Softmax",
}
PARAMETERS = {
    "convolution": ("weight",),
    "batch_norm": ("gamma", "beta", "moving_mean", "moving_var"),
    "fully_connected": ("weight", "bias"),
}


def onnx_model(
    nodes: list[Node], parameters: Mapping[str, np.ndarray], image_shape: tuple[int, int, int], num_classes: int
) -> bytes:
    """The serialised ONNX model: `data` float32 [N, c, h, w] in 0-255 to `softmax` float32 [N, num_classes].

    Raises KeyError when an array that the description needs is not among `parameters`.
    """
    operations = []
    for node in nodes:
        roles = [f"{node.name}_{role}" for role in PARAMETERS.get(node.kind, ())]
        operations.extend(_operations(node, roles))
    needed = [f"{node.name}_{role}" for node in nodes for role in PARAMETERS.get(node.kind, ())]
    graph = helper.make_graph(
        operations,
        "image-classification",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", *image_shape])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", num_classes])],
        [numpy_helper.from_array(np.ascontiguousarray(parameters[name], dtype=np.float32), name) for name in needed],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised


def _operations(node: Node, parameters: list[str]) -> list[onnx.NodeProto]:
    sizes = node.attributes
    if node.kind == "global_average_pool":
        pooled = f"{node.name}_pooled"
        return [
            helper.make_node("GlobalAveragePool", list(node.inputs), [pooled]),
            helper.make_node("Flatten", [pooled], [node.name]),
        ]
    attributes: dict[str, Any] = {}
    if node.kind in ("convolution", "max_pool"):
        attributes = {
            "kernel_shape": [sizes["kernel"]] * 2,
            "strides": [sizes["stride"]] * 2,
            "pads": [sizes["pad"]] * 4,
        }
    elif node.kind == "batch_norm":
        attributes = {"epsilon": BATCH_NORM_EPSILON}
    elif node.kind == "fully_connected":
        attributes = {"transB": 1}
    elif node.kind == "softmax":
        attributes = {"axis": -1}
    return [helper.make_node(OPERATORS[node.kind], [*node.inputs, *parameters], [node.name], **attributes)]

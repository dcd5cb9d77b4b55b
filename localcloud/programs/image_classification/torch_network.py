"""A network description as a PyTorch module, for training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from localcloud.programs.image_classification.network import BATCH_NORM_EPSILON, INPUT, OUTPUT, Node


class TorchNetwork(nn.Module):  # type: ignore[misc]  # PyTorch is not followed by mypy here
    """Executes the nodes of a description; gives logits [N, k]: the softmax is left to the loss."""

    def __init__(self, nodes: list[Node], generator: torch.Generator) -> None:
        super().__init__()
        self.nodes = [node for node in nodes if node.name != OUTPUT]
        self.layers = nn.ModuleDict({node.name: _layer(node) for node in self.nodes if node.kind in LEARNT})
        for layer in self.layers.values():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=generator)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, h, w] with values from 0 to 255 to logits [N, num_classes]."""
        values = {INPUT: images}
        top = images
        for node in self.nodes:
            read = [values[name] for name in node.inputs]
            top = self.layers[node.name](*read) if node.kind in LEARNT else _apply(node, read)
            values[node.name] = top
        return top


LEARNT = ("convolution", "batch_norm", "fully_connected")


def _layer(node: Node) -> nn.Module:
    sizes = node.attributes
    if node.kind == "convolution":
        return nn.Conv2d(
            sizes["channels"], sizes["filters"], sizes["kernel"], sizes["stride"], sizes["pad"], bias=False
        )
    if node.kind == "fully_connected":
        return nn.Linear(sizes["channels"], sizes["filters"])
    norm = nn.BatchNorm2d(sizes["channels"], eps=BATCH_NORM_EPSILON, momentum=0.1)
    if sizes.get("fixed_gamma"):
        norm.weight.requires_grad_(False)
    return norm


def _apply(node: Node, read: list[Tensor]) -> Tensor:
    if node.kind == "relu":
        return torch.relu(read[0])
    if node.kind == "add":
        return read[0] + read[1]
    if node.kind == "max_pool":
        sizes = node.attributes
        return nn.functional.max_pool2d(read[0], sizes["kernel"], sizes["stride"], sizes["pad"])
    if node.kind == "global_average_pool":
        return read[0].mean(dim=(2, 3))
    raise ValueError(f"node {node.name}: no operation {node.kind!r}")


def export_parameters(network: TorchNetwork) -> dict[str, np.ndarray]:
    """The learnt arrays, float32, named `<node>_<role>` as network descriptions of the algorithm name them."""
    roles = {
        "weight": "weight",
        "bias": "bias",
        "running_mean": "moving_mean",
        "running_var": "moving_var",
    }
    norm_roles = {**roles, "weight": "gamma", "bias": "beta"}
    parameters = {}
    for name, layer in network.layers.items():
        names = norm_roles if isinstance(layer, nn.BatchNorm2d) else roles
        for key, array in layer.state_dict().items():
            if key in names:
                parameters[f"{name}_{names[key]}"] = array.detach().cpu().contiguous().numpy().copy()
    return parameters

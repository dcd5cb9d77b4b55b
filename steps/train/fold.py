"""A trained network as plain arrays, with the work of normalising done once instead of at every answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from steps.train.messages import Convolution, Folded
from steps.train.network import LOGIT_SCALE, Network


def fold(network: Network, directions: NDArray[np.float64]) -> Folded:
    """The network's weights for evaluation, normalisation of the input and of every layer folded in.

    `directions`, (features, classes), are those of its features' likeness.
    """
    network = network.cpu().eval()
    groups = [
        (_convolution(group.first, group.first_norm), _convolution(group.second, group.second_norm))
        for group in network.groups
    ]
    head = _array(network.head.weight) * LOGIT_SCALE
    return Folded(_whitening(network), groups, head, directions.astype(np.float32))


def _whitening(network: Network) -> Convolution:
    """Filters and biases that take pixels in 0..255: w (x/255 - mean) / deviation + b, rewritten as w' x + b'."""
    assert network.whiten.bias is not None  # noqa: S101  # for the type checker: it is made with one
    weight = network.whiten.weight / network.deviation
    bias = network.whiten.bias - (weight * network.mean).sum(dim=(1, 2, 3))
    return _array(weight / 255), _array(bias)


def _convolution(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> Convolution:
    fused = fuse_conv_bn_eval(convolution, norm)
    assert fused.bias is not None  # noqa: S101  # for the type checker: fusing makes one
    return _array(fused.weight), _array(fused.bias)


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.detach().numpy()
    return array

"""The network: a small, wide convolutional net of the airbench family (Keller Jordan, arXiv:2404.00498).

A fixed 2x2 convolution whitens the patches, three groups of two 3x3 convolutions halve the picture each, and a global
maximum feeds a linear layer. It learns fast from few images, which is what a thousand training images on two
processor cores need.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 2  # side of the whitened patches, in pixels
LOGIT_SCALE = 1 / 9  # keeps the first logits small: maxima of normalised features are large


class Group(nn.Module):
    """Two 3x3 convolutions; the first halves height and width. (N, inputs, H, W) to (N, outputs, H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.first_norm = _norm(outputs)
        self.second_norm = _norm(outputs)
        for convolution in (self.first, self.second):
            # The first filters start as the identity, so that signal and gradient pass through an untrained net.
            nn.init.dirac_(convolution.weight[: convolution.in_channels])

    def forward(self, x: Tensor) -> Tensor:
        x = functional.gelu(self.first_norm(functional.max_pool2d(self.first(x), 2)))
        return functional.gelu(self.second_norm(self.second(x)))


class Network(nn.Module):
    """RGB pictures in 0..1, shape (N, 3, H, W), to logits, shape (N, classes)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, widths: Sequence[int], classes: int, others: int = 0) -> None:
        """`others`: how many further classes training asks for as well."""
        super().__init__()
        patch_values = 3 * PATCH * PATCH
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("deviation", torch.ones(1, 3, 1, 1))
        self.whiten = nn.Conv2d(3, 2 * patch_values, PATCH)
        self.whiten.weight.requires_grad_(False)
        channels = [2 * patch_values, *widths]
        self.groups = nn.Sequential(*(Group(a, b) for a, b in pairwise(channels)))
        self.head = nn.Linear(channels[-1], classes, bias=False)
        self.turn_head = nn.Linear(channels[-1], 4, bias=False)
        self.kind_head = nn.Linear(channels[-1], classes + others, bias=False) if others else None

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.features(x))

    def classify(self, features: Tensor) -> Tensor:
        """Class logits (N, classes)."""
        return self.head(features) * LOGIT_SCALE

    def turns(self, features: Tensor) -> Tensor:
        """Logits (N, 4) of the number of quarter turns, which only training asks for."""
        return self.turn_head(features) * LOGIT_SCALE

    def kinds(self, features: Tensor) -> Tensor:
        """Logits (N, classes + others) of what pictures show; only training asks, and only where there are others."""
        assert self.kind_head is not None  # noqa: S101  # for the type checker: nobody asks without
        return self.kind_head(features) * LOGIT_SCALE

    def features(self, x: Tensor) -> Tensor:
        """Features (N, last width)."""
        x = functional.gelu(self.whiten((x - self.mean) / self.deviation))
        return self.groups(x).amax(dim=(2, 3))

    @torch.no_grad()
    def fit_input(self, pictures: Tensor) -> None:
        """Set normalisation and whitening filters from training pictures (N, 3, H, W).

        The filters are the eigenvectors of the patch covariance over the square root of their eigenvalues, each with
        both signs: neighbouring pixels are nearly equal, and this spares the net from learning to undo it.
        """
        self.mean.copy_(pictures.mean(dim=(0, 2, 3), keepdim=True))
        self.deviation.copy_(pictures.std(dim=(0, 2, 3), keepdim=True))
        normal = (pictures - self.mean) / self.deviation
        patches = functional.unfold(normal, PATCH).transpose(1, 2).flatten(0, 1)
        eigenvalues, eigenvectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (eigenvectors / (eigenvalues + 5e-4).sqrt()).T.reshape(-1, 3, PATCH, PATCH)
        self.whiten.weight.copy_(torch.cat([filters, -filters]))
        self.whiten.bias.zero_()


def _norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation without a learned scale; few steps per run need quick running statistics."""
    norm = nn.BatchNorm2d(channels, momentum=0.4, eps=1e-12)
    norm.weight.requires_grad_(False)
    return norm

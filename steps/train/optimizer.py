"""The optimizer: Muon for the convolutions, Nesterov momentum for the rest.

Muon (Keller Jordan, 2024, https://kellerjordan.github.io/posts/muon) replaces the momentum of a matrix by the nearest
orthogonal one, so that every direction learns at the same speed. In cross-validation it did in the same time what plain
momentum needs clearly more epochs for.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from steps.train.hyperparameters import Hyperparameters
from steps.train.network import Network


class Muon(Optimizer):
    """Orthogonal momentum, for convolutions. Their filters keep a mean norm of 1, so the step size is an angle."""

    def __init__(self, filters: list[Tensor], lr: float, momentum: float) -> None:
        super().__init__(filters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Change every filter once, from its gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.mul_(group["momentum"]).add_(weight.grad)
                ahead = weight.grad.add(velocity, alpha=group["momentum"])
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.add_(orthogonal(ahead.flatten(1)).view_as(weight), alpha=-group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """Roughly U V^T of `matrix` = U S V^T, by three steps of a quintic Newton-Schulz iteration.

    Its coefficients (from the post above) lift small singular values fast; they end between about 0.7 and 1.2.
    """
    x = matrix / (matrix.norm() + 1e-7)
    if tall := len(x) > x.shape[1]:
        x = x.T
    for _ in range(3):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


def make(network: Network, chosen: Hyperparameters) -> list[Optimizer]:
    """One optimizer for the filters, one for the biases (faster) and the last layer (with weight decay)."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    filters = [parameter for parameter in parameters if parameter.ndim == 4]
    biases = [parameter for parameter in parameters if parameter.ndim == 1]
    heads = [head.weight for head in (network.head, network.turn_head, network.kind_head) if head is not None]
    rest = [
        {"params": biases, "lr": chosen.learning_rate * chosen.bias_factor},
        {"params": heads, "lr": chosen.learning_rate, "weight_decay": chosen.weight_decay},
    ]
    return [Muon(filters, chosen.filter_learning_rate, 0.6), SGD(rest, momentum=chosen.momentum, nesterov=True)]


def factors(steps: int, warmup: float) -> Iterator[float]:
    """The share of the full learning rate at each step: up from 0 during `warmup` (a share of all), then down to 0."""
    for step in range(1, steps + 1):
        done = step / steps
        yield min(done / warmup if warmup else 1.0, (1 - done) / (1 - warmup))

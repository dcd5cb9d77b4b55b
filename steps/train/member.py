"""Train one member of the ensemble: the loop."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from project.errors import ExecutionFailedError
from steps.train import optimizer
from steps.train.augment import augment, turn
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples, Progress
from steps.train.network import Network

WARM_UP_STEPS = 10
"""In which the mean of the weights forgets the untrained ones."""
FEATURES_AT_ONCE = 256


def train(
    seen: Examples,
    held_out: Examples,
    classes: int,
    chosen: Hyperparameters,
    seed: int,
    report: Callable[[Progress], None],
    others: Examples | None = None,
) -> tuple[Network, Tensor]:
    """Train a network from scratch; return the mean of its late weights, with its logits (N, classes) for `held_out`.

    `others` are pictures of other classes, labels from 0, to learn from as well.

    The learning rate ends at 0, so the last epochs are the best ones, and their mean is better than any single one. An
    epoch chosen by its loss on a few dozen held-out images is worse than the last (docs/training.md).

    Raises:
        ExecutionFailedError: the loss became infinite or NaN.
    """
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pictures, labels = to_tensors(seen, device)
    unseen, unseen_labels = to_tensors(held_out, device)
    kinds = 0 if others is None else len(np.unique(others.labels))
    network = Network(chosen.widths, classes, kinds).to(device, memory_format=torch.channels_last)
    network.fit_input(pictures)
    optimizers = optimizer.make(network, chosen)
    full_rates = [[group["lr"] for group in each.param_groups] for each in optimizers]
    size = min(chosen.batch_size, len(pictures))
    used = len(pictures) // size * size  # a smaller last batch would be noisy; the order is new in every epoch
    half_precision = has_bfloat16(device)
    factors = optimizer.factors(chosen.epochs * used // size, chosen.warmup)
    count = max(1, round(chosen.other_share * size))
    strange = draw(others, classes, count, device) if others else itertools.repeat(None)
    average, step = copy.deepcopy(network), 0
    for epoch in range(chosen.epochs):
        started = time.perf_counter()
        network.train()
        right = 0
        for batch in torch.randperm(len(pictures), device=device)[:used].split(size):
            factor = next(factors)
            for each, rates in zip(optimizers, full_rates, strict=True):
                for group, rate in zip(each.param_groups, rates, strict=True):
                    group["lr"] = rate * factor
            with torch.autocast(device.type, torch.bfloat16, enabled=half_precision):
                loss, logits = lesson(network, augment(pictures[batch]), labels[batch], chosen, next(strange))
            network.zero_grad()
            loss.backward()
            for each in optimizers:
                each.step()
            step += 1
            follow(average, network, min(chosen.averaging, step / (step + WARM_UP_STEPS)))
            right += int((logits.argmax(dim=1) == labels[batch]).sum())
        logits = predict(average, unseen)
        held_out_loss = functional.cross_entropy(logits, unseen_labels).item()
        if not np.isfinite(held_out_loss) or not torch.isfinite(loss):
            raise ExecutionFailedError(
                f"Training diverged: the loss is {loss.item()} after epoch {epoch}.", "Lower the learning rates."
            )
        accuracy = (logits.argmax(dim=1) == unseen_labels).float().mean().item()
        report(Progress(epoch, right / used, accuracy, held_out_loss, time.perf_counter() - started))
    average = average.cpu()
    return average, predict(average, unseen.cpu())


@torch.no_grad()
def follow(average: Network, network: Network, past: float) -> None:
    """Move `average` towards `network`, statistics of normalisation included; `past` is what stays of it, 0 to 1."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - past)
        else:
            mean.copy_(value)


def draw(others: Examples, classes: int, count: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Forever `count` of the pictures of other classes at random, changed at random, with labels after the classes'."""
    pictures = torch.from_numpy(others.pictures).permute(0, 3, 1, 2).to(device)  # as bytes: there may be thousands
    labels = torch.from_numpy(others.labels).to(device) + classes
    while True:
        rows = torch.randint(len(labels), (count,), device=device)
        yield augment(pictures[rows].float() / 255), labels[rows]


def lesson(
    network: Network,
    pictures: Tensor,
    labels: Tensor,
    chosen: Hyperparameters,
    others: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The loss of a batch, and its class logits.

    Some pictures appear a second time, turned, and the network must also say by how many quarters: it has to know what
    upright wheels and frames look like, which a thousand labels alone do not teach (Gidaris et al. 2018,
    arXiv:1803.07728, as an auxiliary task). With pictures of other classes it must also tell what each picture shows,
    of all classes: what strangers look like keeps them apart (Hendrycks et al. 2019, arXiv:1812.04606, with the classes
    instead of no answer). Nothing of this is left when the model is served.
    """
    turned, quarters = turn(pictures[: round(chosen.turned_share * len(pictures))])
    shown = [pictures, turned, *((others[0],) if others else ())]
    features = network.features(torch.cat(shown).contiguous(memory_format=torch.channels_last))
    own, upright, strange = features.tensor_split([len(pictures), len(pictures) + len(turned)])
    logits = network.classify(own).float()
    loss = functional.cross_entropy(logits, labels, label_smoothing=chosen.label_smoothing)
    if len(turned):
        loss += chosen.turned_weight * functional.cross_entropy(network.turns(upright).float(), quarters)
    if others:
        kinds, truth = network.kinds(torch.cat([own, strange])).float(), torch.cat([labels, others[1]])
        loss += chosen.other_weight * functional.cross_entropy(kinds, truth, label_smoothing=chosen.label_smoothing)
    return loss, logits


def predict(network: Network, pictures: Tensor) -> Tensor:
    """Logits (N, classes) at full precision, as they are served."""
    network.eval()
    with torch.inference_mode():
        logits: Tensor = network(pictures)
    return logits


def features(network: Network, split: Examples) -> Tensor:
    """The network's last features (N, last width) of pictures as they are, on the processor."""
    pictures, _ = to_tensors(split, torch.device("cpu"))
    network.eval()
    with torch.inference_mode():
        return torch.cat([network.features(part) for part in pictures.split(FEATURES_AT_ONCE)])


def to_tensors(split: Examples, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pictures in 0..1, (N, 3, side, side), and labels."""
    pictures = torch.from_numpy(split.pictures).permute(0, 3, 1, 2).float() / 255
    return pictures.contiguous().to(device), torch.from_numpy(split.labels).to(device)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware computes in bfloat16 itself; where it is emulated, float32 is faster."""
    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability() >= (8, 0))
    flags = Path("/proc/cpuinfo")  # names avx512_bf16, amx_bf16 or, on Arm, bf16
    return flags.is_file() and "bf16" in flags.read_text(encoding="utf-8")

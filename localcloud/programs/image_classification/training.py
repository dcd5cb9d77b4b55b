"""The training loop: batches, optimizer, metrics as the container counts them, best model, early stopping.

The container's quirks are kept, as real logs show them: the last, partial batch of every training epoch is dropped,
the images left over from validation open the next epoch's validation, the best epoch is stored and the last one
reported. See also hyperparameters.py for the learning-rate schedule's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from localcloud.errors import CustomerError
from localcloud.programs.image_classification.augmentation import centre_crop, training_batch
from localcloud.programs.image_classification.channels import LabelledImages
from localcloud.programs.image_classification.checkpoint import TrainedModel, params_name, save_checkpoint
from localcloud.programs.image_classification.container_log import log
from localcloud.programs.image_classification.hyperparameters import AlgorithmHyperparameters
from localcloud.programs.image_classification.network import Node, residual_network
from localcloud.programs.image_classification.torch_network import TorchNetwork, export_parameters

SEED = 2026  # the contract has no seed: every job with the same input gives the same model
BATCHES_PER_SPEED_LINE = 20
LONG_SECONDS = 600.0
"""A job that would take longer than this is told so, once, by its second batch: the first warms up."""
SMALL_SIDE = 32  # pixels; up to here the paper's CIFAR family, which begins with 20 layers, is the faster one
NEARLY_ONE = 1 - 1e-7  # the contract allows a beta of 1, at which Adam's bias correction divides by zero


@dataclass
class EarlyStopping:
    """Counts epochs without an improvement: one by more than `tolerance`, relative to the best accuracy so far.

    The rule, and when it stops, reproduce the container's logs: not before `min_epochs` epochs, and then when
    `patience` epochs in a row have not improved.
    """

    min_epochs: int
    patience: int
    tolerance: float
    best: float = 0.0
    waited: int = 0

    def should_stop(self, epochs_done: int, accuracy: float) -> bool:
        improved = accuracy > 0 if self.best == 0 else (accuracy - self.best) / self.best > self.tolerance
        if improved:
            self.best, self.waited = accuracy, 0
        else:
            self.waited += 1
        return epochs_done >= self.min_epochs and self.waited >= self.patience


@dataclass
class RollingValidation:
    """Validation in full batches; the images that do not fill one are judged first in the next epoch."""

    images: Tensor
    labels: Tensor
    batch_size: int
    left_over: Tensor

    def accuracy(self, network: TorchNetwork) -> float:
        """Share of right answers over this epoch's full batches."""
        order = torch.cat([self.left_over, torch.arange(len(self.labels))])
        counted = len(order) // self.batch_size * self.batch_size
        self.left_over = order[counted:]
        network.eval()
        right = 0
        with torch.inference_mode():
            for chosen in order[:counted].split(self.batch_size):
                right += int((network(self.images[chosen].float()).argmax(1) == self.labels[chosen]).sum())
        return right / counted


def train(
    hyperparameters: AlgorithmHyperparameters,
    training: LabelledImages,
    validation: LabelledImages,
    model_dir: Path,
    seed: int = SEED,
) -> float:
    """Train and leave checkpoints in `model_dir`; gives the last epoch's validation accuracy, as the container does.

    The model kept is that of the best epoch, unless checkpoint_frequency asks for every n-th.
    Raises CustomerError when the data do not fit the settings or training diverges.
    """
    check_sizes(hyperparameters, training, validation)
    generator = torch.Generator().manual_seed(seed)
    nodes = residual_network(hyperparameters.num_layers, hyperparameters.image_shape, hyperparameters.num_classes)
    network = TorchNetwork(nodes, generator).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(hyperparameters, network)
    images = [torch.from_numpy(image) for image in training.images]
    labels = torch.tensor(training.labels)
    size = hyperparameters.image_height_width
    judge = RollingValidation(
        torch.stack([centre_crop(torch.from_numpy(image), size) for image in validation.images]),
        torch.tensor(validation.labels),
        hyperparameters.mini_batch_size,
        torch.empty(0, dtype=torch.long),
    )
    stopping = EarlyStopping(
        hyperparameters.early_stopping_min_epochs,
        hyperparameters.early_stopping_patience,
        hyperparameters.early_stopping_tolerance,
    )
    best = -1.0
    accuracy = 0.0
    for epoch in range(hyperparameters.epochs):
        started = time.perf_counter()
        if epoch in hyperparameters.lr_scheduler_step:
            for group in optimizer.param_groups:
                group["lr"] *= hyperparameters.lr_scheduler_factor
        batches = _batches(hyperparameters, images, labels, generator)
        _train_epoch(hyperparameters, network, optimizer, batches, epoch)
        log(f"Epoch[{epoch}] Time cost={time.perf_counter() - started:.3f}")
        accuracy = judge.accuracy(network)
        log(f"Epoch[{epoch}] Validation-accuracy={accuracy:.6f}")
        if hyperparameters.checkpoint_frequency is not None:
            if (epoch + 1) % hyperparameters.checkpoint_frequency == 0:
                _store(hyperparameters, nodes, network, model_dir, epoch)
        elif accuracy > best:
            log(f"Storing the best model with validation accuracy: {accuracy:.6f}")
            _store(hyperparameters, nodes, network, model_dir, epoch)
            _remove_older(model_dir, params_name(epoch + 1))
            best = accuracy
        if hyperparameters.early_stopping and stopping.should_stop(epoch + 1, accuracy):
            log("Early stopping criteria met.")
            break
    return accuracy


def check_sizes(
    hyperparameters: AlgorithmHyperparameters, training: LabelledImages, validation: LabelledImages
) -> None:
    """Refuse images smaller than image_shape and splits smaller than a batch; warn about a wrong sample count."""
    height, width = hyperparameters.image_height_width
    for name, split in (("train", training), ("validation", validation)):
        if len(split.images) < hyperparameters.mini_batch_size:
            raise CustomerError(
                "The number of input images must be bigger or equal to the mini_batch_size.",
                f"The {name} channel has {len(split.images)} and mini_batch_size is {hyperparameters.mini_batch_size}.",
            )
        smallest = min(split.images, key=lambda image: min(image.shape[1] - height, image.shape[2] - width))
        if smallest.shape[1] < height or smallest.shape[2] < width:
            raise CustomerError(
                f"An image of the {name} channel is {smallest.shape[1]}x{smallest.shape[2]} (height x width), smaller "
                f"than image_shape {height}x{width}.",
                "Use a smaller image_shape, or resize.",
            )
    samples = hyperparameters.num_training_samples
    if samples < hyperparameters.mini_batch_size:
        raise CustomerError(
            "The number of input images must be bigger or equal to the mini_batch_size.",
            f"num_training_samples is {samples} and mini_batch_size is {hyperparameters.mini_batch_size}.",
        )
    if samples != len(training.images):
        log(
            f"num_training_samples is {samples}, and the train channel has {len(training.images)} images: an epoch "
            f"takes {min(samples, len(training.images))} of them.",
            "WARNING",
        )


def make_optimizer(hyperparameters: AlgorithmHyperparameters, network: TorchNetwork) -> torch.optim.Optimizer:
    """The optimizer asked for; weight decay is for sgd and nag, and acts on weights and norm scales, not on offsets."""
    rate = hyperparameters.learning_rate
    learnt = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    parameters = [parameter for _, parameter in learnt]
    if hyperparameters.optimizer == "adam":
        betas = (min(hyperparameters.beta_1, NEARLY_ONE), min(hyperparameters.beta_2, NEARLY_ONE))
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=hyperparameters.eps)
    if hyperparameters.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=hyperparameters.gamma, eps=hyperparameters.eps)
    return torch.optim.SGD(
        [
            {"params": [parameter for name, parameter in learnt if name.endswith("weight")]},
            {"params": [parameter for name, parameter in learnt if name.endswith("bias")], "weight_decay": 0.0},
        ],
        lr=rate,
        momentum=hyperparameters.momentum,
        weight_decay=hyperparameters.weight_decay,
        nesterov=hyperparameters.optimizer == "nag" and hyperparameters.momentum > 0,
    )


def _batches(
    hyperparameters: AlgorithmHyperparameters, images: list[Tensor], labels: Tensor, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch's full batches in a new order: float32 [B, 3, h, w] from 0 to 255, and int64 [B]."""
    size = hyperparameters.mini_batch_size
    samples = min(hyperparameters.num_training_samples, len(images))
    order = torch.randperm(len(images), generator=generator)[: samples // size * size]
    for chosen in order.split(size):
        batch = [images[index] for index in chosen.tolist()]
        pixels = training_batch(batch, hyperparameters.augmentation_type, hyperparameters.image_height_width, generator)
        yield pixels.contiguous(memory_format=torch.channels_last), labels[chosen]


def _train_epoch(
    hyperparameters: AlgorithmHyperparameters,
    network: TorchNetwork,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[tuple[Tensor, Tensor]],
    epoch: int,
) -> None:
    """Train on the batches, and log speed and accuracy as the container does."""
    network.train()
    mixed = hyperparameters.precision_dtype == "float16" and bfloat16_is_fast()
    top_k = hyperparameters.top_k
    seen = right = right_in_top = 0
    total_loss = torch.zeros(())
    since, started = 0, time.perf_counter()
    first_ended = started
    for number, (pixels, labels) in enumerate(batches):
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            logits = network(pixels).float()
        loss = functional.cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total_loss += loss.detach()
        seen += len(labels)
        right += int((logits.argmax(1) == labels).sum())
        if top_k is not None:
            best = logits.topk(min(top_k, hyperparameters.num_classes)).indices
            right_in_top += int((best == labels[:, None]).any(1).sum())
        if epoch == 0 and number == 0:
            first_ended = time.perf_counter()
        if epoch == 0 and number == 1 and (said := slowness(hyperparameters, time.perf_counter() - first_ended)):
            log(said, "WARNING")
        if number and number % BATCHES_PER_SPEED_LINE == 0:
            speed = (seen - since) / (time.perf_counter() - started)
            tops = "" if top_k is None else f"#011top_k_accuracy_{top_k}={right_in_top / seen:.6f}"
            shares = f"accuracy={right / seen:.6f}{tops}"
            log(f"Epoch[{epoch}] Batch [{number}]#011Speed: {speed:.3f} samples/sec#011{shares}")
            since, started = seen, time.perf_counter()
    if not torch.isfinite(total_loss):
        raise CustomerError(
            f"Training diverged: the loss is not a finite number after epoch {epoch}.", "Use a smaller learning_rate."
        )
    log(f"Epoch[{epoch}] Train-accuracy={right / seen:.6f}")
    if top_k is not None:
        log(f"Epoch[{epoch}] Train-top_k_accuracy_{top_k}={right_in_top / seen:.6f}")


def slowness(hyperparameters: AlgorithmHyperparameters, batch_seconds: float) -> str:
    """What to say of a job whose batches take so long, with what makes it faster; "" if it is no long one."""
    speed = hyperparameters.mini_batch_size / batch_seconds
    samples = hyperparameters.num_training_samples * hyperparameters.epochs
    if samples / speed <= LONG_SECONDS:
        return ""
    channels, height, width = hyperparameters.image_shape
    least = 20 if min(height, width) <= SMALL_SIDE else 18
    layers = f"num_layers {least} (it is {hyperparameters.num_layers}), " if hyperparameters.num_layers > least else ""
    shape = f"a smaller image_shape (it is {channels},{height},{width})"
    return (
        f"Speed on this CPU: {speed:.2f} samples/sec; {hyperparameters.epochs} epochs of "
        f"{hyperparameters.num_training_samples} images will take about {samples / speed / 60:.0f} minutes. "
        f"Faster: {layers}{shape}, or fewer epochs."
    )


def bfloat16_is_fast() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; without it, half precision is slower than single."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _store(
    hyperparameters: AlgorithmHyperparameters, nodes: list[Node], network: TorchNetwork, model_dir: Path, epoch: int
) -> None:
    shape, classes = hyperparameters.image_shape, hyperparameters.num_classes
    path = save_checkpoint(model_dir, epoch + 1, TrainedModel(nodes, shape, classes, export_parameters(network)))
    log(f'Saved checkpoint to "/opt/ml/model/{path.name}"')


def _remove_older(model_dir: Path, newest: str) -> None:
    """With default settings the archive holds one file of weights: that of the best epoch."""
    for path in model_dir.glob("image-classification-*.params"):
        if path.name != newest:
            path.unlink()

"""Train the members side by side, one single-thread process each, and print the job's progress lines.

Processes rather than threads: two threads of one training wait for each other at every operation, which on a machine
that does anything else costs far more than half the speed.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from project.errors import DataError, ExecutionFailedError, SconesError
from steps.train import likeness
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples, Folded, Others, Progress, Trained


@dataclass(frozen=True)
class Ensemble:
    """The trained networks, and what is said of each validation image by the one member that never saw it.

    That is a logit vector, (N, classes), and its likeness to the training images, (N,), on the ensemble's scale; and
    the likeness, (M,), of each stranger, which no member saw.
    """

    networks: list[Folded]
    validation_logits: NDArray[np.float64]
    validation_likeness: NDArray[np.float64]
    strangers_likeness: NDArray[np.float64]


def holders(labels: NDArray[np.int64], members: int, seed: int) -> NDArray[np.int64]:
    """For each validation image, the member that must not train on it; every class is spread evenly.

    One member holds out the whole split. With more, each also learns from what the others hold out, and still every
    image is judged by a network that never saw it.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # shuffled within each class
    holder = np.empty(len(labels), np.int64)
    holder[order] = np.arange(len(labels)) % members
    return holder


def fit(
    training: Examples,
    validation: Examples,
    classes: int,
    chosen: Hyperparameters,
    others: Others | None = None,
) -> Ensemble:
    """Train `chosen.members` networks, all of them from others too where there are such, and show them the strangers.

    Raises:
        DataError: there are fewer validation images than members.
        ExecutionFailedError: a member diverged, or its process died.
    """
    if len(validation.labels) < chosen.members:
        raise DataError(
            f"{len(validation.labels)} validation images for {chosen.members} members: each holds out one or more.",
            "Raise the validation fraction, or lower the hyperparameter `members`.",
        )
    holder = holders(validation.labels, chosen.members, chosen.seed)
    context = multiprocessing.get_context("spawn")  # a forked PyTorch may hang on locks its threads held
    processes: list[BaseProcess] = []
    pipes: list[Connection] = []
    try:
        for member in range(chosen.members):
            mine = holder == member
            seen = Examples(
                np.concatenate([training.pictures, validation.pictures[~mine]]),
                np.concatenate([training.labels, validation.labels[~mine]]),
            )
            held_out = Examples(validation.pictures[mine], validation.labels[mine])
            ours, theirs = context.Pipe(duplex=False)
            arguments = (theirs, seen, held_out, classes, chosen, 1000 * chosen.seed + member, others)
            process: BaseProcess = context.Process(target=_work, args=arguments, daemon=True)
            try:
                process.start()
            except BrokenPipeError:
                raise _lost(member) from None
            processes.append(process)
            theirs.close()  # so that a dead child is an end of file here
            pipes.append(ours)
        results = _collect(pipes, [int((holder == member).sum()) for member in range(chosen.members)])
    finally:
        for process in processes:
            process.kill()
            process.join()
    logits = np.empty((len(validation.labels), classes))
    for member, result in enumerate(results):
        logits[holder == member] = result.held_out_logits
    alike = likeness.of_ensemble([result.held_out_likeness for result in results])
    strange = np.mean([result.strangers_likeness for result in results], axis=0)
    return Ensemble([result.network for result in results], logits, alike, strange)


def _work(
    pipe: Connection,
    seen: Examples,
    held_out: Examples,
    classes: int,
    chosen: Hyperparameters,
    seed: int,
    others: Others | None,
) -> None:
    """In the child: send a Progress per epoch, then what was Trained, or the error."""
    import torch  # here, because the parent imports this module too

    from steps.train.fold import fold
    from steps.train.member import features, train

    torch.set_num_threads(1)
    try:
        network, logits = train(seen, held_out, classes, chosen, seed, pipe.send, others.learned if others else None)
        towards = likeness.directions(features(network, seen).double().numpy(), seen.labels, classes)
        unseen = features(network, held_out).double().numpy()
        towards = likeness.scaled(towards, unseen)
        alike = likeness.of_features(unseen, towards)
        strangers = features(network, others.strangers).double().numpy() if others else np.empty((0, len(towards)))
        strange = likeness.of_features(strangers, towards)
        pipe.send(Trained(fold(network, towards), logits.double().numpy(), alike, strange))
    except SconesError as error:
        pipe.send(error)
    except BrokenPipeError:  # the job was killed: its result has no reader
        return


def _collect(pipes: Sequence[Connection], held_out: Sequence[int]) -> list[Trained]:
    """Print lines for each epoch as soon as every member is past it, and return the members' results in order."""
    reports: list[list[Progress]] = [[] for _ in pipes]
    results: dict[int, Trained] = {}
    printed = 0
    while len(results) < len(pipes):
        for pipe in wait([pipe for member, pipe in enumerate(pipes) if member not in results]):
            member = pipes.index(pipe)
            message = _receive(pipes[member], member)
            if isinstance(message, Progress):
                reports[member].append(message)
            else:
                results[member] = message
        running = [len(report) for member, report in enumerate(reports) if member not in results]
        for epoch in range(printed, min(running, default=max(map(len, reports)))):
            _print_epoch(epoch, [report[epoch] for report in reports], held_out)
            printed = epoch + 1
    return [results[member] for member in range(len(pipes))]


def _receive(pipe: Connection, member: int) -> Progress | Trained:
    try:
        message: Progress | Trained | SconesError = pipe.recv()
    except EOFError:
        raise _lost(member) from None
    if isinstance(message, SconesError):
        raise message
    return message


def _lost(member: int) -> ExecutionFailedError:
    return ExecutionFailedError(
        f"Training member {member} ended without a result.",
        "Its process was killed, most likely for want of memory: lower width or batch_size.",
    )


def _print_epoch(epoch: int, latest: Sequence[Progress], held_out: Sequence[int]) -> None:
    """The built-in algorithm's lines, and the loss."""
    train_accuracy = np.mean([progress.train_accuracy for progress in latest])
    accuracy = np.average([progress.held_out_accuracy for progress in latest], weights=held_out)
    loss = np.average([progress.held_out_loss for progress in latest], weights=held_out)
    print(f"Epoch[{epoch}] Train-accuracy={train_accuracy:.6f}")
    print(f"Epoch[{epoch}] Time cost={max(progress.seconds for progress in latest):.3f}")
    print(f"Epoch[{epoch}] Validation-cross-entropy={loss:.6f}")
    print(f"Epoch[{epoch}] Validation-accuracy={accuracy:.6f}", flush=True)

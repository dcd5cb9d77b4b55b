"""Detached child processes: start one, tell whether it is still the same one, end it with everything it started.

A process is known by its number and its start time, so a number that the system gave to somebody else is never
signalled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from localcloud.private import OWNER_ONLY

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Children of this very process: it has to reap them, or they stay behind as zombies."""

_SAME_START = 1.0
"""Seconds by which two readings of one process's start time may differ: it is derived from the clock."""


@dataclass(frozen=True)
class Identity:
    """A process for as long as it lives: its number, and its start as seconds since 1970."""

    pid: int
    started: float


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    inherited: Sequence[int] = (),
) -> Identity:
    """Start `command` in a session of its own, in `folder`, with both outputs in `log`; the previous log is kept.

    What it writes is its user's alone (private.py).

    Args:
        inherited: file descriptors that stay open in the child, for locks that must live exactly as long as it does.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(inherited),
            umask=OWNER_ONLY,
        )
    _children[child.pid] = child
    return Identity(child.pid, psutil.Process(child.pid).create_time())


def find(identity: Identity) -> psutil.Process | None:
    """The process, or None when it has ended (or its number belongs to another one now)."""
    if child := _children.get(identity.pid):
        child.poll()
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.started) < _SAME_START
        return process if same and not _waits_to_be_reaped(process) else None
    except psutil.NoSuchProcess:
        return None


def _waits_to_be_reaped(process: psutil.Process) -> bool:
    """Whether it has ended and holds nothing any more.

    A killed process is called a zombie while its other threads still end, and until the last has, its ports are taken.
    """
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def end(identity: Identity, patience: float) -> bool:
    """Ask the process to end, wait `patience` seconds, then kill its whole group; True when it ended by itself."""
    process = find(identity)
    if process is None:
        return True
    with suppress(psutil.NoSuchProcess):  # it ended by itself just now
        process.terminate()
    willing = _wait([identity], patience) == []
    if not willing:
        with suppress(ProcessLookupError):
            os.killpg(identity.pid, signal.SIGKILL)
        _wait([identity], patience)
    if child := _children.pop(identity.pid, None):
        child.wait()
    return willing


def _wait(identities: Sequence[Identity], patience: float) -> list[Identity]:
    """Those that are still there after `patience` seconds; one that only waits to be reaped by its parent is not."""
    deadline = time.monotonic() + patience
    while left := [identity for identity in identities if find(identity)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


def marked(name: str, value: str) -> list[Identity]:
    """This user's living processes that have `name=value` in the environment they were started with."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value:
                found.append(Identity(process.pid, process.create_time()))
        except (psutil.Error, OSError):
            continue
    return found


def families(identities: Sequence[Identity]) -> set[int]:
    """Numbers of these processes and of everything that descends from them."""
    heads = [process for process in map(find, identities) if process]
    return {process.pid for head in heads for process in (head, *head.children(recursive=True))}


def terminate(identities: Sequence[Identity], patience: float) -> list[Identity]:
    """Ask processes to end, all at once, and wait for them; those still there after `patience` seconds are returned."""
    return _signal_and_wait(identities, signal.SIGTERM, patience)


def kill(identities: Sequence[Identity], patience: float) -> list[Identity]:
    """Kill processes at once and wait for them; those still there after `patience` seconds are returned."""
    return _signal_and_wait(identities, signal.SIGKILL, patience)


def _signal_and_wait(identities: Sequence[Identity], number: signal.Signals, patience: float) -> list[Identity]:
    for identity in identities:
        if process := find(identity):
            with suppress(psutil.NoSuchProcess):  # it ended by itself just now
                process.send_signal(number)
    return _wait(identities, patience)


def memory_mb(process: psutil.Process) -> float | None:
    """Resident memory of the process in MB (10^6 bytes), or None when it has just ended."""
    try:
        return round(process.memory_info().rss / 1e6, 1)
    except psutil.NoSuchProcess:
        return None

"""The processes of a job, one for each instance: with names that lead to each other, and one end.

A job has a network of its own in the loopback range, 127.x.y.0/24, and its instance n the address 127.x.y.n. What is
bound to a name can therefore not meet what another job has bound to the same port. What listens on all addresses can
(torch's TCPStore does), so training jobs of several instances take turns.
"""

from __future__ import annotations

import errno
import secrets
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

from localcloud.isolation.view import View, isolated
from localcloud.sagemaker.jobs.child import Child
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.lifecycle import JobFailedError, JobRun
from localcloud.sagemaker.jobs.volume import volume_bytes, watched

Start = Callable[[Folder, Mapping[str, str], int], Child]
"""Start an instance's process: with the addresses of all by name, and the process whose network it shares, or 0."""
HOLDER = ("/bin/sh", "-c", "echo; read _")
HOSTS_FILE = Path("/etc/hosts")
TRIES = 1000
LOOK_SECONDS = 0.2
_turn = threading.Lock()


@contextmanager
def addresses(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Addresses that no other job of this machine has during the block.

    A network is claimed by a name of an abstract socket, which the kernel gives back when this process ends.

    Raises:
        OSError: none is free.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        for _ in range(TRIES):
            network = f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}"
            try:
                claim.bind(f"\0localcloud/{network}")
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        else:
            raise OSError(errno.EADDRINUSE, "no network of the loopback range is free")
        yield {name: f"{network}.{number}" for number, name in enumerate(names, 1)}


@contextmanager
def turn(job: JobRun) -> Iterator[None]:
    """Hold the turn of training jobs of several instances during the block; one of a single instance needs none.

    Raises:
        InterruptedJobError: the job was told to end while it waited.
    """
    if len(job.hosts) == 1:
        yield
        return
    if not _turn.acquire(blocking=False):
        job.say("Another training job of several instances runs: this one waits for its end.")
        while not _turn.acquire(timeout=LOOK_SECONDS):
            job.interruption.check()
    try:
        yield
    finally:
        _turn.release()


@contextmanager
def own_network() -> Iterator[int]:
    """A network for instances that may reach each other and nobody else: the number of the process that holds it.

    API reference, EnableNetworkIsolation of CreateTrainingJob: "No inbound or outbound network calls can be made,
    except for calls between peers within a training cluster for distributed training."

    Raises:
        JobFailedError: it was refused.
    """
    view = View("/", network=False, stdin=True)
    with subprocess.Popen(isolated(HOLDER, view), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            if not (holder.stdout and holder.stdout.readline()):
                raise JobFailedError("InternalServerError: a network of the instances' own was refused.")
            yield holder.pid
        finally:
            holder.kill()


def run_all(job: JobRun, start: Start, alone: bool) -> tuple[Folder, int]:
    """Run the processes of all instances to their end: the first that failed and its exit code, or 0.

    `alone` instances have no network, but for each other.

    One that fails ends the others, and so does an interruption.

    Raises:
        OSError: one cannot be started; then none is left.
        JobFailedError: the disk of one is full.
    """
    if not (job.folder.private and HOSTS_FILE.is_file()):
        return _run_together(job, start, {}, 0)
    with ExitStack() as stack:
        found = stack.enter_context(addresses([folder.host for folder in job.hosts]))
        shared = stack.enter_context(own_network()) if alone and len(job.hosts) > 1 else 0
        return _run_together(job, start, found, shared)


def _run_together(job: JobRun, start: Start, known: Mapping[str, str], shared: int) -> tuple[Folder, int]:
    children: list[Child] = []
    ended: SimpleQueue[tuple[Folder, int]] = SimpleQueue()

    def end() -> None:
        for child in children:
            child.end()

    def wait(folder: Folder, child: Child) -> None:
        ended.put((folder, child.wait()))

    try:
        for folder in job.hosts:
            child = start(folder, known, shared)
            children.append(child)
            threading.Thread(
                target=wait, args=(folder, child), name=f"{folder.host} of {job.name}", daemon=True
            ).start()
    except OSError:
        end()
        for _ in children:
            ended.get()
        raise
    failed = None
    problems: list[str] = []

    def end_full(problem: str) -> None:
        problems.append(problem)
        end()

    with job.interruption.on(end), watched(job.hosts, volume_bytes(job.request), end_full):
        for _ in children:
            folder, code = ended.get()
            if code and failed is None:
                failed = folder, code
                end()
    if problems:
        raise JobFailedError(f"ClientError: {problems[0]}.")
    return failed or (job.folder, 0)

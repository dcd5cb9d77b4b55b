"""A model's serving program: a child process that answers GET /ping and POST /invocations on a loopback port.

The container's contract: "Use Your Own Inference Code with Hosting Services" in the developer guide.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import urllib3

from localcloud import ports
from localcloud.environment import HOST
from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import archives, child, transfer
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.inference_chain import run_chain
from localcloud.sagemaker.jobs.interruption import Interruption
from localcloud.sagemaker.jobs.lifecycle import JobFailedError
from localcloud.sagemaker.models import containers
from localcloud.sagemaker.store import Body

STARTUP_SECONDS = 240.0
"""How long a container may take until /ping answers 200, as for an endpoint on AWS."""

BACKLOG = 2048
PING_SECONDS = 2.0
PING_INTERVAL_SECONDS = 0.05


class Process(Protocol):
    """The process of a serving program, or of several: see child.Child."""

    @property
    def running(self) -> bool:
        """Whether it runs."""

    def wait(self) -> int:
        """Wait for its end; the exit code."""

    def end(self) -> None:
        """Ask it to end."""


class Processes:
    """The processes of an inference pipeline: they run while all do."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    @property
    def running(self) -> bool:
        """Whether every one runs."""
        return all(process.running for process in self._processes)

    def wait(self) -> int:
        """Wait for the first that has ended, or is to; its exit code."""
        return next((one for one in self._processes if not one.running), self._processes[0]).wait()

    def end(self) -> None:
        """Ask them to end."""
        for process in self._processes:
            process.end()


@dataclass(frozen=True)
class Server:
    """A serving program that answered /ping. `url` has no trailing slash."""

    url: str
    process: Process
    http: urllib3.PoolManager


def fetch_model(s3: Any, container: Body, folder: Folder, interruption: Interruption) -> None:
    """Download the model.tar.gz of every container and unpack it where the container's program looks for it.

    Raises:
        JobFailedError: an archive is not one.
        DownloadError: it is not there.
    """
    for one, place in _placed(container, folder):
        if place is not folder:
            place.make()
            place.log.unlink()
            place.log.symlink_to(folder.log)
        _fetch_model(s3, one, place, interruption)


def _fetch_model(s3: Any, container: Body, folder: Folder, interruption: Interruption) -> None:
    uri = container.get("ModelDataUrl")
    if not uri:
        return
    bucket, key = transfer.split(uri)
    archive = transfer.Object(bucket, key, "model.tar.gz", 0)
    transfer.download(s3, [archive], folder.root, interruption)
    try:
        archives.unpack(folder.root / archive.relative, folder.base / "model")
    except ValueError as error:
        raise JobFailedError(f"ClientError: The model data {uri} cannot be used: {error}.") from None


@contextmanager
def run_server(
    cloud: Cloud,
    container: Body,
    folder: Folder,
    own: Mapping[str, str],
    interruption: Interruption,
    startup_seconds: float | None = None,
    role: str = "",
    network: bool = True,
) -> Iterator[Server]:
    """Run the container's serving program during the block, which begins when it is healthy; its port is chosen here.

    Several containers are started one after the other and answer as one.
    Without `network`, if it has a private view, it answers there and reaches nobody.

    Raises:
        JobFailedError: one ended, or did not answer /ping in time.
        InterruptedJobError: the job was told to end meanwhile.
    """
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_run_one(cloud, one, place, own, interruption, startup_seconds, role, network))
            for one, place in _placed(container, folder)
        ]
        if len(servers) == 1:
            yield servers[0]
        else:
            urls = [server.url for server in servers]
            url = stack.enter_context(run_chain(urls))
            yield Server(url, Processes([server.process for server in servers]), stack.enter_context(_pool()))


def _placed(container: Body, folder: Folder) -> list[tuple[Body, Folder]]:
    """Every container with its own folder: the first has the job's."""
    first, *others = containers(container)
    places = [replace(folder, root=folder.root / f"{child.CONTAINER}{number}") for number in range(2, len(others) + 2)]
    return [(first, folder), *zip(others, places, strict=True)]


@contextmanager
def _pool() -> Iterator[urllib3.PoolManager]:
    pool = urllib3.PoolManager(maxsize=transfer.THREADS, block=True)
    try:
        yield pool
    finally:
        pool.clear()


@contextmanager
def _run_one(
    cloud: Cloud,
    container: Body,
    folder: Folder,
    own: Mapping[str, str],
    interruption: Interruption,
    startup_seconds: float | None,
    role: str,
    network: bool,
) -> Iterator[Server]:
    (port,) = ports.free(1)
    variables = {**container.get("Environment", {}), **own, "SAGEMAKER_BIND_TO_PORT": str(port)}
    program = images.program(container["Image"], "serve")
    command = child.command(images.command(program.serve, program), folder)
    told = child.environment(cloud, folder, variables, role, program.interpreter)
    if network or not folder.private:
        process = child.Child(command, told, folder)
    else:
        with socket.create_server((HOST, port), backlog=BACKLOG) as listener:
            process = child.Child(command, told, folder, network, listener=listener)
    server = Server(f"http://{HOST}:{port}", process, urllib3.PoolManager(maxsize=transfer.THREADS, block=True))
    try:
        with interruption.on(process.end):
            _wait_until_healthy(server, interruption, startup_seconds or STARTUP_SECONDS)
            yield server
    finally:
        server.http.clear()
        process.end()
        process.wait()


def _wait_until_healthy(server: Server, interruption: Interruption, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not healthy(server):
        interruption.check()
        if not server.process.running:
            code = server.process.wait()
            raise JobFailedError(
                f"AlgorithmError: The serving program ended before it answered /ping, exit code: {code}"
            )
        if time.monotonic() > deadline:
            raise JobFailedError(f"AlgorithmError: /ping did not answer 200 within {seconds:.0f} s")
        interruption.event.wait(PING_INTERVAL_SECONDS)


def healthy(server: Server) -> bool:
    """Whether /ping answers 200 within PING_SECONDS."""
    try:
        answer = server.http.request("GET", f"{server.url}/ping", timeout=PING_SECONDS, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200

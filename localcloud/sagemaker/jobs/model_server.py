"""A model's serving program: a child process that answers GET /ping and POST /invocations on a loopback port.

The container's contract: "Use Your Own Inference Code with Hosting Services" in the developer guide.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from localcloud import ports
from localcloud.environment import HOST
from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import archives, child, transfer
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.interruption import Interruption
from localcloud.sagemaker.jobs.lifecycle import JobFailedError

STARTUP_SECONDS = 240.0
"""How long a container may take until /ping answers 200, as for an endpoint on AWS."""

PING_SECONDS = 2.0
PING_INTERVAL_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """A serving program that answered /ping. `url` has no trailing slash."""

    url: str
    process: child.Child
    http: urllib3.PoolManager


def fetch_model(s3: Any, container: Mapping[str, Any], folder: Folder, interruption: Interruption) -> None:
    """Download a container's model.tar.gz and unpack it where the program looks for it.

    Raises:
        JobFailedError: the archive is not one.
        DownloadError: it is not there.
    """
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
    container: Mapping[str, Any],
    folder: Folder,
    own: Mapping[str, str],
    interruption: Interruption,
    startup_seconds: float | None = None,
    role: str = "",
) -> Iterator[Server]:
    """Run the container's serving program during the block, which begins when it is healthy; its port is chosen here.

    Raises:
        JobFailedError: it ended, or did not answer /ping in time.
        InterruptedJobError: the job was told to end meanwhile.
    """
    (port,) = ports.free(1)
    variables = {**container.get("Environment", {}), **own, "SAGEMAKER_BIND_TO_PORT": str(port)}
    program = images.program(container["Image"], "serve")
    command = child.command(images.command(program.serve, program), folder)
    process = child.Child(command, child.environment(cloud, folder, variables, role, program.interpreter), folder)
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

"""TCP ports on the loopback interface."""

from __future__ import annotations

import errno
import itertools
import random
import shlex
import socket
from contextlib import suppress

import psutil

from localcloud.environment import HOST, MARK
from localcloud.errors import LocalCloudError, PortInUseError

# Below the ports that systems lend to outgoing connections (Linux from 32768, others from 49152): such a connection
# could take the port of a part that is down for a moment, which then could not come back.
SPARE = range(16_384, 32_768)
_CHOICE = random.SystemRandom()  # processes that start at the same time with the same seed must not choose the same


def free(count: int) -> list[int]:
    """`count` different ports of SPARE that nobody uses at this moment.

    Raises:
        LocalCloudError: there are not that many.
    """
    candidates = _CHOICE.sample(SPARE, len(SPARE))
    found = list(itertools.islice(filter(is_free, candidates), count))
    if len(found) < count:
        raise LocalCloudError(
            f"Looking for {count} free ports from {SPARE.start} to {SPARE.stop - 1}: {len(found)} found.",
            "End programs that use them, or name ports.",
        )
    return found


def is_free(port: int) -> bool:
    """Whether `port` can be bound at this moment."""
    return _trouble(port) is None


def require_free(port: int, what: str, option: str) -> None:
    """Check that `port` can be bound.

    Raises:
        PortInUseError: a program has it; says which, as far as the system tells.
        LocalCloudError: it cannot be bound for another reason.
    """
    trouble = _trouble(port)
    if trouble is None:
        return
    if trouble.errno == errno.EADDRINUSE:
        holder = _listener(port)
        if folder := _cloud_of(holder):
            raise PortInUseError(
                f"Starting {what}: port {port} is in use by the local cloud on {folder}.",
                f"Use that one, end it with: localcloud down --state {shlex.quote(folder)}; or choose another port "
                f"with {option}.",
            )
        by = f" by `{shlex.join(holder.cmdline())[:60]}` (pid {holder.pid})" if holder else ""
        raise PortInUseError(
            f"Starting {what}: port {port} is in use{by}.",
            f"End that program, or choose another port with {option}.",
        )
    raise LocalCloudError(f"Starting {what}: port {port}: {trouble.strerror}.", f"Choose another port with {option}.")


def _trouble(port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error
    return None


def _listener(port: int) -> psutil.Process | None:
    """The process that listens; None where the system does not tell (other users' processes, macOS)."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr[1:] == (port,) and connection.status == psutil.CONN_LISTEN and connection.pid:
                return psutil.Process(connection.pid)
    return None


def _cloud_of(process: psutil.Process | None) -> str | None:
    """The state folder of the local cloud that the process is part of, or None."""
    with suppress(psutil.Error):
        return process.environ().get(MARK) if process else None
    return None

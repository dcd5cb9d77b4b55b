"""What a call of MiniStack pays for the door in front of it: warm calls with the door and without, in turns.

    python benchmarks/door.py [--calls 3000]

Two servers run side by side, one behind the door as `scones local up` starts it and one started by MiniStack's own
command. Medians in microseconds over one connection that is kept open, and their ratio, for reading an S3 object of
100 bytes and for a list of SQS queues. Goal: the door costs a call at most 5 %. Exit code 1 when it is missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from localcloud import parts, ports, processes
from localcloud.environment import HOST, Addresses

MOST_RATIO = 1.05
WARM_UP = 200
SQS = {"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
CALLS = {
    "s3_get": ("GET", "/bench/small", None, {}),
    "sqs_list": ("POST", "/", b"{}", SQS),
}
BARE = [sys.executable, "-P", "-m", "ministack"]


@contextmanager
def server(state: Path, bare: bool) -> Iterator[http.client.HTTPConnection]:
    """MiniStack on a free port with one small object in it, and a connection to it."""
    (port,) = ports.free(1)
    one = parts.ministack(state, Addresses(port, port))
    (state / "tmp").mkdir(parents=True)
    environment = {**one.environment, "BIND_HOST": HOST}  # MiniStack's own command would listen on every address
    identity = processes.launch(BARE if bare else one.command, environment, state, state / "log")
    try:
        while not parts.healthy(port, one.health):
            if processes.find(identity) is None:
                raise SystemExit((state / "log").read_text())
            time.sleep(0.05)
        connection = http.client.HTTPConnection(HOST, port, timeout=30)
        call(connection, "PUT", "/bench", None, {})
        call(connection, "PUT", "/bench/small", bytes(100), {})
        yield connection
        connection.close()
    finally:
        processes.end(identity, patience=20)


def call(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> float:
    """Seconds until the whole answer is there; it must be a success."""
    start = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - start
    if answer.status != 200:
        raise SystemExit(f"{method} {path}: {answer.status}")
    return seconds


def measure(calls: int) -> dict[str, dict[str, float]]:
    """By kind of call: the medians in microseconds, and their ratio."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        behind, bare = (stack.enter_context(server(Path(folder) / name, name == "bare")) for name in ("door", "bare"))
        for name, request in CALLS.items():
            pairs = [(call(behind, *request), call(bare, *request)) for _ in range(WARM_UP + calls)][WARM_UP:]
            door, without = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
            found[name] = {"door_us": round(door, 1), "bare_us": round(without, 1), "ratio": round(door / without, 3)}
    return found


def main() -> int:
    """Print the medians as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    found = measure(parser.parse_args().calls)
    print(json.dumps(found, indent=2))
    return int(any(one["ratio"] > MOST_RATIO for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())

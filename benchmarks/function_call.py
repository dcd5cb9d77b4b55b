"""What a warm Lambda function that prints nothing takes on the local cloud, with our corrections and without, in turns.

    python benchmarks/function_call.py [--calls 300]

Two servers run side by side, one as `scones local up` starts it and one by MiniStack's own command. Medians in
milliseconds of calls over boto3. Goal: at most 20 ms with the corrections. Exit code 1 when it is missed.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3

from localcloud import parts, ports, processes
from localcloud.environment import HOST, Addresses

MOST_MS = 20.0
WARM_UP = 20
SOURCE = "def handler(event, context):\n    return event\n"
BARE = [sys.executable, "-P", "-m", "ministack"]


@contextmanager
def function(state: Path, bare: bool) -> Iterator[Any]:
    """A client of a MiniStack on a free port that has one function, `echo`."""
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
        client = boto3.Session("test", "test", region_name="us-east-1").client(
            "lambda", endpoint_url=f"http://{HOST}:{port}"
        )
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("index.py", SOURCE)
        role = "arn:aws:iam::000000000000:role/any"
        client.create_function(
            FunctionName="echo",
            Runtime="python3.12",
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
        )
        yield client
    finally:
        processes.end(identity, patience=20)


def call(client: Any) -> float:
    """Seconds until the answer is there; it must be the event."""
    start = time.perf_counter()
    answer = client.invoke(FunctionName="echo", Payload=b'{"a": 1}')["Payload"].read()
    seconds = time.perf_counter() - start
    if json.loads(answer) != {"a": 1}:
        raise SystemExit(answer.decode())
    return seconds


def measure(calls: int) -> dict[str, float]:
    """The medians in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients = [stack.enter_context(function(Path(folder) / name, name == "bare")) for name in ("corrected", "bare")]
        pairs = [tuple(call(client) for client in clients) for _ in range(WARM_UP + calls)][WARM_UP:]
        corrected, bare = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
        return {"corrected_ms": round(corrected, 1), "bare_ms": round(bare, 1)}


def main() -> int:
    """Print the medians as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    found = measure(parser.parse_args().calls)
    print(json.dumps(found, indent=2))
    return int(found["corrected_ms"] > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())

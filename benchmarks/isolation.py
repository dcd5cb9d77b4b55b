"""What a private view of the machine costs, with and without in turns, and whether it does what it is for.

    python benchmarks/isolation.py [--starts 30] [--calls 200]

- start: milliseconds from starting a job's process to its end, when it does nothing
- worker: a function's first call; warm: one that prints nothing, medians over boto3
- memory: kilobytes that the processes which hold a view have to themselves
- pictures: calls, 16 at a time, of a function that downloads to a fixed name in /tmp; right, wrong, refused answers

Goals: a start at most 60 ms more, a worker's at most 150, a warm call at most 5; every picture right. Exit code 1 when
one is missed: on a busy machine, look at the figures again.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config

from localcloud import processes, up
from localcloud.environment import MARK
from localcloud.isolation.offer import VARIABLE, offered
from localcloud.isolation.view import STARTER
from localcloud.sagemaker.jobs import child
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.interruption import Interruption

MOST_MS = {"start": 60.0, "worker": 150.0, "warm": 5.0}
ECHO = "def handler(event, context):\n    return event\n"
PICTURE = """
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3.download_file("pictures", event, "/tmp/image.png")
    with open("/tmp/image.png") as image:
        return image.read()
"""
AT_ONCE = 16


def start(root: Path, private: bool) -> float:
    """Milliseconds of a job's process that does nothing."""
    folder = Folder(root / uuid.uuid4().hex, private)
    folder.make()
    began = time.perf_counter()
    if child.run(["/bin/true"], {}, folder, Interruption()):
        raise SystemExit(folder.log.read_text())
    return (time.perf_counter() - began) * 1e3


@contextmanager
def cloud(state: Path, isolation: str) -> Iterator[Any]:
    """A client of Lambda and one of S3 of a local cloud on free ports, with or without isolation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, isolation)
        offered.cache_clear()
        addresses = up.start(state, port=0, sagemaker_port=0).addresses
    session = boto3.Session("test", "test", region_name="us-east-1")
    once = Config(max_pool_connections=AT_ONCE, retries={"total_max_attempts": 1}, read_timeout=120)
    try:
        yield tuple(session.client(one, endpoint_url=addresses.ministack, config=once) for one in ("lambda", "s3"))
    finally:
        up.stop(state)


def create(functions: Any, source: str) -> str:
    """A new function; its name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", source)
    name = f"f-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    return name


def call(functions: Any, name: str, event: Any = 1) -> tuple[float, Any]:
    """Milliseconds, and the answer."""
    began = time.perf_counter()
    answer = json.load(functions.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])
    return (time.perf_counter() - began) * 1e3, answer


def pictures(functions: Any, s3: Any, calls: int) -> dict[str, int]:
    """How many answers are right, wrong, and none."""
    s3.create_bucket(Bucket="pictures")
    for number in range(calls):
        s3.put_object(Bucket="pictures", Key=str(number), Body=f"picture {number}".encode())
    name = create(functions, PICTURE)

    def one(number: int) -> str:
        try:
            answer = call(functions, name, str(number))[1]
        except functions.exceptions.TooManyRequestsException:
            return "throttled"
        return "right" if answer == f"picture {number}" else "wrong"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(one, range(calls)))
    return {kind: found.count(kind) for kind in ("right", "wrong", "throttled")}


def holders_kb(state: Path) -> list[float]:
    """What each process that only holds a view has to itself."""
    marked = [psutil.Process(one.pid) for one in processes.marked(MARK, str(state))]
    return [one.memory_full_info().uss / 1e3 for one in marked if STARTER in one.cmdline()]


def measure(starts: int, calls: int) -> dict[str, Any]:
    """All figures."""
    if not offered().private:
        raise SystemExit(offered().words)
    with tempfile.TemporaryDirectory() as made:
        root = Path(made).resolve()
        pairs = [(start(root, False), start(root, True)) for _ in range(starts)]
        figures: dict[str, Any] = {
            "start": [round(statistics.median(column), 1) for column in zip(*pairs, strict=True)]
        }
        with cloud(root / "without", "none") as (plain, _), cloud(root / "with", "") as (private, s3):
            both = (plain, private)
            workers = [[call(one, create(one, ECHO))[0] for one in both] for _ in range(max(5, starts // 3))]
            names = [create(one, ECHO) for one in both]
            warm = [[call(one, name)[0] for one, name in zip(both, names, strict=True)] for _ in range(calls + 20)][20:]
            figures["worker"] = [round(statistics.median(column), 1) for column in zip(*workers, strict=True)]
            figures["warm"] = [round(statistics.median(column), 1) for column in zip(*warm, strict=True)]
            figures["memory_kb"] = round(statistics.median(holders_kb(root / "with")))
            figures["pictures"] = pictures(private, s3, calls)
    return figures


def main() -> int:
    """Print the figures as JSON, [without, with]; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    found = measure(options.starts, options.calls)
    print(json.dumps(found, indent=2))
    slow = [name for name, most in MOST_MS.items() if found[name][1] - found[name][0] > most]
    return int(bool(slow) or found["pictures"]["right"] != options.calls)


if __name__ == "__main__":
    sys.exit(main())

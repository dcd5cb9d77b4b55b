"""How fast a serving program answers at its HTTP socket: a 32x32 PNG in, probabilities out.

    python benchmarks/serving_endpoint.py [--requests 2000] [--clients 8] [--model FOLDER]

It starts the image-classification program as an endpoint does, on the model in FOLDER or on a ResNet-20 that it makes,
and sends requests over kept-alive connections: one client for the latencies, then several for the throughput. The
clients run in this process, so they share the processors with the server. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
P50_MS, P99_MS, PER_SECOND = 5.0, 15.0, 300.0
WARM_UP = 50


def make_model(folder: Path) -> None:
    """A ResNet-20 for 28x28 images after one epoch on noise: as fast as a good one."""
    import torch

    from localcloud.programs.image_classification.checkpoint import TrainedModel, save_checkpoint
    from localcloud.programs.image_classification.network import residual_network
    from localcloud.programs.image_classification.torch_network import TorchNetwork, export_parameters

    nodes = residual_network(20, (3, 28, 28), 2)
    network = TorchNetwork(nodes, torch.Generator().manual_seed(1))
    save_checkpoint(folder, 1, TrainedModel(nodes, (3, 28, 28), 2, export_parameters(network)))


def request() -> bytes:
    """One POST /invocations with a 32x32 PNG, ready for a socket."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(file, "PNG")
    body = file.getvalue()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def client(port: int, count: int, content: bytes | None = None) -> list[float]:
    """Send `count` requests one after the other over one connection; seconds for each. Raises on any other answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = (content or request()).replace(b"Host: x", b"Host: 127.0.0.1:%d" % port, 1)  # the door reads it
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        seconds.append(time.perf_counter() - started)
        if not head.startswith(b"HTTP/1.1 200") or len(json.loads(body)) < 2:
            raise RuntimeError(f"the server answered {head!r} {body!r}")
    writer.close()
    await writer.wait_closed()
    return seconds


async def measure(port: int, requests: int, clients: int) -> dict[str, float]:
    """Latencies of one client, then requests per second of several."""
    await client(port, WARM_UP)
    alone = sorted(1000 * seconds for seconds in await client(port, requests))
    started = time.perf_counter()
    groups = await asyncio.gather(*(client(port, requests // clients) for _ in range(clients)))
    elapsed = time.perf_counter() - started
    together = sorted(1000 * seconds for group in groups for seconds in group)
    return {
        "p50_ms": statistics.median(alone),
        "p99_ms": alone[int(0.99 * len(alone))],
        "requests_per_second": len(together) / elapsed,
        f"p99_ms_of_{clients}_clients": together[int(0.99 * len(together))],
    }


def main() -> int:
    """Print the numbers as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--model", type=Path, help="a model folder of the image-classification program")
    parser.add_argument("--program", default="localcloud.programs.image_classification")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        if options.model is None:
            make_model(base / "model")
        else:
            (base / "model").symlink_to(options.model.resolve())
        environment = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": "0", "PYTHONPATH": str(ROOT)}
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", options.program, "serve"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                address = next(line for line in server.stdout or [] if line.startswith("Listening on "))
                found = {"start_seconds": time.perf_counter() - started}
                found |= asyncio.run(measure(int(address.rpartition(":")[2]), options.requests, options.clients))
                status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
                found["memory_mb"] = int(status.split("VmRSS:")[1].split()[0]) / 1024
            finally:
                server.terminate()
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))
    reached = found["p50_ms"] <= P50_MS and found["p99_ms"] <= P99_MS and found["requests_per_second"] >= PER_SECOND
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

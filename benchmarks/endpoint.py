"""What the local runtime API adds to a model's own latency, and how many requests a second an endpoint answers.

    python benchmarks/endpoint.py [--requests 2000] [--clients 8] [--no-capture]

It starts a local cloud in a temporary folder and an endpoint on a ResNet-20 with data capture of everything, sends the
same request to the model's own socket and through the runtime API in turns, then to the API from several clients. The
clients run in this process and share the processors with the servers. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import statistics
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from serving_endpoint import PER_SECOND, client, make_model, request

from localcloud import up

ADDED_P50_MS, P50_MS, P99_MS = 5.0, 10.0, 20.0
WARM_UP = 50
NAME = "benchmark"
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
ROLE = "arn:aws:iam::000000000000:role/benchmark"


def deploy(capture: bool) -> None:
    """Bring the endpoint into service; the local cloud is in the environment."""
    import boto3

    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.create_bucket(Bucket=NAME)
    with tempfile.TemporaryDirectory() as scratch:
        make_model(Path(scratch))
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for file in sorted(Path(scratch).iterdir()):
                tar.add(file, file.name)
    s3.put_object(Bucket=NAME, Key="model.tar.gz", Body=archive.getvalue())
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{NAME}/model.tar.gz"}
    sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    options = {
        "EnableCapture": capture,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{NAME}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant], DataCaptureConfig=options)
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def model_port(state: Path) -> int:
    """Where the endpoint's own process listens."""
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get("SAGEMAKER_BASE_DIR", "").startswith(str(state / "regions")):
            return int(environment["SAGEMAKER_BIND_TO_PORT"])
    raise RuntimeError("the endpoint has no process")


def at_the_api(content: bytes) -> bytes:
    """The request for the model's socket, as one for the runtime API."""
    return content.replace(b"POST /invocations ", f"POST /endpoints/{NAME}/invocations ".encode(), 1)


async def measure(direct: int, api: int, requests: int, clients: int) -> dict[str, float]:
    """Latencies at both sockets in turns of 100 requests, then requests per second of several clients at the API."""
    plain, named = request(), at_the_api(request())
    await client(direct, WARM_UP, plain)
    await client(api, WARM_UP, named)
    alone: dict[str, list[float]] = {"model": [], "api": []}
    for _ in range(requests // 100):
        alone["model"] += await client(direct, 100, plain)
        alone["api"] += await client(api, 100, named)
    started = time.perf_counter()
    groups = await asyncio.gather(*(client(api, requests // clients, named) for _ in range(clients)))
    elapsed = time.perf_counter() - started
    together = sorted(1000 * seconds for group in groups for seconds in group)
    found = {f"{name}_p50_ms": 1000 * statistics.median(values) for name, values in alone.items()}
    found |= {f"{name}_p99_ms": 1000 * sorted(values)[int(0.99 * len(values))] for name, values in alone.items()}
    return found | {
        "added_p50_ms": found["api_p50_ms"] - found["model_p50_ms"],
        "requests_per_second": len(together) / elapsed,
        f"p99_ms_of_{clients}_clients": together[int(0.99 * len(together))],
    }


def captured() -> int:
    """How many records are in S3."""
    import boto3

    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix="capture/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return sum(s3.get_object(Bucket=NAME, Key=key)["Body"].read().count(b"\n") for key in keys)


def main() -> int:
    """Print the numbers as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--no-capture", action="store_true")
    options = parser.parse_args()
    os.environ["LOCALCLOUD_CAPTURE_SECONDS"] = "5"
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch).resolve()
        running = up.start(state, port=0, sagemaker_port=0)
        try:
            os.environ.update(up.environment(running))
            deploy(not options.no_capture)
            api = running.addresses.sagemaker_port
            found = asyncio.run(measure(model_port(state), api, options.requests, options.clients))
            found["server_memory_mb"] = next(
                one.memory_mb or 0.0 for one in up.status(state) if one.part == "sagemaker"
            )
            _delete()
            found["captured"] = captured()
        finally:
            up.stop(state)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))
    sent = WARM_UP + 2 * options.requests  # alone, then together
    reached: list[Any] = [
        found["added_p50_ms"] <= ADDED_P50_MS,
        found["api_p50_ms"] <= P50_MS,
        found["api_p99_ms"] <= P99_MS,
        found["requests_per_second"] >= PER_SECOND,
        options.no_capture or found["captured"] == sent,
    ]
    return 0 if all(reached) else 1


def _delete() -> None:
    """Delete the endpoint, which writes what was captured."""
    import boto3

    sagemaker = boto3.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=NAME)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


if __name__ == "__main__":
    sys.exit(main())

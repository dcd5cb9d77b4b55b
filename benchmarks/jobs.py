"""What the local SageMaker adds to a job: `python benchmarks/jobs.py [--files 1000] [--jobs 10]`.

Starts a local cloud of its own on free ports in a temporary folder, and prints medians over the jobs:

- start: from CreateProcessingJob being called to the first line of the program, without inputs but its code
- end: from the program's last line to the job being marked Completed, without outputs
- download, upload: small files a second, with this many 2 kB files
- transform: objects a second, through a serving program that answers at once
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud import up
from localcloud.image_table import FILE, VARIABLE
from localcloud.sagemaker import operations
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import lifecycle, transfer
from localcloud.sagemaker.jobs.interruption import Interruption

BUCKET = "jobs-benchmark"
CODE = "/opt/ml/processing/input/code"
OUTPUT = "/opt/ml/processing/output"
PROGRAM = b"""
import sys, time
with open(sys.argv[1] + "/times", "w") as times:
    times.write(f"{time.time()} ")
    times.write(f"{time.time()}")
"""
SERVER = """
import asyncio, os

async def serve(reader, writer):
    while head := await reader.readuntil(b"\\r\\n\\r\\n"):
        lengths = [line for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
        status = b"404 Not Found" if b"/execution-parameters" in head else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 2\\r\\n\\r\\n{}")

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def local_cloud() -> Iterator[Cloud]:
    """A local SageMaker inside this process, on a MiniStack of its own."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        addresses = up.start(state, port=0, sagemaker_port=0).addresses
        own = Path(folder) / "own"
        own.mkdir()
        cloud = Cloud(own, addresses.ministack, addresses.sagemaker)
        operations.load()
        try:
            yield cloud
        finally:
            lifecycle.shut_down(cloud)
            cloud.store.close()
            up.stop(state)


def done(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    """Wait until the job has ended."""

    def status() -> str:
        return str(cloud.call(f"Describe{kind}", {f"{kind}Name": name})[f"{kind}Status"])

    with cloud.changed:
        cloud.changed.wait_for(lambda: status() != "InProgress", timeout=600)
    job = cloud.call(f"Describe{kind}", {f"{kind}Name": name})
    if job[f"{kind}Status"] != "Completed":
        raise SystemExit(f"{name}: {job.get('FailureReason')}")
    return job


def processing(cloud: Cloud, number: int) -> tuple[float, float]:
    """Seconds before and after one job's program."""
    name = f"job-{number}"
    source = {"S3Uri": f"s3://{BUCKET}/code/", "LocalPath": CODE, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    target = {"S3Uri": f"s3://{BUCKET}/{name}", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    request = {
        "ProcessingJobName": name,
        "RoleArn": "arn:aws:iam::000000000000:role/benchmark",
        "AppSpecification": {
            "ImageUri": "sagemaker-scikit-learn",
            "ContainerEntrypoint": ["python3", f"{CODE}/job.py"],
            "ContainerArguments": [OUTPUT],
        },
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "times", "S3Output": target}]},
    }
    created = time.time()
    cloud.call("CreateProcessingJob", request)
    done(cloud, "ProcessingJob", name)
    marked = time.time()
    times = cloud.s3.get_object(Bucket=BUCKET, Key=f"{name}/times")["Body"].read().split()
    return float(times[0]) - created, marked - float(times[1])


def transfers(cloud: Cloud, files: int) -> tuple[float, float]:
    """Files a second, up and down."""
    source, target = cloud.state / "source", cloud.state / "target"
    source.mkdir()
    for number in range(files):
        (source / f"{number}.png").write_bytes(number.to_bytes(4, "big") * 500)
    began = time.perf_counter()
    transfer.upload(cloud.s3, source, f"s3://{BUCKET}/files", Interruption())
    uploaded = time.perf_counter()
    transfer.download(cloud.s3, transfer.objects(cloud.s3, f"s3://{BUCKET}/files"), target, Interruption())
    downloaded = time.perf_counter()
    return files / (uploaded - began), files / (downloaded - uploaded)


def transform(cloud: Cloud, files: int) -> float:
    """Objects a second, its start included."""
    script = cloud.state / "server.py"
    script.write_text(SERVER)
    table = cloud.state / FILE
    table.write_text(f'[images.benchmark]\nserve = ["python3", "{script}"]\n')
    os.environ[VARIABLE] = str(table)
    cloud.call("CreateModel", {"ModelName": "model", "PrimaryContainer": {"Image": "benchmark"}})
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/files"}}
    request = {
        "TransformJobName": "transform",
        "ModelName": "model",
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scored"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }
    began = time.perf_counter()
    cloud.call("CreateTransformJob", request)
    done(cloud, "TransformJob", "transform")
    return files / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=10)
    options = parser.parse_args()
    with local_cloud() as cloud:
        cloud.s3.create_bucket(Bucket=BUCKET)
        cloud.s3.put_object(Bucket=BUCKET, Key="code/job.py", Body=PROGRAM)
        starts, ends = zip(*(processing(cloud, number) for number in range(options.jobs)), strict=True)
        up_rate, down_rate = transfers(cloud, options.files)
        scored = transform(cloud, options.files)
    print(f"start      {statistics.median(starts):.3f} s (longest {max(starts):.3f})")
    print(f"end        {statistics.median(ends):.3f} s (longest {max(ends):.3f})")
    print(f"upload     {up_rate:.0f} files/s")
    print(f"download   {down_rate:.0f} files/s")
    print(f"transform  {scored:.0f} objects/s")


if __name__ == "__main__":
    main()

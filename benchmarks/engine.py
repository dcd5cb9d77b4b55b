"""What the pipeline engine adds to the jobs, and what the local SageMaker weighs.

    python benchmarks/engine.py [--steps 10] [--repeats 5] [--executions 2000]

Starts a local cloud on a temporary folder and runs a chain of jobs that do next to nothing. The engine's share of a
step is the time from the end of the step before to the first line of the job's program, plus the time from its last
line to the step's end: it holds the interpreter's start and the transfer of one small file, so it is an upper bound.
Prints medians as JSON. Exit code 1 when one of the goals below is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil

from localcloud import up
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import records

ROLE = "arn:aws:iam::000000000000:role/example-role"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
BUCKET, PIPELINE, LISTED = "bucket", "chain", "listed"
TIMES = "/opt/ml/processing/output/times.json"
PROGRAM = f"import time, json; t = time.time(); json.dump([t, time.time()], open('{TIMES}', 'w'))"
GOALS = {
    "engine_seconds_per_step": 0.5,
    "cached_execution_seconds": 2.0,
    "memory_at_rest_mb": 150.0,
    "first_page_seconds": 0.2,
}


def step(number: int) -> dict[str, Any]:
    """A job that takes its predecessor's output and writes down when it began and ended."""
    place = ["s3:/", BUCKET, {"Get": "Execution.PipelineExecutionId"}, f"Step{number}"]
    arguments: dict[str, Any] = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", PROGRAM]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "times",
                    "S3Output": {
                        "S3Uri": {"Std:Join": {"On": "/", "Values": place}},
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    if number:
        before = f"Steps.Step{number - 1}.ProcessingOutputConfig.Outputs['times'].S3Output.S3Uri"
        source = {"S3Uri": {"Get": before}, "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix"}
        arguments["ProcessingInputs"] = [{"InputName": "before", "S3Input": {**source, "S3InputMode": "File"}}]
    cache = {"Enabled": True, "ExpireAfter": "P1D"}
    return {"Name": f"Step{number}", "Type": "Processing", "Arguments": arguments, "CacheConfig": cache}


def run(client: Any) -> tuple[str, float]:
    """Run the chain: the execution's ARN, and the seconds until a client that asks every 10 ms knows of its end."""
    started = time.perf_counter()
    arn = client.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    while True:
        status = client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status != "Executing":
            return arn, time.perf_counter() - started
        time.sleep(0.01)


def shares(client: Any, s3: Any, arn: str) -> list[float]:
    """The engine's share of each step of an execution, in seconds."""
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
    before = client.describe_pipeline_execution(PipelineExecutionArn=arn)["CreationTime"].timestamp()
    found = []
    for item in steps["PipelineExecutionSteps"]:
        key = f"{arn.rpartition('/')[2]}/{item['StepName']}/times.json"
        began, ended = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        found.append(began - before + item["EndTime"].timestamp() - ended)
        before = item["EndTime"].timestamp()
    return found


def fill(state: Path, count: int) -> None:
    """Put finished executions of nine steps each into the database."""
    store = Cloud(state, "", "").store
    pipeline = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{LISTED}"
    with store.transaction():
        for number in range(count):
            identity = f"{number:012d}"
            arn = f"{pipeline}/execution/{identity}"
            own = {"PipelineArn": pipeline, "PipelineExecutionArn": arn, "StartTime": time.time()}
            body = {**own, "PipelineExecutionStatus": "Succeeded", "PipelineVersionId": 1, "GivenParameters": {}}
            store.insert(records.EXECUTION, identity, body, arn=arn, parent=LISTED, status="Succeeded")
            for index in range(9):
                name = f"Step{index}"
                made = {**own, "StepName": name, "StepStatus": "Succeeded", "AttemptCount": 1, "EndTime": time.time()}
                store.insert(
                    records.STEP, f"{identity}/{name}", made, arn=f"{arn}/{name}", parent=identity, status="Succeeded"
                )
    store.close()


def timed(act: Callable[[], Any], repeats: int) -> float:
    """The median of the seconds that `act` takes."""
    took = []
    for _ in range(repeats):
        started = time.perf_counter()
        act()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def measure(state: Path, running: up.Running, options: argparse.Namespace) -> dict[str, float]:
    """Every number, by what it is of and its unit."""
    addresses = up.environment(running)
    session = boto3.Session("test", "test", region_name="us-east-1")
    client = session.client("sagemaker", endpoint_url=addresses["AWS_ENDPOINT_URL_SAGEMAKER"])
    s3 = session.client("s3", endpoint_url=addresses["AWS_ENDPOINT_URL"])
    server = psutil.Process(next(part.pid for part in up.status(state) if part.part == "sagemaker"))
    at_rest = server.memory_info().rss
    s3.create_bucket(Bucket=BUCKET)
    text = {"Version": "2020-12-01", "Steps": [step(number) for number in range(options.steps)]}
    client.create_pipeline(PipelineName=PIPELINE, PipelineDefinition=json.dumps(text), RoleArn=ROLE)
    arn, whole = run(client)
    per_step = shares(client, s3, arn)
    cached = [run(client)[1] for _ in range(options.repeats)]
    single = {"Version": "2020-12-01", "Steps": [step(0)]}
    client.create_pipeline(PipelineName=LISTED, PipelineDefinition=json.dumps(single), RoleArn=ROLE)
    fill(state, options.executions)
    pages = client.get_paginator("list_pipeline_executions")
    last = {
        "PipelineExecutionArn": f"{client.describe_pipeline(PipelineName=LISTED)['PipelineArn']}/execution/{0:012d}"
    }
    return {
        "steps": options.steps,
        "uncached_execution_seconds": whole,
        "engine_seconds_per_step": statistics.median(per_step),
        "engine_seconds_longest_step": max(per_step),
        "cached_execution_seconds": statistics.median(cached),
        "memory_at_rest_mb": at_rest / 1e6,
        "executions": options.executions,
        "first_page_seconds": timed(lambda: client.list_pipeline_executions(PipelineName=LISTED), options.repeats),
        "all_pages_seconds": timed(lambda: list(pages.paginate(PipelineName=LISTED)), options.repeats),
        "steps_page_seconds": timed(lambda: client.list_pipeline_execution_steps(**last), options.repeats),
        "memory_afterwards_mb": server.memory_info().rss / 1e6,
    }


def main() -> int:
    """Print the numbers as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--executions", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        running = up.start(state, port=0, sagemaker_port=0)
        try:
            found = measure(state, running, options)
        finally:
            up.stop(state)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}, indent=2))
    return int(any(found[name] > goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main())

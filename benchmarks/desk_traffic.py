"""A project for the dashboard to look at: captured traffic, runs of the monitor, versions, executions, a threshold."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
from PIL import Image

from monitoring.analysis.checks import Drift
from monitoring.analysis.features import MEASURED
from monitoring.analysis.outcome import Outcome

PROJECT = "desk-benchmark"
ACCOUNT, REGION = "000000000000", "us-east-1"
BUCKET = f"{PROJECT}-{ACCOUNT}-{REGION}"
PER_FILE = 1000
SIDE = 28
"""Pixels of a picture's side."""
EVERY = timedelta(seconds=8)
RUNS, VERSIONS, EXECUTIONS = 72, 6, 1000
IMAGE = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.6-cpu-py312"


def fill(aws: str, sagemaker: str, records: int) -> None:
    """Put all of it into the cloud whose addresses these are."""
    session = boto3.Session("test", "test", region_name=REGION)
    s3, ssm = (session.client(name, endpoint_url=aws) for name in ("s3", "ssm"))
    s3.create_bucket(Bucket=BUCKET)
    ssm.put_parameter(Name=f"/{PROJECT}/inference/threshold", Value="0.93", Type="String")
    ssm.put_parameter(Name=f"/{PROJECT}/inference/unfamiliarity", Value="0.95", Type="String")
    ssm.put_parameter(Name=f"/{PROJECT}/inference/live-model", Value="{}", Type="String")
    _captures(s3, records)
    _runs(s3)
    client = session.client("sagemaker", endpoint_url=sagemaker)
    _versions(client)
    _executions(client)


def _captures(s3: Any, records: int) -> None:
    random = np.random.default_rng(0)
    sent = base64.b64encode(_picture(random)).decode()
    start = datetime.now(UTC).replace(microsecond=0) - records * EVERY
    for first in range(0, records, PER_FILE):
        confidences, strange = 0.5 + 0.5 * random.beta(9, 0.8, PER_FILE), random.uniform(size=PER_FILE).round(4)
        said = enumerate(zip(confidences.tolist(), strange.tolist(), strict=True), first)
        lines = [_line(number, *answer, start + number * EVERY, sent) for number, answer in said]
        time_of_file = start + first * EVERY
        key = f"captures/{PROJECT}/AllTraffic/{time_of_file:%Y/%m/%d/%H/%M-%S}-000-{first:08d}.jsonl"
        s3.put_object(Bucket=BUCKET, Key=key, Body="".join(lines).encode())


def _picture(random: np.random.Generator) -> bytes:
    """Noise, which no compression makes smaller than a picture is."""
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def _line(number: int, confidence: float, unfamiliarity: float, moment: datetime, sent: str) -> str:
    """One captured record."""
    answer = [confidence, 1 - confidence] if number % 5 < 3 else [1 - confidence, confidence]
    said = {"prediction": answer, "unfamiliarity": unfamiliarity}
    sides = {
        "endpointInput": {"observedContentType": "image/png", "mode": "INPUT", "data": sent, "encoding": "BASE64"},
        "endpointOutput": {
            "observedContentType": "application/jsonlines",
            "mode": "OUTPUT",
            "data": json.dumps(said),
            "encoding": "JSON",
        },
    }
    event = {"eventId": f"{number:08d}-0000-4000-8000-000000000000", "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}) + "\n"


def _runs(s3: Any) -> None:
    """An hourly run of the monitor for three days, as its summary tells it."""
    random = np.random.default_rng(1)
    for hour in range(RUNS):
        when = datetime.now(UTC) - timedelta(hours=RUNS - hour)
        drifts = [
            Drift(
                feature=name, method="Robust", distance=0.1 * s, simple=0.1 * s, p_value=None, threshold=0.1, severity=s
            )
            for name, s in zip(MEASURED, random.gamma(2.0, 0.3, len(MEASURED)).tolist(), strict=True)
        ]
        summary = {
            "analysed_at": when.isoformat(),
            "outcome": Outcome.VIOLATIONS,
            "message": "CompletedWithViolations: a benchmark.",
            "records": 450,
            "drift": [asdict(drift) for drift in drifts],
            "violations": sum(drift.severity > 1 for drift in drifts),
        }
        key = f"monitor/{PROJECT}/hourly/{when:%Y/%m/%d/%H}/summary.json"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(summary).encode())


def _versions(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=PROJECT)
    for number in range(VERSIONS):
        sagemaker.create_model_package(
            ModelPackageGroupName=PROJECT,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/{number}/model.tar.gz"}],
                "SupportedContentTypes": ["image/png"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )


def _executions(sagemaker: Any) -> None:
    """A pipeline of 31 steps that starts no job, and so many executions of it, each with a parameter of its own."""
    size = {"Name": "Size", "Type": "Integer", "DefaultValue": 0}
    end = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "the benchmark ends here"}}
    is_any = {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": "Parameters.Size"}, "RightValue": 0}
    steps = [
        {
            "Name": f"Step-{number}",
            "Type": "Condition",
            "Arguments": {"Conditions": [is_any], "IfSteps": [end] if number == 1 else [], "ElseSteps": []},
            "DependsOn": [f"Step-{number // 2}"] if number > 1 else [],
        }
        for number in range(1, 31)
    ]
    definition = {"Version": "2020-12-01", "Parameters": [size], "Steps": steps}
    role = f"arn:aws:iam::{ACCOUNT}:role/any"
    sagemaker.create_pipeline(PipelineName=PROJECT, PipelineDefinition=json.dumps(definition), RoleArn=role)
    for number in range(EXECUTIONS):
        given = [{"Name": "Size", "Value": str(number)}]
        sagemaker.start_pipeline_execution(PipelineName=PROJECT, PipelineParameters=given)

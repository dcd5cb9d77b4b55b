"""The test itself: the staging endpoint's answers against ScoreTestSet's, its latency, a damaged picture, captures."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import ClientError

from lambdas import configuration
from lambdas.classify_image.endpoint import classify
from lambdas.deploy.endpoint import described_endpoint
from lambdas.objects import split
from lambdas.outcomes import BadInputError, FailedError, OutcomeError
from lambdas.service_errors import calling
from lambdas.staging.names import endpoint_name

MOST_PICTURES = 200
"""So many are asked for, spread over the test set: one takes some 50 ms on a small instance, a step ten minutes."""
TOLERANCE = 1e-4
"""Between two answers about one picture by the same model in the same container, on instances of the same kind."""
CONTENT_TYPE = "application/x-image"
BROKEN = b"this is no picture"
READERS = 8
LONGEST = 300
"""Of what an endpoint said: a traceback may be long."""
NO_CAPACITY = "InsufficientInstanceCapacity"
"""In the reason of an endpoint that got no instance (developer guide, troubleshooting "insufficient capacity")."""


class NotInServiceError(Exception):
    """The model's containers did not come up on the staging endpoint, and why."""


@dataclass(frozen=True)
class Trial:
    """What is to be tested: the event of the step TestStaging."""

    execution: str
    staging: str
    package: str
    pictures: str
    predictions: str
    captures: str
    result: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """The event's members."""
        return cls(**{name: str(event[name]) for name in cls.__dataclass_fields__})

    @property
    def endpoint(self) -> str:
        return endpoint_name(self.execution)

    @property
    def records(self) -> str:
        """What the inference ids begin with, at most 64 characters in all."""
        return f"staging/{self.execution}/"


@dataclass(frozen=True)
class Findings:
    """What the test found. Differences of probabilities; latencies in milliseconds, as the function sees them."""

    problems: list[str] = field(default_factory=list)
    asked: int = 0
    of: int = 0
    largest_difference: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    captured: int | None = None


def require_service(trial: Trial, sagemaker: Any, pipeline: str) -> None:
    """Nothing, if the endpoint is in service.

    Raises:
        NotInServiceError: it failed; that is the model's fault until a person finds out otherwise.
        FailedError: what no model can help. StagingNotMade: no instance, a limit of the account or a missing
            permission; StagingGone: it is removed, as after an execution that was stopped.
    """
    found = described_endpoint(sagemaker, trial.endpoint)
    status = found["EndpointStatus"] if found else "gone"
    if status == "InService":
        return
    if found and status == "Failed":
        reason = str(found.get("FailureReason", "no reason given"))
        if NO_CAPACITY in reason:
            raise FailedError("StagingNotMade", f"Endpoint {trial.endpoint} got no instance: {reason}")
        raise NotInServiceError(f"the endpoint is Failed: {reason}")
    arn = f"{pipeline}/execution/{trial.execution}"
    with calling(f"looking at the steps of {arn}"):
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=100)
    for step in steps["PipelineExecutionSteps"]:
        if step["StepName"] == "StagingEndpoint" and step["StepStatus"] == "Failed":
            reason = step.get("FailureReason", "no reason given")
            raise FailedError("StagingNotMade", f"Endpoint {trial.endpoint} was not made: {reason}")
    raise FailedError("StagingGone", f"Endpoint {trial.endpoint} is {status} before the test's end; start again.")


def carry_out(trial: Trial, runtime: Any, s3: Any) -> Findings:
    """Ask the endpoint about test pictures one after the other, about a broken one, and look for captured records.

    Raises:
        OutcomeError: pictures or scores cannot be read, or the endpoint cannot be asked.
    """
    everything = _scored(s3, trial)
    chosen = [everything[index * len(everything) // MOST_PICTURES] for index in range(MOST_PICTURES)]
    names = everything if len(everything) <= MOST_PICTURES else chosen
    if not names:
        raise FailedError("NoPictures", f"There is no score in {trial.predictions}.")
    with ThreadPoolExecutor(READERS) as readers:
        pairs = list(readers.map(lambda name: _pair(s3, trial, name), names))
    problems: list[str] = []
    differences, latencies = list[float](), list[float]()
    try:
        for number, (picture, expected) in enumerate(pairs):
            record = f"{trial.records}{number}"
            began = time.perf_counter()
            answer = classify(runtime, trial.endpoint, picture, CONTENT_TYPE, record, len(expected))
            latencies.append(1000 * (time.perf_counter() - began))
            differences.append(max(abs(one - other) for one, other in zip(answer.inferences, expected, strict=True)))
        worst = max(range(len(names)), key=lambda index: differences[index])
        if not differences[worst] <= TOLERANCE:
            many = sum(not one <= TOLERANCE for one in differences)
            problems.append(
                f"{many} of {len(names)} answers differ from ScoreTestSet's by more than {TOLERANCE:g}, "
                f"most for {names[worst]}: {differences[worst]:.4g}"
            )
        problems += _broken_problems(trial, runtime, len(pairs[0][1]))
    except OutcomeError as error:
        if not _is_of_model(error):
            raise
        problems.append(f"picture {len(latencies) + 1} of {len(names)} was not answered: {error.problem[:LONGEST]}")
    captured = None
    if trial.staging == "instance" and latencies:
        captured = _wait_for_records(s3, trial)
        if not captured:
            problems.append("no captured record has arrived")
    return Findings(
        problems,
        asked=len(latencies),
        of=len(everything),
        largest_difference=max(differences, default=None),
        p50_ms=_quantile(latencies, 0.5),
        p95_ms=_quantile(latencies, 0.95),
        captured=captured,
    )


def _is_of_model(error: OutcomeError) -> bool:
    """Whether the model's containers said it, or nothing in time; not SageMaker, about the endpoint or who asks it."""
    cause = error.__cause__
    said = isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ModelError"
    return said or error.error in {"MalformedAnswer", "TimedOut"}


def _broken_problems(trial: Trial, runtime: Any, classes: int) -> list[str]:
    try:
        classify(runtime, trial.endpoint, BROKEN, CONTENT_TYPE, f"{trial.records}broken", classes)
    except BadInputError as error:
        return [] if error.error == "ModelRefusedImage" else [f"a damaged picture: {error.problem}"]
    except OutcomeError as error:
        if not _is_of_model(error):
            raise
        return [f"a damaged picture is not refused with a status of 400 to 499: {error.problem[:LONGEST]}"]
    return ["a damaged picture is answered like any other"]


def _scored(s3: Any, trial: Trial) -> list[str]:
    """Names of the test pictures that have a score, below their folder, in order."""
    bucket, prefix = _folder(trial.predictions)
    with calling(f"listing {trial.predictions}"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return sorted(key.removeprefix(prefix).removesuffix(".out") for key in keys if key.endswith(".out"))


def _pair(s3: Any, trial: Trial, name: str) -> tuple[bytes, list[float]]:
    """A picture, and what ScoreTestSet got for it."""
    said = json.loads(_read(s3, trial.predictions, f"{name}.out"))
    scores = said["prediction"] if isinstance(said, dict) else said
    return _read(s3, trial.pictures, name), [float(one) for one in scores]


def _read(s3: Any, folder: str, name: str) -> bytes:
    bucket, prefix = _folder(folder)
    with calling(f"reading s3://{bucket}/{prefix}{name}"):
        content: bytes = s3.get_object(Bucket=bucket, Key=prefix + name)["Body"].read()
    return content


def _folder(uri: str) -> tuple[str, str]:
    bucket, key = split(uri)
    return bucket, f"{key.rstrip('/')}/"


def _wait_for_records(s3: Any, trial: Trial) -> int:
    """How many captured records of this test there are, as soon as there is one; 0 if none comes."""
    until = time.monotonic() + configuration.whole("CAPTURE_WAIT_SECONDS", 300)
    bucket, prefix = _folder(trial.captures)
    pause = 0.25
    while True:
        with calling(f"looking for captured records in {trial.captures}"):
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        found = sum(_count(s3, bucket, one["Key"], trial.records) for one in listed if one["Key"].endswith(".jsonl"))
        if found or time.monotonic() > until:
            return found
        time.sleep(pause)
        pause = min(1.5 * pause, 10.0)


def _count(s3: Any, bucket: str, key: str, own: str) -> int:
    with calling(f"reading s3://{bucket}/{key}"):
        lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    return sum(str(one.get("eventMetadata", {}).get("inferenceId", "")).startswith(own) for one in records)


def _quantile(values: list[float], share: float) -> float | None:
    """By nearest rank: a value that was measured."""
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)] if values else None

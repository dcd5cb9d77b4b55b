"""Training curves from a job's log in CloudWatch Logs: the built-in algorithm and our own write the same lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from project import aws
from project.errors import DataError

GROUP = "/aws/sagemaker/TrainingJobs"
LINE = re.compile(r"Epoch\[(?P<epoch>\d+)\] (?P<subset>Train|Validation)-accuracy=(?P<value>[0-9.]+)")
"""The metric of AWS's image-classification algorithm, as its documentation and its logs write it."""
MOST_PAGES = 200


@dataclass(frozen=True)
class Epoch:
    """Accuracies after an epoch, counted from 0 as the log does; None where the log has none."""

    number: int
    train: float | None
    validation: float | None


def epochs(job: str) -> list[Epoch]:
    """The accuracies of every epoch that the log of training job `job` tells about, in order.

    Raises:
        DataError: there is no log, or no such line in it.
    """
    found = parse(lines(job))
    if not found:
        raise DataError(f"the log of training job {job} has no line such as `Epoch[0] Train-accuracy=0.5`.")
    return found


def parse(log: Iterable[str]) -> list[Epoch]:
    """Epochs in order; of an epoch that is told twice (a job that was started again), the later one."""
    values: dict[int, dict[str, float]] = {}
    for line in log:
        for match in LINE.finditer(line):
            values.setdefault(int(match["epoch"]), {})[match["subset"]] = float(match["value"])
    return [Epoch(number, v.get("Train"), v.get("Validation")) for number, v in sorted(values.items())]


def lines(job: str) -> Iterator[str]:
    """Every line of the job's first log stream.

    Raises:
        DataError: there is no log.
    """
    logs = aws.client("logs")
    with aws.explained(f"reading the log of training job {job}"):
        try:
            streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{job}/", limit=1)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise DataError(f"there is no log group {GROUP}.") from None
            raise
        if not streams["logStreams"]:
            raise DataError(f"{GROUP} has no log of training job {job}.")
        where = {"logGroupName": GROUP, "logStreamName": streams["logStreams"][0]["logStreamName"]}
        token = None
        for _ in range(MOST_PAGES):
            page = logs.get_log_events(**where, startFromHead=True, **({"nextToken": token} if token else {}))
            yield from (str(event["message"]) for event in page["events"])
            if page["nextForwardToken"] == token:  # the service repeats the token at the end
                return
            token = page["nextForwardToken"]

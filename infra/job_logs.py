"""How long logs of jobs and of the endpoint are kept: SageMaker makes their groups itself, to be kept for ever.

All projects of an account and region share the groups of jobs. So a deploy makes those that are missing, with an end;
what somebody else may have made is never shortened, only named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from project import aws
from project.names import Names

KEPT_DAYS = 30
SHARED = ("ProcessingJobs", "TrainingJobs", "TransformJobs")
"""Below /aws/sagemaker (SageMaker guide, "Log groups and streams that Amazon SageMaker AI sends to CloudWatch")."""


def limit(names: Names, say: Callable[[str], None]) -> None:
    """Give the groups an end, and name those that keep everything and may be another project's.

    Raises:
        CloudError: CloudWatch refuses.
    """
    own = f"/aws/sagemaker/Endpoints/{names.endpoint}"
    there = {one["logGroupName"]: one for one in _groups()}
    for name in (own, *(f"/aws/sagemaker/{kind}" for kind in SHARED)):
        with aws.explained(f"limiting how long log group {name} is kept"):
            if name not in there:
                _create(name)
            elif there[name].get("retentionInDays"):
                continue
            elif name != own:
                say(f"Log group {name} was there already and keeps everything for ever. All projects of the account")
                say(f"share it, so it is left alone; to change that: CloudWatch, Log groups, {name}, Edit retention.")
                continue
            aws.client("logs").put_retention_policy(logGroupName=name, retentionInDays=KEPT_DAYS)


def _create(name: str) -> None:
    logs = aws.client("logs")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):  # a job began meanwhile
        logs.create_log_group(logGroupName=name)


def _groups() -> Iterator[dict[str, Any]]:
    with aws.explained("listing log groups below /aws/sagemaker"):
        for page in (
            aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/sagemaker/")
        ):
            yield from page["logGroups"]

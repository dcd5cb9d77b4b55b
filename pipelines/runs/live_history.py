"""Which version answered when, from the history of the parameter that the deploy workflow writes last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from project import aws


@dataclass(frozen=True)
class Deployment:
    """From `when` on, in seconds since 1970, `version` answered; None when it was taken out and none came."""

    version: int | None
    when: float


def deployments(parameter: str) -> list[Deployment]:
    """Every change of the live version that SSM remembers (its last hundred writes), oldest first.

    Deploying a version again is no change, unless it is said to be live from an earlier time on. Without the project's
    resources there are none.

    Raises:
        CloudError: SSM refused or did not answer.
    """
    with aws.explained(f"reading the history of parameter {parameter}"):
        pages = aws.client("ssm").get_paginator("get_parameter_history")
        try:
            found = [one for page in pages.paginate(Name=parameter) for one in page["Parameters"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return []
            raise
    changes: list[Deployment] = []
    for one in sorted(found, key=lambda one: int(one["Version"])):
        written = _deployment(str(one["Value"]), one["LastModifiedDate"])
        if written.version != (changes[-1].version if changes else None):
            changes.append(written)
        elif changes and written.when < changes[-1].when:
            changes[-1] = written
    return changes


def version_at(deployed: Sequence[Deployment], when: float) -> int | None:
    """The version that was live at `when`, seconds since 1970; None where none is known. `deployed`: oldest first."""
    return next((one.version for one in reversed(deployed) if one.when <= when), None)


def _deployment(value: str, written: datetime) -> Deployment:
    """Deployments before `since` was noted, and values written by hand, began when they were written."""
    try:
        held: Any = json.loads(value)
        number = int(held["model_package_arn"].rpartition("/")[2])
        return Deployment(number, float(held.get("since", written.timestamp())))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Deployment(None, written.timestamp())

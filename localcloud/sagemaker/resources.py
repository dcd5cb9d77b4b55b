"""Kinds of resource: find one in the store or refuse in the service's words, and show it as Describe does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError, validation
from localcloud.sagemaker.store import Body, Resource


@dataclass(frozen=True)
class ResourceType:
    """What is said of the resources of one kind.

    Attributes:
        name: of the kind in the store, such as "TrainingJob".
        arn: the ARN's part before the resource's name, such as "training-job".
        missing: what the service says when there is none of a name; `{name}` and `{arn}` are replaced.
        refusal: makes that an error.
    """

    name: str
    arn: str
    missing: str
    refusal: Callable[[str], ServiceError] = validation


def existing(cloud: Cloud, wanted: ResourceType, name_or_arn: str) -> Resource:
    """The resource of that name or ARN.

    Raises:
        ServiceError: there is none.
    """
    name = name_or_arn.rpartition(f":{wanted.arn}/")[2]
    arn = name_or_arn if name_or_arn.startswith("arn:") else cloud.arn(f"{wanted.arn}/{name}")
    found = cloud.store.find(wanted.name, name)
    if found is None or (name_or_arn.startswith("arn:") and found.arn != arn):
        raise wanted.refusal(wanted.missing.format(name=name, arn=arn))
    return found


def times(resource: Resource) -> dict[str, float]:
    """CreationTime and LastModifiedTime of a resource."""
    return {"CreationTime": resource.created, "LastModifiedTime": resource.modified}


def described(resource: Resource) -> Body:
    """The record with its times, as Describe and List answer it."""
    return {**resource.body, **times(resource)}

"""The instances of a job: how many a request asks for, what they are called, and what each is told of the others.

Sources: the developer guide, "How Amazon SageMaker Provides Training Information" (resourceconfig.json, `hosts` sorted
lexicographically, the group `homogeneousCluster`) and "Heterogeneous cluster" (`instance_groups`); the service model's
text of S3DataDistributionType ("each instance gets approximately 1/n of the number of S3 objects"). How AWS deals the
objects out is not documented; here it is in turn, in order of their keys.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from localcloud.isolation.offer import Isolation
from localcloud.sagemaker.errors import validation

FIRST = "algo-1"
HOMOGENEOUS = "homogeneousCluster"
INTERFACE = "lo"
PER_CORE, LEAST, MOST_ON_AWS = 2, 4, 100
Item = TypeVar("Item")


@dataclass(frozen=True)
class Group:
    """Instances of one type, with a name; most jobs have one group."""

    name: str
    type: str
    hosts: tuple[str, ...]


def groups(request: dict[str, Any]) -> list[Group]:
    """The instances that a Create request asks for, numbered over all groups."""
    if "ProcessingResources" in request:
        cluster = request["ProcessingResources"]["ClusterConfig"]
    else:
        cluster = request.get("TransformResources") or request["ResourceConfig"]
    given = cluster.get("InstanceGroups") or [{**cluster, "InstanceGroupName": HOMOGENEOUS}]
    found: list[Group] = []
    for item in given:
        start = sum(len(group.hosts) for group in found) + 1
        names = tuple(f"algo-{number}" for number in range(start, start + item.get("InstanceCount", 1)))
        found.append(Group(item["InstanceGroupName"], item.get("InstanceType", ""), names))
    return found


def hosts(request: dict[str, Any]) -> list[str]:
    """The names of a job's instances, algo-1 first."""
    return [host for group in groups(request) for host in group.hosts]


def most() -> int:
    """How many instances a job may have on this machine: each is a process."""
    return min(MOST_ON_AWS, max(LEAST, PER_CORE * (os.cpu_count() or 1)))


def require_instances(request: dict[str, Any], isolation: Isolation) -> None:
    """Refuse more instances than this machine bears, or than it can let find each other.

    Raises:
        ServiceError: ValidationException.
    """
    cluster = request.get("ResourceConfig", {})
    if cluster.get("InstanceGroups") and (cluster.get("InstanceType") or cluster.get("InstanceCount")):
        raise validation("ResourceConfig: give either InstanceGroups, or InstanceType and InstanceCount.")
    found = groups(request)
    names = [group.name for group in found]
    if len(set(names)) != len(names):
        raise validation(f"ResourceConfig.InstanceGroups names a group twice: {', '.join(sorted(names))}.")
    if not all(group.hosts for group in found):
        raise validation("InstanceCount must be at least 1.")
    count = sum(len(group.hosts) for group in found)
    if count > most():
        raise validation(
            f"InstanceCount is {count}, and this machine runs at most {most()} instances of a job: each is a process "
            f"({PER_CORE} for each core, at least {LEAST})."
        )
    if count > 1 and "TransformResources" not in request and not isolation.private:
        raise validation(
            f"InstanceCount is {count}, and this machine gives jobs no view of their own ({isolation.reason}): "
            "algo-1, algo-2 … would be names of nothing. Set InstanceCount to 1."
        )


def shard(items: Sequence[Item], host: str, among: Sequence[str], distribution: str) -> list[Item]:
    """Which of an input's objects an instance gets, of those that get any."""
    if host not in among:
        return []
    return list(items) if distribution != "ShardedByS3Key" else list(items[among.index(host) :: len(among)])


def among(request: dict[str, Any], group_names: Sequence[str]) -> list[str]:
    """The instances of these groups; all if none are named."""
    return [host for group in groups(request) if not group_names or group.name in group_names for host in group.hosts]


def resource_config(request: dict[str, Any], host: str) -> dict[str, Any]:
    """What a training container finds in /opt/ml/input/config/resourceconfig.json."""
    found = groups(request)
    own = next(group for group in found if host in group.hosts)
    return {
        "current_host": host,
        "current_instance_type": own.type,
        "current_group_name": own.name,
        "hosts": sorted(hosts(request)),
        "instance_groups": [
            {"instance_group_name": group.name, "instance_type": group.type, "hosts": sorted(group.hosts)}
            for group in found
        ],
        "network_interface_name": INTERFACE,
    }

"""What a request asks for in instances, and what each of them gets and is told."""

from __future__ import annotations

import os
from typing import Any

import pytest

from localcloud.sagemaker.jobs import instances

CPU = {"InstanceGroupName": "loaders", "InstanceType": "ml.c5.xlarge", "InstanceCount": 2}
GPU = {"InstanceGroupName": "trainers", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1}


def training(**resources: Any) -> dict[str, Any]:
    return {"ResourceConfig": resources}


def test_instances_of_one_type_are_a_group_as_aws_names_it() -> None:
    request = training(InstanceCount=2, InstanceType="ml.m5.large")
    assert instances.resource_config(request, "algo-2") == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": "lo",
    }


def test_groups_are_numbered_through_and_know_their_own_type() -> None:
    told = instances.resource_config(training(InstanceGroups=[CPU, GPU]), "algo-3")
    assert told["hosts"] == ["algo-1", "algo-2", "algo-3"]
    assert (told["current_group_name"], told["current_instance_type"]) == ("trainers", "ml.g5.xlarge")
    assert [group["hosts"] for group in told["instance_groups"]] == [["algo-1", "algo-2"], ["algo-3"]]
    assert instances.among(training(InstanceGroups=[CPU, GPU]), ["loaders"]) == ["algo-1", "algo-2"]


def test_hosts_are_sorted_as_words() -> None:
    told = instances.resource_config(training(InstanceCount=10, InstanceType="ml.m5.large"), "algo-10")
    assert told["hosts"][:3] == ["algo-1", "algo-10", "algo-2"]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_every_object_of_a_shard_goes_to_one_instance(count: int) -> None:
    names = [f"algo-{number}" for number in range(1, count + 1)]
    parts = [instances.shard(range(7), name, names, "ShardedByS3Key") for name in names]
    assert sorted(item for part in parts for item in part) == list(range(7))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert instances.shard(range(7), "algo-1", names, "FullyReplicated") == list(range(7))
    assert instances.shard(range(7), "algo-99", names, "FullyReplicated") == []


@pytest.mark.parametrize(("cores", "most"), [(1, 4), (2, 4), (16, 32), (200, 100)])
def test_how_many_there_may_be_follows_from_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, most: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert instances.most() == most

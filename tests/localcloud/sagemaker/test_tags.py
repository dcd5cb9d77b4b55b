"""Tags that AWS refuses: its own, and more than fifty of one resource, however they came."""

from __future__ import annotations

from typing import Any

import pytest
from engine_support import World

from localcloud.sagemaker.errors import ServiceError


def tags(first: int, count: int) -> list[dict[str, str]]:
    return [{"Key": f"k{number}", "Value": "v"} for number in range(first, first + count)]


def group(world: World, **more: Any) -> str:
    made: dict[str, str] = world.cloud.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g", **more})
    return made["ModelPackageGroupArn"]


def test_fifty_tags_are_the_most_of_a_resource(world: World) -> None:
    arn = group(world, Tags=tags(0, 49))
    world.cloud.call("AddTags", {"ResourceArn": arn, "Tags": tags(48, 2)})
    with pytest.raises(ServiceError, match="51 tags") as caught:
        world.cloud.call("AddTags", {"ResourceArn": arn, "Tags": tags(50, 1)})
    assert caught.value.code == "ResourceLimitExceeded"
    assert len(world.cloud.call("ListTags", {"ResourceArn": arn})["Tags"]) == 50


@pytest.mark.parametrize("key", ["aws:x", "AWS:x"])
def test_tags_of_aws_are_its_own(world: World, key: str) -> None:
    with pytest.raises(ServiceError, match="reserved"):
        group(world, Tags=[{"Key": key, "Value": "v"}])


@pytest.mark.parametrize("part", [("000000000000", "123456789012"), ("us-east-1", "eu-west-1")])
def test_a_resource_of_another_account_or_region_is_not_here(world: World, part: tuple[str, str]) -> None:
    arn = group(world).replace(*part)
    with pytest.raises(ServiceError, match="does not exist"):
        world.cloud.call("DescribeModelPackageGroup", {"ModelPackageGroupName": arn})
    with pytest.raises(ServiceError, match="does not exist"):
        world.cloud.call("ListTags", {"ResourceArn": arn})

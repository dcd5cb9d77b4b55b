"""Tags of state machines and activities."""

from __future__ import annotations

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.protocol import Body, ServiceError

MOST = 50
TAGGED = ("StateMachine", "Activity")


def set_tags(cloud: StatesCloud, arn: str, tags: list[Body] | None) -> None:
    """Add or replace tags.

    Raises:
        ServiceError: TooManyTags.
    """
    added = {tag["key"]: tag["value"] for tag in tags or [] if "key" in tag and "value" in tag}
    with cloud.store.transaction():
        if len({*cloud.store.tags(arn), *added}) > MOST:
            raise ServiceError("TooManyTags", f"'{arn}' would have more than {MOST} tags.")
        cloud.store.set_tags(arn, added)


def _existing(cloud: StatesCloud, arn: str) -> str:
    found = cloud.store.find_arn(arn)
    if found is None or found.kind not in TAGGED:
        raise ServiceError("ResourceNotFound", f"Resource not found: '{arn}'")
    return arn


@operation("TagResource")
def tag_resource(cloud: StatesCloud, request: Body) -> None:
    """Add or replace tags."""
    set_tags(cloud, _existing(cloud, request["resourceArn"]), request["tags"])


@operation("UntagResource")
def untag_resource(cloud: StatesCloud, request: Body) -> None:
    """Remove tags by key."""
    cloud.store.delete_tags(_existing(cloud, request["resourceArn"]), request["tagKeys"])


@operation("ListTagsForResource")
def list_tags(cloud: StatesCloud, request: Body) -> Body:
    """All tags; at most 50 can be set, so there is one page."""
    tags = cloud.store.tags(_existing(cloud, request["resourceArn"]))
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

"""A template may have composite alarms."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from localcloud.corrections import seam

BEHAVIOUR = "CloudFormation creates, updates and deletes AWS::CloudWatch::CompositeAlarm; Ref is its name, Arn its ARN."
EVIDENCE = "CloudFormation template reference, AWS::CloudWatch::CompositeAlarm; API reference of PutCompositeAlarm."
MINISTACK = "1.5.33"

TYPE = "AWS::CloudWatch::CompositeAlarm"


def _put(name: str, props: dict[str, Any]) -> tuple[str, dict[str, str]]:
    request = {**props, "AlarmName": name, "ActionsEnabled": str(props.get("ActionsEnabled", True)).lower() != "false"}
    status, _, body = cloudwatch._put_composite_alarm({}, request, False, True)
    if status != 200:
        raise ValueError(json.loads(body)["message"])
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
    return _put(props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255), props)


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
    """In place, but a new AlarmName is a new alarm: it is there before the old one goes."""
    name = new.get("AlarmName") or physical_id
    made = _put(name, new)
    if name != physical_id:
        _delete(physical_id, old)
    return made


def _delete(physical_id: str, props: dict[str, Any]) -> None:
    cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True)


def apply() -> None:
    """Raises SeamError when MiniStack takes alarms in another way, or makes these itself."""
    request = ("params", "cbor_data", "is_cbor", "is_json")
    for name in ("_put_composite_alarm", "_delete_alarms"):
        seam.original(__name__, cloudwatch, name, *request)
    seam.original(
        __name__, provisioners, "_physical_name", "stack_name", "logical_id", "lowercase", "max_len", "seeded"
    )
    if TYPE in provisioners._RESOURCE_HANDLERS:
        raise seam.SeamError(f"Correction composite_alarms does not fit this MiniStack: it makes {TYPE} itself.")
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}

"""Why CloudFormation failed: the one event that matters out of the many it records."""

from __future__ import annotations

from typing import Any

from project import aws

_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}
_SEE_EVENTS = "DescribeEvents"
"""In reasons that only point at what CloudFormation found while validating a template, before it touched anything."""


def reason(stack: str) -> str:
    """The first failure since the latest operation on the stack began, as `<resource> (<type>): <reason>.`"""
    with aws.explained(f"reading the events of stack {stack}"):
        events = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = []
    for event in events:  # newest first
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
            failed.append(event)
        if event["ResourceStatus"] in _BEGINNINGS and event["LogicalResourceId"] == stack:
            break
    if not failed:
        return "CloudFormation gave no reason."
    found = failed[-1].get("ResourceStatusReason", "no reason given")
    return explained(found, StackName=stack) if _SEE_EVENTS in found else _line(failed[-1], found)


def explained(found: str, **where: str) -> str:
    """`found`, or the first problem that validation recorded when `found` only refers to it.

    Args:
        where: `StackName` or `ChangeSetName`, as DescribeEvents takes them.
    """
    if _SEE_EVENTS not in found:
        return found
    with aws.explained("reading what CloudFormation found wrong"):
        answer = aws.client("cloudformation").describe_events(Filters={"FailedEvents": True}, **where)
    problems = [event for event in answer["OperationEvents"] if event["EventType"] == "VALIDATION_ERROR"]
    return _line(problems[0], problems[0].get("ValidationStatusReason", found)) if problems else found


def _line(event: dict[str, Any], found: str) -> str:
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {found.rstrip('.')}."

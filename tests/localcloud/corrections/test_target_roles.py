"""Under `--enforce-roles` rules and schedules reach their targets in the name of the role that they were given."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import OPEN_QUEUE, eventually
from role_support import STATES, Account, arn, machine


def test_a_rule_reaches_its_target_only_as_far_as_its_role_allows(root: Account) -> None:
    queue = root("sqs").create_queue(QueueName="roles-started", Attributes=OPEN_QUEUE)["QueueUrl"]
    sends = root.role("roles-sends", STATES, {"Action": "sqs:SendMessage", "Resource": "*"})
    parameters = {"QueueUrl": queue, "MessageBody.$": "$.detail.from"}
    target = machine(root, "roles-target", sends, "arn:aws:states:::sqs:sendMessage", parameters)
    starts = {"Action": "states:StartExecution", "Resource": target}
    may = root.role("roles-rule", "events.amazonaws.com", starts)
    may_not = root.role("roles-rule-without", "events.amazonaws.com")
    wrong = root.role("roles-rule-wrong", "scheduler.amazonaws.com", starts)
    events = root("events")
    for name, role in {"may-not": may_not, "wrong": wrong, "may": may}.items():
        events.put_rule(Name=f"roles-{name}", EventPattern=json.dumps({"source": [f"roles.{name}"]}))
        given = [{"Id": "1", "Arn": target, "RoleArn": role}]
        assert events.put_targets(Rule=f"roles-{name}", Targets=given)["FailedEntryCount"] == 0
        detail = json.dumps({"from": name})
        events.put_events(Entries=[{"Source": f"roles.{name}", "DetailType": "t", "Detail": detail}])
    found: list[str] = []
    eventually(lambda: found.extend(root.messages(queue)) or "may" in found)
    assert found == ["may"]


def test_a_schedule_reaches_its_target_only_as_far_as_its_role_allows(root: Account) -> None:
    queue = root("sqs").create_queue(QueueName="roles-scheduled", Attributes=OPEN_QUEUE)["QueueUrl"]
    target = arn("sqs", "roles-scheduled")
    sends = {"Action": "sqs:SendMessage", "Resource": target}
    may = root.role("roles-schedule", "scheduler.amazonaws.com", sends)
    may_not = root.role("roles-schedule-without", "scheduler.amazonaws.com")
    wrong = root.role("roles-schedule-wrong", "events.amazonaws.com", sends)

    def schedule(name: str, role: str) -> None:
        root("scheduler").create_schedule(
            Name=name,
            ScheduleExpression="at(2026-01-01T00:00:00)",  # over already: MiniStack does it at once
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": role, "Input": name},
        )

    schedule("roles-without", may_not)
    schedule("roles-with", may)  # schedules are done in the order of their making
    found: list[str] = []
    eventually(lambda: found.extend(root.messages(queue)) or found)
    assert found == ["roles-with"]
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        schedule("roles-untrusted", wrong)

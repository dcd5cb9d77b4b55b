"""The way of state changes to the targets of EventBridge's rules, and what happens when a target is away."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from cloud_fixtures import ANY_ROLE, OPEN_QUEUE, eventually
from engine_support import fail
from event_support import create_pipeline, group, package
from job_support import unique

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.events import dispatcher, targets
from localcloud.sagemaker.events.dispatcher import Dispatcher

Put = Callable[..., str]


@pytest.fixture
def delivering(cloud: Cloud) -> Iterator[Cloud]:
    """The local SageMaker with its dispatcher at work."""
    working = Dispatcher(cloud)
    working.start()
    yield cloud
    working.close()


@pytest.fixture
def rule(cloud: Cloud) -> Iterator[Put]:
    """Make a rule with targets; it is removed with the test, because all tests share the bus."""
    events, made = cloud.aws("events"), []

    def put(pattern: dict[str, Any], *wanted: dict[str, Any], **more: Any) -> str:
        name = unique("rule")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}), **more)
        numbered = [{"Id": str(number), **target} for number, target in enumerate(wanted)]
        events.put_targets(Rule=name, Targets=numbered)
        made.append((name, [target["Id"] for target in numbered]))
        return name

    yield put
    for name, ids in made:
        events.remove_targets(Rule=name, Ids=ids)
        events.delete_rule(Name=name)


class Queue:
    """An SQS queue of the test's own, whose messages are read once."""

    def __init__(self, cloud: Cloud) -> None:
        name = unique("queue")
        self.sqs = cloud.aws("sqs")
        self.url = self.sqs.create_queue(QueueName=name, Attributes=OPEN_QUEUE)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.messages: list[dict[str, Any]] = []

    def wait(self, count: int) -> list[Any]:
        """The bodies of the first `count` messages."""

        def enough() -> bool:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            for message in answer.get("Messages", []):
                self.messages.append(message)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return len(self.messages) >= count

        eventually(enough)
        return [json.loads(message["Body"]) for message in self.messages[:count]]


@pytest.fixture
def queue(cloud: Cloud) -> Queue:
    return Queue(cloud)


def approvals(group_name: str, *statuses: str) -> dict[str, Any]:
    detail: dict[str, Any] = {"ModelPackageGroupName": [group_name]}
    if statuses:
        detail["ModelApprovalStatus"] = list(statuses)
    return {"detail-type": ["SageMaker Model Package State Change"], "detail": detail}


def test_an_approval_reaches_queue_topic_workflow_and_pipeline(delivering: Cloud, rule: Put, queue: Queue) -> None:
    cloud, name = delivering, group(delivering)
    behind_topic = Queue(cloud)
    topic = cloud.aws("sns").create_topic(Name=unique("topic"))["TopicArn"]
    cloud.aws("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=behind_topic.arn, Attributes={"RawMessageDelivery": "true"}
    )
    steps = cloud.aws("stepfunctions")
    machine = steps.create_state_machine(
        name=unique("machine"),
        roleArn=ANY_ROLE,
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    )["stateMachineArn"]
    pipeline = create_pipeline(cloud, fail("Stop", {"Get": "Parameters.Why"}), parameters=["Why"])
    transformer = {
        "InputPathsMap": {"arn": "$.detail.ModelPackageArn", "version": "$.detail.ModelPackageVersion"},
        "InputTemplate": '{"model_package_arn": <arn>, "version": <version>, "text": "version <version>"}',
    }
    rule(
        approvals(name, "Approved"),
        {"Arn": queue.arn},
        {"Arn": topic, "InputPath": "$.detail.ModelApprovalStatus"},
        {"Arn": machine, "InputTransformer": transformer},
        {
            "Arn": pipeline,
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Why", "Value": "approved"}]},
        },
    )
    arn = package(cloud, name)
    cloud.call("UpdateModelPackage", {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"})
    (whole,) = queue.wait(1)
    assert whole["source"] == "aws.sagemaker"
    assert whole["resources"] == [arn]
    assert whole["detail"]["ModelApprovalStatus"] == "Approved"
    assert behind_topic.wait(1) == ["Approved"]
    eventually(lambda: steps.list_executions(stateMachineArn=machine)["executions"])
    (run,) = steps.list_executions(stateMachineArn=machine)["executions"]
    assert json.loads(steps.describe_execution(executionArn=run["executionArn"])["input"]) == {
        "model_package_arn": arn,
        "version": 1,
        "text": "version 1",
    }
    listed = {"PipelineName": pipeline}
    eventually(lambda: cloud.call("ListPipelineExecutions", listed)["PipelineExecutionSummaries"])
    (execution,) = cloud.call("ListPipelineExecutions", listed)["PipelineExecutionSummaries"]
    request = {"PipelineExecutionArn": execution["PipelineExecutionArn"]}
    given = cloud.call("ListPipelineParametersForExecution", request)
    assert given["PipelineParameters"] == [{"Name": "Why", "Value": "approved"}]


def test_registration_and_every_update_fire_in_order(delivering: Cloud, rule: Put, queue: Queue) -> None:
    name = group(delivering)
    rule(approvals(name), {"Arn": queue.arn})
    arn = package(delivering, name)
    for number in range(10):
        properties = {"number": str(number)}
        delivering.call("UpdateModelPackage", {"ModelPackageArn": arn, "CustomerMetadataProperties": properties})
    delivering.call("UpdateModelPackage", {"ModelPackageArn": arn, "ModelApprovalStatus": "Rejected"})
    seen = [found["detail"] for found in queue.wait(12)]
    assert [one["ModelApprovalStatus"] for one in seen] == ["PendingManualApproval"] * 11 + ["Rejected"]
    numbers = [one.get("CustomerMetadataProperties", {}).get("number") for one in seen]
    assert numbers == [None, *map(str, range(10)), "9"]


def test_only_rules_that_match_and_are_enabled_get_an_event(delivering: Cloud, rule: Put, queue: Queue) -> None:
    name, other = group(delivering), Queue(delivering)
    rule(approvals("another-group"), {"Arn": other.arn})
    rule(approvals(name, "Rejected"), {"Arn": other.arn})
    rule(approvals(name), {"Arn": other.arn}, State="DISABLED")
    rule({"source": ["aws.s3"]}, {"Arn": other.arn})
    prefix = {
        "detail": {"ModelPackageGroupName": [{"prefix": name[:10]}], "ModelPackageVersion": [{"numeric": [">", 0]}]}
    }
    rule(prefix, {"Arn": queue.arn})
    package(delivering, name)
    package(delivering, name)
    assert [found["detail"]["ModelPackageVersion"] for found in queue.wait(2)] == [1, 2]
    assert "Messages" not in other.sqs.receive_message(QueueUrl=other.url)


def test_what_no_target_takes_goes_to_its_dead_letter_queue(
    delivering: Cloud, rule: Put, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    name, dead = group(delivering), Queue(delivering)
    gone = "arn:aws:lambda:us-east-1:000000000000:function:there-is-none"
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    letters = {"DeadLetterConfig": {"Arn": dead.arn}}
    made = rule(approvals(name), {"Arn": gone, **letters}, {"Arn": stream, **letters}, {"Arn": queue.arn})
    arn = package(delivering, name)
    assert [found["resources"] for found in queue.wait(1)] == [[arn]], "the others hold up nothing"
    assert [found["resources"] for found in dead.wait(2)] == [[arn], [arn]]
    attributes = {
        message["MessageAttributes"]["TARGET_ARN"]["StringValue"]: {
            key: value["StringValue"] for key, value in message["MessageAttributes"].items()
        }
        for message in dead.messages
    }
    assert attributes[gone]["ERROR_CODE"] == "ResourceNotFoundException"
    assert attributes[gone]["RETRY_ATTEMPTS"] == "0"
    assert attributes[gone]["RULE_ARN"].endswith(made)
    assert attributes[stream]["ERROR_CODE"] == "UnsupportedTargetError"
    assert f"not to {stream}" in caplog.text


class Flaky:
    """Lets a number of calls of a target fail as if its service were away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, arn: str, failures: int) -> None:
        self.identities: list[str] = []
        call = targets.call

        def away(cloud: Cloud, target: dict[str, Any], text: str, identity: str) -> None:
            if target["Arn"] == arn:
                self.identities.append(identity)
                if len(self.identities) <= failures:
                    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
            call(cloud, target, text, identity)

        monkeypatch.setattr(targets, "call", away)
        monkeypatch.setattr(dispatcher, "FIRST_PAUSE_SECONDS", 0.01)


def test_a_target_that_is_away_gets_its_events_later_in_order_and_holds_up_no_other(
    delivering: Cloud, rule: Put, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = group(delivering), Queue(delivering)
    flaky = Flaky(monkeypatch, queue.arn, failures=4)
    rule(approvals(name), {"Arn": queue.arn}, {"Arn": other.arn})
    arn = package(delivering, name)
    for status in ("Approved", "Rejected"):
        delivering.call("UpdateModelPackage", {"ModelPackageArn": arn, "ModelApprovalStatus": status})
    expected = ["PendingManualApproval", "Approved", "Rejected"]
    assert [found["detail"]["ModelApprovalStatus"] for found in other.wait(3)] == expected
    assert [found["detail"]["ModelApprovalStatus"] for found in queue.wait(3)] == expected
    assert len(set(flaky.identities[:5])) == 1, "a repetition can be told"
    assert len(set(flaky.identities)) == 3


def test_retries_end_as_the_target_says(
    delivering: Cloud, rule: Put, monkeypatch: pytest.MonkeyPatch, queue: Queue
) -> None:
    name, dead = group(delivering), Queue(delivering)
    flaky = Flaky(monkeypatch, queue.arn, failures=1000)
    limits = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
    rule(approvals(name), {"Arn": queue.arn, "RetryPolicy": limits, "DeadLetterConfig": {"Arn": dead.arn}})
    package(delivering, name)
    dead.wait(1)
    attributes = dead.messages[0]["MessageAttributes"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"]["StringValue"] == "2"
    assert len(flaky.identities) == 3


def test_events_wait_while_eventbridge_is_away_and_nobody_waits_for_them(
    delivering: Cloud, rule: Put, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = group(delivering)
    rule(approvals(name), {"Arn": queue.arn})
    monkeypatch.setattr(dispatcher, "FIRST_PAUSE_SECONDS", 0.01)
    away, rules = [True], dispatcher.rules

    def asked(client: Any) -> Any:
        if away:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        return rules(client)

    monkeypatch.setattr(dispatcher, "rules", asked)
    package(delivering, name)
    package(delivering, name)
    away.clear()
    assert [found["detail"]["ModelPackageVersion"] for found in queue.wait(2)] == [1, 2]


def test_too_many_events_are_dropped_and_that_is_said(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatcher, "MOST", 2)
    working = Dispatcher(cloud)
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            working._hear(News("ModelPackage", f"g/{number}", "Approved", "", {}))
        working.close()
    assert "too many events wait; lost: ModelPackage g/2" in caplog.text
    assert "2 events were not delivered before the end" in caplog.text

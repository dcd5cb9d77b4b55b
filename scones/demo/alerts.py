"""Receiving the project's alerts in a queue that is subscribed to their topic for a while."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from project import aws

PATIENCE = 60.0
"""Seconds until an alert must have arrived; it takes a fraction of one on a machine with nothing else to do."""


@dataclass(frozen=True)
class AlertListener:
    """An open subscription: the queue's URL and the subscription's ARN."""

    queue: str
    subscription: str


def start_listening(name: str) -> AlertListener:
    """Subscribe a new queue called `name` to the alerts topic."""
    sqs, topic = aws.client("sqs"), aws.names().alerts_topic
    with aws.explained(f"subscribing queue {name} to {topic}"):
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        letting_in = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": attributes["QueueArn"],
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
                }
            ],
        }
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(letting_in)})
        subscription = aws.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"], ReturnSubscriptionArn=True
        )["SubscriptionArn"]
    return AlertListener(queue, subscription)


def receive_alerts(
    listener: AlertListener, wanted: int, patience: float = PATIENCE, about: str = ""
) -> list[dict[str, Any]]:
    """Alerts (`Subject`, `Message`) that arrived, at least `wanted` of them unless `patience` seconds pass first.

    Args:
        about: what their subjects contain. Others are not counted: one cause may be told as several problems.
    """
    sqs, found = aws.client("sqs"), []
    deadline = time.monotonic() + patience
    while True:
        with aws.explained(f"reading {listener.queue}"):
            messages = sqs.receive_message(QueueUrl=listener.queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=listener.queue, ReceiptHandle=message["ReceiptHandle"])
        alerts = (json.loads(message["Body"]) for message in messages)
        found += [alert for alert in alerts if about in alert["Subject"]]
        if not messages and (len(found) >= wanted or time.monotonic() > deadline):
            return found


def stop_listening(listener: AlertListener) -> None:
    """End the subscription and forget the queue."""
    with aws.explained(f"closing {listener.queue}"):
        aws.client("sns").unsubscribe(SubscriptionArn=listener.subscription)
        aws.client("sqs").delete_queue(QueueUrl=listener.queue)

"""What the role of a target must allow, for rules and schedules."""

from __future__ import annotations

ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
    "sagemaker": "sagemaker:StartPipelineExecution",
}
"""By the service in the target's ARN."""
NEED_ROLE = ("states", "sagemaker")
"""Targets of rules that do not go without a role; Lambda, SNS and SQS let rules in by their own policies."""

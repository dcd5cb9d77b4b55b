"""Under `--enforce-roles` who hands a role over must be allowed to pass it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import ANY_ROLE
from role_support import ACCOUNT, IMAGE, STATES, Account, arn, function, machine


def test_who_makes_something_that_takes_a_role_must_be_allowed_to_pass_it(root: Account) -> None:
    passes = {
        "Action": "iam:PassRole",
        "Resource": f"arn:aws:iam::{ACCOUNT}:role/any",
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }
    creates = {
        "Action": ["lambda:*", "states:*", "events:*", "scheduler:*", "sagemaker:*"],
        "Resource": "*",
    }
    me = root.acting_as(root.role("roles-builder", "", creates, passes))
    assert function(me, "roles-passed") == arn("lambda", "function:roles-passed")
    job = {
        "ProcessingJobName": "roles-passed",
        "RoleArn": ANY_ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    me("events").put_rule(Name="roles-passed", EventPattern='{"source": ["x"]}')
    target = {"Id": "1", "Arn": arn("states", "stateMachine:x"), "RoleArn": ANY_ROLE}
    calls = {
        "states": lambda: machine(me, "roles-passed", ANY_ROLE, "arn:aws:states:::sns:publish", {}),
        "events": lambda: me("events").put_targets(Rule="roles-passed", Targets=[target]),
        "scheduler": lambda: me("scheduler").create_schedule(
            Name="roles-passed",
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target["Arn"], "RoleArn": ANY_ROLE},
        ),
        "sagemaker": lambda: me("sagemaker").create_processing_job(**job),
    }
    told = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/roles-builder/me is not authorized to perform: iam:PassRole on "
        f"resource: {ANY_ROLE} because no identity-based policy allows the iam:PassRole action"
    )
    for service, call in calls.items():
        with pytest.raises(ClientError) as refused:
            call()
        error = refused.value.response["Error"]
        assert (service, error["Code"], error["Message"]) == (service, "AccessDeniedException", told)
    with pytest.raises(ClientError, match=r"role defined for the function cannot be assumed by Lambda\."):
        function(root, "roles-not-lambda", root.role("roles-not-lambda", STATES))

"""State machines under `--enforce-roles`: their tasks act in the name of their role."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from role_support import ACCOUNT, REGION, STATES, UNTRUSTED, Account, ended, function, machine


def test_a_task_runs_in_the_name_of_its_machines_role(root: Account) -> None:
    invoked, other = function(root, "roles-invoked"), function(root, "roles-other")
    role = root.role("roles-machine", STATES, {"Action": "lambda:InvokeFunction", "Resource": invoked})
    invoke = "arn:aws:states:::lambda:invoke"
    assert ended(root, machine(root, "roles-may", role, invoke, {"FunctionName": invoked}))["status"] == "SUCCEEDED"
    refused = ended(root, machine(root, "roles-may-not", role, invoke, {"FunctionName": other}))
    assert (refused["status"], refused["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-machine/"
    assert refused["cause"].startswith(f"User: {who}")
    assert (
        "is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{other} because no identity-based policy allows the lambda:InvokeFunction action (Service: AWSLambda; "
        "Status Code: 403; Error Code: AccessDeniedException; "
    ) in refused["cause"]


def test_a_machine_whose_role_does_not_trust_step_functions_is_refused(root: Account) -> None:
    elsewhere = root.role("roles-elsewhere", "lambda.amazonaws.com")
    for role in (elsewhere, UNTRUSTED):
        with pytest.raises(
            ClientError, match=r"Neither the global service principal states\.amazonaws\.com"
        ) as refused:
            machine(root, "roles-untrusted", role, "arn:aws:states:::sns:publish", {})
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    regional = root.role("roles-regional", f"states.{REGION}.amazonaws.com")
    machine(root, "roles-regional", regional, "arn:aws:states:::sns:publish", {})

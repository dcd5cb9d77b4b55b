"""Denials name the resource, as AWS's do."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from role_support import ACCOUNT, Account, arn


def test_a_denial_names_action_and_resource(root: Account) -> None:
    me = root.acting_as(root.role("roles-denied", ""))
    root("s3").create_bucket(Bucket="roles-denied")
    calls = {
        "lambda:InvokeFunction": (
            lambda: me("lambda").invoke(FunctionName="roles-x"),
            arn("lambda", "function:roles-x"),
        ),
        "s3:GetObject": (
            lambda: me("s3").get_object(Bucket="roles-denied", Key="a"),
            '"arn:aws:s3:::roles-denied/a"',
        ),
    }
    for action, (call, resource) in calls.items():
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Message"] == (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/roles-denied/me is not authorized to perform: {action} on "
            f"resource: {resource} because no identity-based policy allows the {action} action"
        )

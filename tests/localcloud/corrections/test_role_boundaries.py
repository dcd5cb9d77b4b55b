"""Permissions boundaries of roles in templates."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import policy
from role_support import ACCOUNT, Account


def test_a_boundary_in_a_template_takes_effect(root: Account) -> None:
    boundary = root("iam").create_policy(
        PolicyName="roles-boundary", PolicyDocument=policy(Action="s3:ListAllMyBuckets", Resource="*")
    )["Policy"]["Arn"]
    template = {
        "Resources": {
            "Bounded": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "roles-bounded",
                    "AssumeRolePolicyDocument": json.loads(policy(Principal={"AWS": ACCOUNT}, Action="sts:AssumeRole")),
                    "PermissionsBoundary": boundary,
                    "Policies": [
                        {"PolicyName": "all", "PolicyDocument": json.loads(policy(Action="*", Resource="*"))},
                    ],
                },
            }
        }
    }
    stacks = root("cloudformation")
    stacks.create_stack(
        StackName="roles-bounded", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="roles-bounded", WaiterConfig={"Delay": 1})
    role = root("iam").get_role(RoleName="roles-bounded")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    me = root.acting_as(role["Arn"])
    assert "Buckets" in me("s3").list_buckets()
    with pytest.raises(ClientError, match="not authorized to perform: sns:ListTopics"):
        me("sns").list_topics()
    with pytest.raises(ClientError, match="no permissions boundary allows the sagemaker:ListModels action"):
        me("sagemaker").list_models()
    del template["Resources"]["Bounded"]["Properties"]["PermissionsBoundary"]
    stacks.update_stack(
        StackName="roles-bounded", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    stacks.get_waiter("stack_update_complete").wait(StackName="roles-bounded", WaiterConfig={"Delay": 1})
    assert me("sns").list_topics()["Topics"] is not None

"""An account whose roles are enforced: clients as its root user or as a role, and what takes roles."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually, policy
from door_support import new_function

ACCOUNT = "000000000000"
REGION = "us-east-1"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
UNTRUSTED = f"arn:aws:iam::{ACCOUNT}:role/roles-nobody"
STATES = "states.amazonaws.com"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


class Account:
    """Clients of the cloud by service, as the root user or as a role."""

    def __init__(self, cloud: LocalCloud, **keys: str) -> None:
        self._cloud = cloud
        self._session = boto3.Session(**(keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}))

    def __call__(self, service: str) -> Any:
        addresses = self._cloud.addresses
        url = addresses.sagemaker if service.startswith("sagemaker") else addresses.ministack
        return self._session.client(service, region_name=REGION, endpoint_url=url)

    def role(self, name: str, service: str, *statements: dict[str, Any], **more: Any) -> str:
        """A role that a service, or with "" the account, may assume; its ARN."""
        principal = {"Service": service} if service else {"AWS": ACCOUNT}
        trust = policy(Principal=principal, Action="sts:AssumeRole")
        made = self("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"]
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        if statements:
            self("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        return str(made)

    def acting_as(self, role: str) -> Account:
        found = self("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
        return Account(
            self._cloud,
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
        )

    def messages(self, queue: str) -> list[str]:
        found = self("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [one["Body"] for one in found]


@pytest.fixture(scope="session")
def root(local_cloud: LocalCloud) -> Account:
    return Account(local_cloud)


def machine(root: Account, name: str, role: str, resource: str, parameters: dict[str, Any]) -> str:
    """A machine with one task."""
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    definition = json.dumps({"StartAt": "One", "States": {"One": task}})
    created = root("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role)
    return str(created["stateMachineArn"])


def ended(root: Account, machine_arn: str) -> dict[str, Any]:
    states = root("stepfunctions")
    started = states.start_execution(stateMachineArn=machine_arn)["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=started)["status"] != "RUNNING")
    found: dict[str, Any] = states.describe_execution(executionArn=started)
    return found


def function(account: Account, name: str, role: str = ANY_ROLE) -> str:
    request = json.loads(new_function(name))
    request["Code"] = {"ZipFile": base64.b64decode(request["Code"]["ZipFile"])}
    made = account("lambda").create_function(**{**request, "Role": role})
    account("lambda").get_waiter("function_active_v2").wait(FunctionName=name)
    return str(made["FunctionArn"])

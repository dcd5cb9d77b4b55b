"""`scones local up --enforce-roles`: everything may do what its role allows, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import Command, LocalCloud, eventually
from commands import run_scones
from iam_support import without
from lambda_support import picture

from localcloud import processes, record, up

PROJECT = "held-to-roles"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
FREE = ("--port", "0", "--sagemaker-port", "0")


def test_roles_stay_enforced_when_ministack_is_started_again_and_do_not_change_under_way(
    scones: Command, state: Path
) -> None:
    started = scones("local", "up", "--enforce-roles", "--state", state, *FREE)
    assert "roles      enforced" in started.stderr, started.stderr
    found = record.read(state)
    assert found
    assert processes.kill([found.parts["ministack"]], patience=10) == []
    assert up.start(state).enforce_roles

    assert "what their roles allow" in scones("local", "status", "--state", state).stderr
    parts = json.loads(scones("local", "status", "--json", "--state", state).stdout)
    assert [part["enforce_roles"] for part in parts] == [True, None, None]
    stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "a stranger's", region_name="us-east-1")
    iam: Any = stranger.client("iam", endpoint_url=up.running(state).addresses.ministack)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        iam.list_roles()

    other = scones("local", "up", "--no-enforce-roles", "--state", state)
    assert (other.returncode, other.stderr) == (
        1,
        "Error: Starting the local cloud with --no-enforce-roles: it is up with enforced roles already. "
        "Stop it first: localcloud down.\n",
    )


def test_a_function_whose_role_lacks_an_action_fails_and_the_action_is_named(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text(f'project = "{PROJECT}"\n', encoding="utf-8")
    done = run_scones("infra", "deploy", environment=local_cloud.environment, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    session = boto3.Session("test", "test", region_name="us-east-1")
    services = ("iam", "s3", "stepfunctions")
    clients: dict[str, Any] = {
        name: session.client(name, endpoint_url=local_cloud.addresses.ministack) for name in services
    }
    policy = {"RoleName": f"{PROJECT}-serialize-image", "PolicyName": "serialize-image"}
    document = clients["iam"].get_role_policy(**policy)["PolicyDocument"]
    document["Statement"] = without(document["Statement"], "s3:GetObject")
    clients["iam"].put_role_policy(**policy, PolicyDocument=json.dumps(document))
    clients["s3"].put_object(Bucket=BUCKET, Key="a.png", Body=picture())

    started = clients["stepfunctions"].start_execution(
        stateMachineArn=f"arn:aws:states:us-east-1:000000000000:stateMachine:{PROJECT}-inference",
        input=json.dumps({"s3_bucket": BUCKET, "s3_key": "a.png"}),
    )["executionArn"]
    described = clients["stepfunctions"].describe_execution
    eventually(lambda: described(executionArn=started)["status"] != "RUNNING")
    end = described(executionArn=started)
    assert (end["status"], end["error"]) == ("FAILED", "AccessDenied")
    assert "no identity-based policy allows the s3:GetObject action" in end["cause"]

"""The recorder of AWS calls, and the judgement of what it wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import recorded_calls
from cloud_fixtures import LocalCloud, client_of_iam
from commands import clean_environment, run
from iam_support import BUCKET, PROJECT, objects
from recorded_calls import Call

KEY = "incoming/1.png"
PUTS = """
import boto3
s3 = boto3.client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:1", config=boto3.session.Config(
    connect_timeout=1, retries={"total_max_attempts": 1}))
try:
    s3.put_object(Bucket="b", Key="k", Body=b"secret", Metadata={"note": "private"})
except Exception as error:
    print(type(error).__name__)
print(__import__("sitecustomize").__file__, chained)
"""


def test_a_call_is_recorded_without_its_body_and_the_program_does_not_notice(tmp_path: Path) -> None:
    file, other = tmp_path / "calls.jsonl", tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import builtins\nbuiltins.chained = 'chained'\n")
    own = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_LAMBDA_FUNCTION_NAME": "f"}
    environment = clean_environment(tmp_path) | recorded_calls.variables(file) | own
    environment["PYTHONPATH"] += f":{other}"
    done = run(sys.executable, "-c", PUTS, environment=environment, folder=tmp_path)
    assert done.stdout.splitlines() == [
        "EndpointConnectionError",
        f"{other / 'sitecustomize.py'} chained",
    ], done.stderr
    [line] = file.read_text().splitlines()
    assert json.loads(line) == {
        "who": "function:f",
        "call": "s3:PutObject",
        "parameters": {"Bucket": "b", "Key": "k"},
    }
    file.unlink()
    environment[recorded_calls.FILE] = str(tmp_path / "no" / "folder")
    again = run(sys.executable, "-c", PUTS, environment=environment, folder=tmp_path)
    assert again.stdout == done.stdout
    assert "not recorded" in again.stderr


def test_calls_belong_to_the_role_of_their_function_of_their_job_or_of_the_build(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    lines = [
        {"who": "function:mine-alert", "call": "sns:Publish", "parameters": {"TopicArn": "t"}},
        {"who": "function:somebody-elses", "call": "sns:Publish", "parameters": {"TopicArn": "t"}},
        {"who": "job", "call": "s3:GetObject", "parameters": {"Bucket": BUCKET, "Key": "code/1"}},
        {"who": "sagemaker", "call": "s3:PutObject", "parameters": {"Bucket": BUCKET, "Key": "captures/1"}},
        {"who": "sagemaker", "call": "events:ListRules", "parameters": {}},
        {"who": "command", "call": "s3:GetObject", "parameters": {"Bucket": BUCKET, "Key": "code/1"}},
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = {(call.project, call.role, call.call) for call in recorded_calls.read(file)}
    assert found == {
        ("mine", "AlertRole", "sns:Publish"),
        (PROJECT, "PipelineRole", "s3:GetObject"),
        (PROJECT, "ModelRole", "s3:PutObject"),
    }
    built = recorded_calls.read(file, commands_of="mine") - recorded_calls.read(file)
    assert {(call.project, call.role) for call in built} == {("mine", "Role")}


def test_what_a_role_may_not_do_is_named_and_so_is_a_call_that_nobody_has_looked_at(local_cloud: LocalCloud) -> None:
    iam = client_of_iam(local_cloud.addresses)

    def serialize_image(call: str) -> set[Call]:
        return {Call(PROJECT, "SerializeImageRole", call, json.dumps({"Bucket": BUCKET, "Key": KEY}))}

    assert recorded_calls.refused(iam, serialize_image("s3:HeadObject")) == []
    assert recorded_calls.refused(iam, serialize_image("s3:PutObject")) == [
        f"SerializeImageRole of {PROJECT} may not s3:PutObject on {objects(KEY)[0]}"
    ]
    with pytest.raises(AssertionError, match=r"say in call_requests\.py what s3:RestoreObject acts on"):
        recorded_calls.refused(iam, serialize_image("s3:RestoreObject"))

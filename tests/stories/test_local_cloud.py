"""The local cloud as a user meets it: the `scones` and `aws` commands, a shell, boto3."""

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import psutil
from cloud_fixtures import Command, LocalCloud, gone
from commands import clean_environment

BUCKET = "scones-unlimited-000000000000-us-east-1"
FREE = ("--port", "0", "--sagemaker-port", "0")


def in_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=folder,
        env=clean_environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_from_up_to_down_nothing_runs_that_should_not_and_everything_stays(
    scones: Command, state: Path, tmp_path: Path
) -> None:
    up = scones("local", "up", "--state", state, *FREE)
    assert up.returncode == 0, up.stderr
    assert f'eval "$(scones local env --state {state})"' in up.stderr

    parts = json.loads(scones("local", "status", "--json", "--state", state).stdout)
    assert [part["status"] for part in parts] == ["up", "up", "up"]
    assert all(part["memory_mb"] > 0 for part in parts)
    found = [psutil.Process(part["pid"]) for part in parts]
    hosts = {link.laddr.ip for one in found for link in one.net_connections("inet") if link.status == "LISTEN"}
    assert hosts == {"127.0.0.1"}

    deployed = in_shell(
        f"""
        eval "$(scones local env --state {state})"
        scones infra deploy
        echo hello > hello.txt
        aws s3 cp --only-show-errors hello.txt s3://{BUCKET}/data/hello.txt
        """,
        tmp_path,
    )
    assert deployed.returncode == 0, deployed.stderr
    assert "created Bucket" in deployed.stderr
    assert ["BucketName", BUCKET] in [line.split() for line in deployed.stdout.splitlines()]

    again = scones("local", "up", "--state", state)
    assert (again.returncode, again.stderr.splitlines()[0]) == (0, "The local cloud is up already.")

    down = scones("local", "down", "--state", state)
    assert (down.returncode, down.stderr) == (0, "Stopped stepfunctions, sagemaker and ministack.\n")
    assert all(map(gone, found))
    assert not (state / "local.json").exists()
    assert scones("local", "status", "--state", state).returncode == 1

    later = in_shell(
        f"""
        scones local up --quiet --state {state} --port 0 --sagemaker-port 0
        eval "$(scones local env --state {state})"
        aws s3 cp --only-show-errors s3://{BUCKET}/data/hello.txt -
        scones infra diff
        """,
        tmp_path,
    )
    assert (later.stdout, later.returncode) == ("hello\n", 0), later.stderr
    assert "up to date" in later.stderr


def test_env_prints_nothing_for_the_shell_to_evaluate_when_the_cloud_is_down(scones: Command, state: Path) -> None:
    env = scones("local", "env", "--state", state)
    assert (env.returncode, env.stdout) == (1, "")
    assert env.stderr == f"Error: The local cloud on {state} is not up. Start it: localcloud up.\n"


def test_down_where_nothing_is_up_is_fine_and_makes_no_folder(scones: Command, tmp_path: Path) -> None:
    down = scones("local", "down")
    assert (down.returncode, down.stderr) == (0, f"The local cloud on {tmp_path / '.localcloud'} was not up.\n")
    assert not (tmp_path / ".localcloud").exists()


def test_state_lies_beside_the_settings_file(scones: Command, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "scones.toml").touch()
    env = scones("local", "env", environment={"SCONES_SETTINGS": str(project / "scones.toml")})
    assert str(project / ".localcloud") in env.stderr


def test_boto3_reaches_every_service_that_the_project_uses(on_local_cloud: LocalCloud) -> None:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="e2e-boto3")
    s3.put_object(Bucket="e2e-boto3", Key="a/ü", Body=b"bytes")
    assert s3.get_object(Bucket="e2e-boto3", Key="a/ü")["Body"].read() == b"bytes"
    sts: Any = boto3.client("sts")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    sagemaker: Any = boto3.client("sagemaker")
    assert sagemaker.meta.endpoint_url == on_local_cloud.addresses.sagemaker


def test_the_stack_gives_the_names_that_the_project_derives(deployed: LocalCloud, on_local_cloud: LocalCloud) -> None:
    from project import aws

    iam: Any = boto3.client("iam")
    s3: Any = boto3.client("s3")
    names = aws.names()
    role = iam.get_role(RoleName="scones-unlimited-pipeline")["Role"]
    assert role["Arn"] == names.pipeline_role
    assert s3.get_bucket_versioning(Bucket=names.bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=names.bucket)["PublicAccessBlockConfiguration"].values())
    refusal = json.loads(s3.get_bucket_policy(Bucket=names.bucket)["Policy"])["Statement"][0]
    assert refusal["Condition"]["Bool"] == {"aws:SecureTransport": "false"}


def test_a_deploy_that_changes_nothing_says_so(scones: Command, deployed: LocalCloud) -> None:
    again = scones("infra", "deploy", "--json", environment=deployed.variables)
    assert json.loads(again.stdout)["changes"] == []
    assert scones("infra", "diff", environment=deployed.variables).stdout == ""


def test_deleting_the_stack_keeps_the_data_and_the_next_deploy_adopts_it(
    scones: Command, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text('project = "kept"\n')
    bucket = "kept-000000000000-us-east-1"
    assert "created Bucket" in scones("infra", "deploy", environment=local_cloud.variables).stderr
    put = f"echo precious > p; aws s3 cp --only-show-errors p s3://{bucket}/p"
    exports = "".join(f"export {name}='{value}'\n" for name, value in local_cloud.variables.items())
    assert in_shell(exports + put, tmp_path).returncode == 0

    unsure = scones("infra", "delete", environment=local_cloud.variables, stdin="n\n")
    assert unsure.returncode == 1
    delete = scones("infra", "delete", environment=local_cloud.variables, stdin="y\n")
    assert f"Bucket {bucket} and its objects are kept" in delete.stderr
    assert scones("infra", "delete", "--yes", environment=local_cloud.variables).stderr.startswith("There is no stack")

    diff = scones("infra", "diff", environment=local_cloud.variables).stdout.splitlines()
    assert diff[0] == "adopt Bucket (AWS::S3::Bucket)"
    adopted = scones("infra", "deploy", environment=local_cloud.variables)
    assert adopted.stderr.splitlines()[0] == f"adopted Bucket (AWS::S3::Bucket) {bucket}"
    assert in_shell(exports + f"aws s3 cp --only-show-errors s3://{bucket}/p -", tmp_path).stdout == "precious\n"

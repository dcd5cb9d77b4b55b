"""What goes wrong with processes, ports, folders and stacks, and what the user is told."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from cloud_fixtures import Command, LocalCloud, eventually, gone, process_inside
from commands import clean_environment

from localcloud import processes, record, up
from localcloud.environment import MARK, Addresses
from localcloud.isolation.offer import offered
from localcloud.processes import Identity
from localcloud.record import CloudRecord

BUCKET = "scones-unlimited-000000000000-us-east-1"

PORTS = ("--port", "--sagemaker-port", "--stepfunctions-port")


ENDLESS = """
import os, signal
def handler(event, context):
    with open(event["path"], "w") as told:
        told.write(f"{os.getpid()} ")
    signal.pause()
"""


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process that is none of the local cloud's business."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


def kill(state: Path, part: str) -> None:
    """kill -9, and wait until the process is gone."""
    found = record.read(state)
    assert found
    assert processes.kill([found.parts[part]], patience=10) == []


def statuses(state: Path) -> dict[str, str]:
    return {part.part: part.status for part in up.status(state)}


@pytest.mark.parametrize("option", PORTS)
def test_a_port_in_use_is_one_line_and_nothing_is_left_running(scones: Command, state: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        others = [word for name in PORTS if name != option for word in (name, "0")]
        started = scones("local", "up", "--state", state, option, str(taken), *others)
    assert started.returncode == 1
    [line] = started.stderr.splitlines()
    assert f"port {taken} is in use by" in line
    assert f"(pid {os.getpid()})" in line
    assert option in line
    assert statuses(state) == {"ministack": "down", "sagemaker": "down", "stepfunctions": "down"}
    assert not (state / "local.json").exists()


def test_when_one_part_does_not_come_up_the_other_is_taken_down(scones: Command, state: Path) -> None:
    state.mkdir(mode=0o700)
    with (state / "sagemaker.lock").open("w") as held:
        assert record.lock(held.fileno())
        started = scones("local", "up", "--state", state, "--port", "0", "--sagemaker-port", "0")
    assert started.returncode == 1
    assert "Starting SageMaker" in started.stderr
    assert "another local SageMaker uses" in started.stderr
    assert (state / "logs" / "ministack.log").exists()
    assert processes.marked(MARK, str(state)) == []
    assert record.read(state) is None


def test_two_clouds_on_one_state_folder_are_refused_with_the_pids(scones: Command, state: Path) -> None:
    running = up.start(state, port=0, sagemaker_port=0)
    found = record.read(state)
    assert found
    (state / "local.json").unlink()
    second = scones("local", "up", "--state", state, "--port", "0", "--sagemaker-port", "0")
    assert second.returncode == 1
    assert "another one uses that folder" in second.stderr
    assert all(str(part.pid) in second.stderr for part in found.parts.values())
    assert up.parts.healthy(running.addresses.ministack_port, "/_ministack/health")
    assert up.stop(state).leftovers == 0
    assert processes.marked(MARK, str(state.resolve())) == []


def test_ports_and_region_belong_to_the_folder(scones: Command, state: Path, tmp_path: Path) -> None:
    running = up.start(state, port=0, sagemaker_port=0, region="eu-north-1")
    used = str(running.addresses.ministack_port)
    other = scones("local", "up", "--state", state, "--port", "4599")
    assert other.returncode == 1
    assert f"it is up on port {used} already" in other.stderr
    again = scones("local", "up", "--state", state, "--region", "eu-west-3", "--quiet")
    assert again.stderr.startswith("Warning: it is up with the region eu-north-1 "), again.stderr
    elsewhere = scones("local", "up", "--state", tmp_path / "elsewhere", "--port", used, "--sagemaker-port", "0")
    assert elsewhere.returncode == 1
    assert f"port {used} is in use by the local cloud on {state}. Use that one, end it with: " in elsewhere.stderr
    up.stop(state)
    assert up.start(state).addresses == running.addresses


def test_killed_sagemaker_is_reported_and_started_again_beside_the_living_part(scones: Command, state: Path) -> None:
    before = up.start(state, port=0, sagemaker_port=0)
    kill(state, "sagemaker")
    status = scones("local", "status", "--state", state)
    assert status.returncode == 1
    assert statuses(state) == {"ministack": "up", "sagemaker": "crashed", "stepfunctions": "up"}
    env = scones("local", "env", "--state", state)
    assert (env.returncode, env.stdout) == (1, "")
    after = up.start(state)
    assert (after.started, after.lost, after.addresses) == (("sagemaker",), False, before.addresses)
    assert statuses(state) == {"ministack": "up", "sagemaker": "up", "stepfunctions": "up"}


def test_killed_ministack_keeps_objects_and_a_deploy_heals_the_rest(scones: Command, state: Path) -> None:
    running = up.start(state, port=0, sagemaker_port=0)
    environment = up.environment(running)
    assert scones("infra", "deploy", environment=environment).returncode == 0
    session = boto3.Session("test", "test", region_name="us-east-1")
    s3: Any = session.client("s3", endpoint_url=running.addresses.ministack)
    s3.put_object(Bucket=BUCKET, Key="data/x", Body=b"kept")
    kill(state, "ministack")

    again = scones("local", "up", "--state", state)
    assert again.returncode == 0
    assert "MiniStack had ended without saving" in again.stderr
    assert "Deploy them again" in again.stderr
    healed = scones("infra", "deploy", environment=environment)
    assert f"adopted Bucket (AWS::S3::Bucket) {BUCKET}" in healed.stderr
    assert "created PipelineRole" in healed.stderr
    assert s3.get_object(Bucket=BUCKET, Key="data/x")["Body"].read() == b"kept"
    assert scones("infra", "diff", environment=environment).stdout == ""


def test_a_stale_record_with_reused_process_numbers_harms_nobody(state: Path, bystander: psutil.Process) -> None:
    state.mkdir(mode=0o700)
    stale = Identity(bystander.pid, bystander.create_time() - 3600)
    record.write(state, CloudRecord(Addresses(1, 2), {"ministack": stale, "sagemaker": stale}))
    assert statuses(state) == {"ministack": "crashed", "sagemaker": "crashed", "stepfunctions": "down"}
    assert up.stop(state) == up.Stopped((), (), 0)
    assert not gone(bystander)
    assert statuses(state) == {"ministack": "down", "sagemaker": "down", "stepfunctions": "down"}


def test_a_cloud_that_vanished_with_the_machine_starts_anew_on_other_ports(state: Path) -> None:
    up.start(state, port=0, sagemaker_port=0)
    kill(state, "sagemaker")
    kill(state, "ministack")
    again = up.start(state, port=0, sagemaker_port=0)
    assert again.started == ("ministack", "sagemaker")
    assert again.lost


def function(running: up.Running, code: str) -> Any:
    """A client of Lambda, with a function `f` of this code."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("f.py", code)
    session = boto3.Session("test", "test", region_name="us-east-1")
    functions: Any = session.client("lambda", endpoint_url=running.addresses.ministack)
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="f.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=900,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="f")
    return functions


def test_a_function_that_never_ends_does_not_outlive_the_cloud(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALCLOUD_WRITABLE", str(tmp_path))
    functions = function(up.start(state, port=0, sagemaker_port=0), ENDLESS)
    told = tmp_path / "pid"
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"path": str(told)}))
    eventually(lambda: told.exists() and told.read_text().endswith(" "))
    worker = process_inside(int(told.read_text()), MARK, str(state.resolve()))
    kill(state, "ministack")
    assert offered().private or worker.is_running()
    assert up.start(state).started == ("ministack",)
    eventually(lambda: gone(worker))


def test_functions_that_wait_for_work_are_not_leftovers(scones: Command, state: Path) -> None:
    """A worker that is kept warm ends when MiniStack has; nobody has to be told."""
    functions = function(up.start(state, port=0, sagemaker_port=0), "import os\ndef handler(*_): return os.getpid()")
    number = json.load(functions.invoke(FunctionName="f")["Payload"])
    assert process_inside(number, MARK, str(state.resolve())).is_running()
    down = scones("local", "down", "--state", state)
    assert (down.returncode, down.stderr) == (0, "Stopped stepfunctions, sagemaker and ministack.\n")
    assert processes.marked(MARK, str(state.resolve())) == []


def test_interrupting_up_leaves_nothing_behind(state: Path, tmp_path: Path) -> None:
    program = f"""
import signal
import time
from pathlib import Path
from localcloud import up

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it

def waits_for_ever(*arguments):
    print("started", flush=True)
    while True:
        time.sleep(0.05)

up._wait = waits_for_ever
up.start(Path({str(state)!r}), port=0, sagemaker_port=0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=clean_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as command:
        assert command.stdout
        started = command.stdout.readline()
        command.send_signal(signal.SIGINT)
        try:
            code = command.wait(60)
        finally:
            command.kill()
    assert (started, code) == ("started\n", -signal.SIGINT)
    assert record.read(state) is None
    assert processes.marked(MARK, str(state.resolve())) == []


def test_a_bucket_of_somebody_else_is_named_and_nothing_is_created(
    scones: Command, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text('project = "foreign"\n')
    bucket = "foreign-000000000000-us-east-1"
    other = boto3.Session("111111111111", "other", region_name="us-east-1")
    s3: Any = other.client("s3", endpoint_url=local_cloud.addresses.ministack)
    s3.create_bucket(Bucket=bucket)
    for verb in ("deploy", "diff"):
        done = scones("infra", verb, environment=local_cloud.variables)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1].startswith(
            f"Error: Bucket {bucket} exists, and account 000000000000 may not use it"
        )


def test_a_role_that_no_stack_owns_is_not_taken_over(
    scones: Command, on_local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text('project = "clash"\n')
    iam: Any = boto3.client("iam")
    iam.create_role(RoleName="clash-pipeline", AssumeRolePolicyDocument="{}")
    done = scones("infra", "deploy", environment=on_local_cloud.variables)
    assert done.returncode == 1
    assert "role/clash-pipeline exists, and no stack clash to own it" in done.stderr
    assert iam.list_role_policies(RoleName="clash-pipeline")["PolicyNames"] == []


def test_a_stack_whose_creation_was_rolled_back_is_replaced(
    scones: Command, on_local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text('project = "failed"\n')
    client: Any = boto3.client("cloudformation")
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="failed-in-the-way")
    broken = {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "failed-in-the-way"}}}}
    client.create_stack(StackName="failed", TemplateBody=json.dumps(broken))
    eventually(lambda: client.describe_stacks(StackName="failed")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
    done = scones("infra", "deploy", environment=on_local_cloud.variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0].startswith("Stack failed is ROLLBACK_COMPLETE: its creation came to nothing.")
    assert "created PipelineRole" in done.stderr


def test_a_deploy_that_is_rolled_back_names_the_resource_and_the_reason(
    on_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra import stack, template
    from project.errors import CloudError
    from project.names import Names
    from project.settings import Settings

    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="rolled-back-in-the-way")
    broken = template.load()
    broken["Resources"]["Second"] = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": {"Fn::Sub": "${ProjectName}-in-the-way"}},
    }
    monkeypatch.setattr(template, "text", lambda: json.dumps(broken))
    with pytest.raises(CloudError, match=r"Second \(AWS::S3::Bucket\): .*exists.* UPDATE_ROLLBACK_COMPLETE"):
        stack.deploy(Names(Settings(project="rolled-back")), print)

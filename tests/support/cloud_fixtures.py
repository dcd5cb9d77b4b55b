"""The `scones` command and a running local cloud per test process, for tests of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
import recorded_calls
from commands import POINTING, clean_environment, run_scones

from localcloud import parts, processes, up
from localcloud.environment import Addresses
from localcloud.isolation.view import STARTER


def policy(**statement: Any) -> str:
    """A policy document with one statement that allows something."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


OPEN_QUEUE = {
    "Policy": policy(Principal={"Service": "sns.amazonaws.com"}, Action="sqs:SendMessage", Resource="*"),
}
"""Attributes of a queue that topics may write to: without a policy nobody but its owner may."""
ANY_ROLE = "arn:aws:iam::000000000000:role/any"
"""A role of the local cloud that may do everything, for functions and state machines that are about something else."""
ROLES = ("any", "job-role", "example-role")
"""Roles that may do everything; the latter two are those of requests that other helpers make."""
Command = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud that runs for a whole test session.

    `variables` is what a process needs to use it; `environment` is the whole environment of a process that does. The
    calls of its functions and jobs are in `record`, see recorded_calls.py.
    """

    state: Path
    addresses: Addresses
    variables: dict[str, str]
    environment: dict[str, str]
    record: Path


def eventually(condition: Callable[[], object], patience: float = 90.0) -> None:
    """Wait until `condition` holds; fails after `patience` seconds. What takes longer is asked for less often."""
    deadline, pause = time.monotonic() + patience, 0.02
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.1)


def gone(process: psutil.Process | int) -> bool:
    """Whether the process (of that number) has ended; one that only waits to be reaped by its parent has."""
    try:
        process = process if isinstance(process, psutil.Process) else psutil.Process(process)
        return processes.find(processes.Identity(process.pid, process.create_time())) is None
    except psutil.NoSuchProcess:
        return True


def process_inside(number: int, variable: str, value: str) -> psutil.Process:
    """The process that knows itself by `number`, one of those that were started with `variable=value`.

    With a view of its own a process has another number inside than outside.
    """
    [found] = [pid for pid in started_with(variable, value) if number_inside(pid) == number]
    return psutil.Process(found)


def started_with(variable: str, value: str) -> list[int]:
    """The numbers of processes started with `variable=value`, without those that only hold a private view."""
    marked = [psutil.Process(one.pid) for one in processes.marked(variable, value)]
    return [process.pid for process in marked if STARTER not in process.cmdline()]


def number_inside(pid: int) -> int:
    """The number that a process knows itself by."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[-1]) for line in lines if line.startswith("NSpid:")), pid)


@pytest.fixture
def scones(tmp_path: Path) -> Command:
    """Call `scones` as a user does; `environment` adds variables, the working folder is the test's own."""

    def call(
        *words: str | Path, environment: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        whole = {**clean_environment(tmp_path), **(environment or {})}
        return run_scones(*words, environment=whole, folder=tmp_path, stdin=stdin)

    return call


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder of the test's own; whatever runs on it at the end is stopped."""
    folder = tmp_path / "state"
    yield folder
    up.stop(folder)


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A running local cloud on free ports, shared by this process's tests: use names of your own in it.

    Everything is held to its role in it. Every call that is made in a role's name is recorded, and at the end
    all of them are judged by the roles' policies: what a role may not do is an error that names role and action.
    """
    state = tmp_path_factory.mktemp("cloud")
    record = state / "calls.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALCLOUD_CAPTURE_SECONDS", "1")
        patch.setattr(parts, "for_processes", recorded_calls.recorded(parts.for_processes, record))
        running = up.start(state, port=0, sagemaker_port=0, enforce_roles=True)
    iam = client_of_iam(running.addresses)
    for name in ROLES:
        make_role(iam, name)
    variables = {**up.environment(running), "LOCALCLOUD_STATE": str(state)}
    yield LocalCloud(running.state, running.addresses, variables, {**clean_environment(state), **variables}, record)
    try:
        made = recorded_calls.read(record) | recorded_calls.of_executions(running.addresses.ministack)
        refused = recorded_calls.refused(iam, made)
    finally:
        up.stop(state)
    assert not refused, "\n".join(refused)


def make_role(iam: Any, name: str) -> None:
    """Make a role that every service may assume, and that may do everything."""
    services = [f"{name}.amazonaws.com" for name in ("lambda", "states", "sagemaker", "events", "scheduler", "pipes")]
    trust = policy(Principal={"Service": services}, Action="sts:AssumeRole")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy(Action="*", Resource="*"))


def client_of_iam(addresses: Addresses) -> Any:
    """IAM, whose policy simulation judges requests."""
    return boto3.Session("test", "test", region_name=addresses.region).client("iam", endpoint_url=addresses.ministack)


@pytest.fixture(scope="session")
def iam(local_cloud: LocalCloud) -> Any:
    """IAM of the session's local cloud."""
    return client_of_iam(local_cloud.addresses)


@pytest.fixture(scope="session")
def deployed(local_cloud: LocalCloud) -> LocalCloud:
    """The local cloud with the project's stack (bucket, pipeline role) deployed in it."""
    done = run_scones("infra", "deploy", environment=local_cloud.environment, folder=local_cloud.state)
    assert done.returncode == 0, done.stderr
    return local_cloud


@pytest.fixture
def on_local_cloud(local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """This very process points at the local cloud: boto3 and `project.aws` reach it."""
    from project import aws

    for name in list(os.environ):
        if name.startswith(POINTING):
            monkeypatch.delenv(name)
    for name, value in local_cloud.variables.items():
        monkeypatch.setenv(name, value)
    for cached in (aws.client, aws.names):
        cached.cache_clear()
    yield local_cloud
    for cached in (aws.client, aws.names):
        cached.cache_clear()

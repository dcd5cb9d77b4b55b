"""State folders that are read-only or vanish, two at once, and servers that hang."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest
from cloud_fixtures import Command, eventually, gone
from commands import BIN, clean_environment, run

from localcloud import parts, record, up

PORTS = ("--port", "0", "--sagemaker-port", "0", "--stepfunctions-port", "0")
REFUSED_AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Starts a program that even as root may only write where its user may."""


def test_a_read_only_state_folder_is_one_line_with_its_name(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o500)
    as_anybody = REFUSED_AS_ANYBODY if os.geteuid() == 0 else ()
    if as_anybody and not shutil.which(as_anybody[0]):
        pytest.skip(f"root may write everywhere, and there is no {as_anybody[0]}")
    command = [*as_anybody, BIN / "localcloud", "up", *PORTS, "--state", state]
    done = run(*command, environment=clean_environment(tmp_path), folder=tmp_path)
    said = f"Error: Using {state} as state folder: Permission denied. Choose another folder with --state."
    assert (done.returncode, done.stderr.strip(), list(state.iterdir())) == (1, said, [])


def test_two_clouds_at_once_share_nothing_and_servers_that_hang_are_told(
    scones: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "LEAVE_PATIENCE", 1.0)  # MiniStack tries for long to save into a folder that is gone
    states = [tmp_path / "one", tmp_path / "two"]
    try:
        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda state: up.start(state, port=0, sagemaker_port=0), states)
        _share_nothing(one, two)
        _hang(scones, one.state)
        _vanish(scones, two.state)
    finally:
        for state in states:
            up.stop(state)


def _share_nothing(one: up.Running, two: up.Running) -> None:
    ports = [(where.addresses.ministack_port, where.addresses.sagemaker_port) for where in (one, two)]
    assert len({*ports[0], *ports[1]}) == 4
    session = boto3.Session("test", "test", region_name="us-east-1")
    for cloud in (one, two):
        sagemaker = session.client("sagemaker", endpoint_url=cloud.addresses.sagemaker)
        sagemaker.create_model_package_group(ModelPackageGroupName="same")
        session.client("s3", endpoint_url=cloud.addresses.ministack).create_bucket(Bucket=cloud.state.name * 3)
        listed = session.client("s3", endpoint_url=cloud.addresses.ministack).list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in listed] == [cloud.state.name * 3]


def _hang(scones: Command, state: Path) -> None:
    """A stopped server answers nothing: status says so of it alone, and it is up again when it goes on."""
    found = record.read(state)
    assert found
    for part in parts.ORDER:
        process = psutil.Process(found.parts[part].pid)
        process.suspend()
        try:
            hung = [one.part for one in up.status(state) if one.status == "not answering"]
            if part == parts.MINISTACK:
                said = scones("local", "status", "--state", state)
                assert said.returncode == 1 and "not answering" in said.stdout.splitlines()[1], said
        finally:
            process.resume()
        assert hung == [part]
    eventually(lambda: {one.status for one in up.status(state)} == {"up"})


def _vanish(scones: Command, state: Path) -> None:
    """A folder that is deleted under a running cloud: it is not called up, and `down` leaves nothing of it."""
    found = record.read(state)
    assert found
    shutil.rmtree(state)
    assert {one.status for one in up.status(state)} == {"down"}
    again = scones("local", "up", *PORTS, "--state", state)
    assert again.returncode == 1 and str(found.parts[parts.MINISTACK].pid) in again.stderr, again
    up.stop(state)
    eventually(lambda: all(gone(identity.pid) for identity in found.parts.values()))

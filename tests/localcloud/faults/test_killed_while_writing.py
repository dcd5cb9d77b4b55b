"""A process that is killed in the middle of a request leaves nothing half: not in S3, not in the pipeline's place."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud
from job_support import unique
from pipeline_calls import GOLDEN

from pipelines.definition.build import Built
from pipelines.definition.bundle import Bundle
from pipelines.runs import upsert
from project.names import Names
from project.settings import Settings

ROLE = "arn:aws:iam::000000000000:role/job-role"
FILES = (("a.py", b"first"), ("b.py", b"second"))

KILLED_IN_A_BODY = """
import http.client, os, signal
whole = http.client.HTTPConnection.send
def half(self, data):
    if isinstance(data, bytes) and data.startswith(b"{"):  # the body, which follows the headers
        self.sock.sendall(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    whole(self, data)
http.client.HTTPConnection.send = half
"""
WRITES_RECORDS = """
import sys
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.capture import Captured, Options
from localcloud.sagemaker.endpoints.capture_writer import CaptureWriter
from pathlib import Path
writer = CaptureWriter(Cloud(Path(sys.argv[1]), sys.argv[2], ""), seconds=3600)
wanted = Options(f"s3://{sys.argv[3]}/c", 100, True, True, frozenset(), frozenset())
for number in range(50):
    writer.add("e", "v", wanted, Captured(1.8e9, str(number), "image/png", b"x" * 900, "application/json", b"[1, 0]"))
writer.close()
"""
KILLED_BY_A_CALL = """
import os, signal, sys
import botocore.client
call = botocore.client.BaseClient._make_api_call
made = []
def counted(self, operation, asked):
    made.append(operation)
    if sys.argv[1] == f"before {operation} {made.count(operation)}":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = call(self, operation, asked)
    if sys.argv[1] == f"after {operation} {made.count(operation)}":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
botocore.client.BaseClient._make_api_call = counted
"""
UPSERTS = """
import json, sys
from pipelines.definition.build import Built
from pipelines.definition.bundle import Bundle
from pipelines.runs import upsert
from project.names import Names
from project.settings import Settings
given = json.load(sys.stdin)
files = tuple((name, content.encode()) for name, content in given["files"])
names = Names(Settings(project=given["project"]), "000000000000")
upsert.upsert(Built(names, given["definition"], (Bundle("Train", files),)), role=given["role"])
"""


def killed(program: str, *arguments: str, given: str = "") -> None:
    """Run a program that kills itself, as `kill -9` would."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input=given, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_server_that_is_killed_while_it_writes_captured_records_leaves_no_half_file(
    on_local_cloud: LocalCloud, tmp_path: Any
) -> None:
    s3, bucket = boto3.client("s3"), unique("captures")
    s3.create_bucket(Bucket=bucket)
    arguments = (str(tmp_path), on_local_cloud.addresses.ministack, bucket)
    killed(KILLED_IN_A_BODY + WRITES_RECORDS, *arguments)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    whole = subprocess.run([sys.executable, "-c", WRITES_RECORDS, *arguments], timeout=120, check=True)
    [listed] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    lines = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read().splitlines()
    assert whole.returncode == 0 and len([json.loads(each) for each in lines]) == 50


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        ("before PutObject 2", False),
        ("after PutObject 2", False),
        ("before CreatePipeline 1", False),
        ("after CreatePipeline 1", True),
    ],
)
def test_an_upsert_that_is_killed_is_completed_by_the_next(
    on_local_cloud: LocalCloud, moment: str, there: bool
) -> None:
    names = Names(Settings(project=unique("killed")), "000000000000")
    boto3.client("s3").create_bucket(Bucket=names.bucket)
    given = {
        "project": names.settings.project,
        "definition": GOLDEN,
        "role": ROLE,
        "files": [[name, content.decode()] for name, content in FILES],
    }
    killed(KILLED_BY_A_CALL + UPSERTS, moment, given=json.dumps(given))
    assert (upsert.deployed(names.settings.pipeline_name) is not None) == there
    done = upsert.upsert(Built(names, GOLDEN, (Bundle("Train", FILES),)), role=ROLE)
    assert (done.action, done.version) == ("unchanged" if there else "created", 1)
    listed = boto3.client("s3").list_objects_v2(Bucket=names.bucket)["Contents"]
    assert {each["Key"].rpartition("/")[2] for each in listed} == {"a.py", "b.py"}
    now = upsert.deployed(names.settings.pipeline_name)
    assert now and now.definition == GOLDEN

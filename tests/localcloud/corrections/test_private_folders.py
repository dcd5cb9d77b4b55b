"""Functions have a /tmp of their own, as each execution environment has on AWS."""

from __future__ import annotations

import io
import json
import subprocess
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from local_functions import Functions
from ministack.core import lambda_runtime
from view_support import needs_views

from localcloud.corrections import private_folders

pytestmark = needs_views

DOWNLOADS = """
import json, os, time, urllib.request
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3.download_file(event["bucket"], event["key"], "/tmp/image.png")
    time.sleep(0.01)  # whoever shares the file overwrites it now
    with open("/tmp/image.png") as image:
        return image.read()
"""
LOOKS = """
import os, sys
import mine

def handler(event, context):
    def refused(path):
        try:
            open(path, "w").close()
        except OSError as error:
            return error.strerror
    return {
        "file": __file__, "root": os.environ["LAMBDA_TASK_ROOT"], "folder": os.getcwd(), "layer": mine.__file__,
        "opt": sorted(os.listdir("/opt")), "merged": sorted(os.listdir("/opt/python")),
        "refused": [refused(path) for path in event],
    }
"""
COUNTS = """
import os

def handler(event, context):
    with open("/tmp/calls", "a") as calls:
        calls.write(".")
    return os.path.getsize("/tmp/calls")
"""
FILLS = """
def handler(event, context):
    with open("/tmp/big", "wb") as big:
        for _ in range(event):
            big.write(bytes(1 << 20))
    return "written"
"""


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        for name, text in files.items():
            content.writestr(name.replace("__", "/") + ".py", text)
    return packed.getvalue()


def test_functions_that_download_to_the_same_name_do_not_get_each_others_files(
    functions: Functions, local_cloud: LocalCloud
) -> None:
    import boto3

    s3 = boto3.Session("test", "test", region_name="us-east-1").client(
        "s3", endpoint_url=local_cloud.addresses.ministack
    )
    bucket = f"pictures-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    for number in range(40):
        s3.put_object(Bucket=bucket, Key=f"{number}.png", Body=f"picture {number}".encode())
    names = [functions.create(DOWNLOADS, Timeout=60) for _ in range(2)]

    def judged(number: int) -> Any:
        return json.loads(functions.call(names[number % 2], {"bucket": bucket, "key": f"{number}.png"})[1])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(judged, range(40))) == [f"picture {number}" for number in range(40)]
    assert not Path("/tmp/image.png").exists()  # noqa: S108 - the machine's


def test_code_and_layers_are_where_they_are_on_aws_and_only_tmp_is_written_to(functions: Functions) -> None:
    layers = []
    for files in ({"python__mine": "v = 1", "python__other": ""}, {"python__mine": "v = 2", "bin__tool": ""}):
        made = functions.client.publish_layer_version(
            LayerName=f"layer-{uuid.uuid4().hex[:8]}", Content={"ZipFile": archive(**files)}
        )
        layers.append(made["LayerVersionArn"])
    name = functions.create(LOOKS, Layers=layers)
    paths = ["/tmp/x", "/var/task/index.py", "/opt/python/mine.py", "/opt/y", str(Path.home() / "z"), "/etc/hosts"]  # noqa: S108
    seen = json.loads(functions.call(name, paths)[1])
    assert seen == {
        "file": "/var/task/index.py",
        "root": "/var/task",
        "folder": "/var/task",
        "layer": "/opt/python/mine.py",
        "opt": ["bin", "python"],
        "merged": ["mine.py", "other.py"],
        "refused": [None, *["Read-only file system"] * 5],
    }


def test_tmp_stays_from_one_invocation_to_the_next(functions: Functions) -> None:
    name = functions.create(COUNTS)
    assert [json.loads(functions.call(name)[1]) for _ in range(3)] == [1, 2, 3]


def test_tmp_holds_as_much_as_the_function_asked_for(functions: Functions) -> None:
    name = functions.create(FILLS, Timeout=60)
    assert functions.error(name, 513)["errorMessage"] == "[Errno 28] No space left on device"
    larger = functions.create(FILLS, Timeout=60, EphemeralStorage={"Size": 600})
    assert json.loads(functions.call(larger, 513)[1]) == "written"


def test_a_function_whose_view_is_refused_in_the_middle_says_so_and_does_not_run_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A path that goes away between two looks is refused as a namespace is, in a real attempt to make the view."""
    gone = tmp_path / "gone"
    started: list[subprocess.Popen[Any]] = []

    def popen(*command: Any, **how: Any) -> subprocess.Popen[Any]:
        started.append(private_folders._popen(*command, **how))
        return started[-1]

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", private_folders._spawn(lambda_runtime.Worker._spawn))
    monkeypatch.setattr(lambda_runtime, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": popen}))
    monkeypatch.setattr(private_folders, "shared_by_the_user", lambda: {str(gone): gone, str(tmp_path): tmp_path})
    code = archive(index=f"def handler(event, context):\n    open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:any"
    config = {"FunctionName": "any", "FunctionArn": arn, "Handler": "index.handler", "Runtime": "python3.12"}
    worker = lambda_runtime.Worker("any", config, code)
    with pytest.raises(RuntimeError, match=r"^InternalServerError: a private view of the files was refused: .*gone"):
        worker.invoke({}, "request")
    assert not (tmp_path / "ran").exists()
    monkeypatch.setattr(private_folders, "shared_by_the_user", lambda: {str(tmp_path): tmp_path})
    assert worker.invoke({}, "request")["status"] == "ok"
    assert (tmp_path / "ran").exists()
    worker.kill()
    for process in started:
        process.wait(timeout=30)
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()

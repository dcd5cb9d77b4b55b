"""A shell that `localcloud env` has set: the SageMaker SDK's settings, and the guard.

What the SDKs do is their source's: `get_caller_identity_arn` and `default_bucket` call STS at an address of AWS's own
(sagemaker.core.helper.session_helper, and sagemaker.session of version 2), whatever AWS_ENDPOINT_URL says.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from cloud_fixtures import LocalCloud
from commands import BIN, clean_environment, run

from localcloud import guard, shell

CALLS = """
import json, boto3
from botocore.exceptions import ClientError
def client(service, host):
    return boto3.client(service, endpoint_url=f"https://{host}")
def said(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
bucket = "guarded-bucket"
s3 = client("s3", "s3.us-east-1.amazonaws.com")
s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="a b/c", Body=b"kept")
machines = client("stepfunctions", "states.us-east-1.amazonaws.com")
definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
role = boto3.client("iam").get_role(RoleName="LocalCloudExecutionRole")["Role"]["Arn"]
machine = machines.create_state_machine(name="guarded", type="EXPRESS", roleArn=role, definition=definition)
import socket, urllib.request
print(json.dumps({
    "identity": client("sts", "sts.us-east-1.amazonaws.com").get_caller_identity()["Arn"],
    "object": boto3.client("s3").get_object(Bucket=bucket, Key="a b/c")["Body"].read().decode(),
    "sync": machines.start_sync_execution(stateMachineArn=machine["stateMachineArn"])["status"],
    "models": client("sagemaker", "api.sagemaker.us-east-1.amazonaws.com").list_models(MaxResults=1)["Models"][:0],
    "elsewhere": said(lambda: client("s3", "objects.example.com").list_buckets()),
    "looked up": said(lambda: urllib.request.urlopen("https://s3.amazonaws.com/")),
    "by name": said(lambda: socket.gethostbyname("s3.amazonaws.com")),
    "own": __import__("sitecustomize").OWN,
}))
"""
SDK = """
from sagemaker.core.helper.session_helper import Session, get_execution_role
session = Session()
print(get_execution_role(session), session.default_bucket())
"""


def variables(cloud: LocalCloud, *options: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    """A shell's whole environment after `env` with these options."""
    own = {**clean_environment(cloud.state), **(environment or {})}
    command = (BIN / "localcloud", "env", "--state", cloud.state, *options, "--json")
    done = run(*command, environment=own, folder=cloud.state)
    assert done.returncode == 0, done.stderr
    return {**own, **json.loads(done.stdout)}


@pytest.mark.usefixtures("iam")
def test_in_a_guarded_shell_calls_to_aws_come_here_and_others_fail_by_name(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("OWN = 'run as ever'\n")
    guarded = variables(local_cloud, "--guard", environment={"PYTHONPATH": str(tmp_path)})
    again = variables(local_cloud, "--guard", environment={"PYTHONPATH": guarded["PYTHONPATH"]})
    assert again["PYTHONPATH"] == guarded["PYTHONPATH"] == os.pathsep.join([_folder(), str(tmp_path)])
    done = run(sys.executable, "-c", CALLS, environment=guarded, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    beyond = "beyond this machine, and localcloud's guard lets no AWS client of this shell go there"
    assert f"Calling S3: objects.example.com is {beyond}" in found.pop("elsewhere")
    for call in ("looked up", "by name"):
        assert f"Looking up a host of AWS: s3.amazonaws.com is {beyond}" in found.pop(call)
    assert found == {
        "identity": f"arn:aws:sts::000000000000:assumed-role/{shell.ROLE}/shell",
        "object": "kept",
        "sync": "SUCCEEDED",
        "models": [],
        "own": "run as ever",
    }


def test_role_and_bucket_of_the_sdk_as_they_stand(local_cloud: LocalCloud, tmp_path: Path) -> None:
    guarded = variables(local_cloud, "--guard")
    del guarded["SAGEMAKER_USER_CONFIG_OVERRIDE"]  # then the SDK asks STS for the account
    done = run(sys.executable, "-c", SDK, environment=guarded, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    role, bucket = done.stdout.split()[-2:]
    assert (role, bucket) == (f"arn:aws:iam::000000000000:role/{shell.ROLE}", "sagemaker-us-east-1-000000000000")


def test_the_sdk_finds_its_bucket_in_the_settings_and_sends_no_telemetry(
    local_cloud: LocalCloud, on_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml = pytest.importorskip("yaml")
    config_schema = pytest.importorskip("sagemaker.core.config.config_schema")
    settings = yaml.safe_load(Path(variables(local_cloud)["SAGEMAKER_USER_CONFIG_OVERRIDE"]).read_text())
    pytest.importorskip("jsonschema").validate(settings, config_schema.SAGEMAKER_PYTHON_SDK_CONFIG_SCHEMA)
    modules = settings["SageMaker"]["PythonSDK"]["Modules"]
    assert modules == {
        "TelemetryOptOut": True,
        "Session": {"DefaultS3Bucket": "sagemaker-us-east-1-000000000000"},
    }


def _folder() -> str:
    return str(Path(guard.__file__).parent)


def test_nothing_but_the_guard_can_be_imported_from_its_folder() -> None:
    assert {file.name for file in Path(_folder()).glob("*.py")} == {"__init__.py", "sitecustomize.py"}


def sitecustomize() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guarding", Path(_folder(), "sitecustomize.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("service", "url", "expected"),
    [
        ("S3", "https://pictures.s3.eu-west-1.amazonaws.com/a/b?list-type=2", "http://127.0.0.1:1/pictures/a/b?list-type=2"),
        ("S3", "https://my.dotted.s3.amazonaws.com", "http://127.0.0.1:1/my.dotted/"),
        ("S3", "https://s3.dualstack.us-west-2.amazonaws.com/bucket/key", "http://127.0.0.1:1/bucket/key"),
        ("SFN", "https://sync-states.us-east-1.amazonaws.com/", "http://127.0.0.1:2/"),
        ("SageMaker Runtime", "https://runtime.sagemaker.cn-north-1.amazonaws.com.cn/x", "http://127.0.0.1:3/x"),
        ("S3", "http://localhost:9000/bucket", "http://localhost:9000/bucket"),
        ("S3", "http://bucket.s3.localhost:4566/key", "http://bucket.s3.localhost:4566/key"),
    ],
)  # fmt: skip
def test_an_address_of_aws_is_one_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, service: str, url: str, expected: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "http://local@127.0.0.1:2")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:3")
    assert sitecustomize().here(url, service) == expected


@pytest.mark.parametrize(
    "url", ["https://amazonaws.com.example.org/", "https://127.0.0.1.example.org/", "https://169.254.169.254/latest"]
)
def test_what_only_looks_like_aws_or_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(OSError, match="beyond this machine"):
        sitecustomize().here(url, "S3")


def test_without_a_local_cloud_in_the_environment_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.us-east-1.amazonaws.com")
    with pytest.raises(OSError, match=r"Calling S3: s3\.us-east-1\.amazonaws\.com is beyond"):
        sitecustomize().here("https://s3.us-east-1.amazonaws.com/", "S3")

"""A function imports what it would on AWS, written and packed as people do."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually
from local_functions import Functions

from localcloud.corrections import runtime_libraries
from localcloud.corrections.missing_libraries import hint

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
PROBE = """
import importlib, importlib.metadata, subprocess, sys

def lambda_handler(event, context):
    def tried(name):
        try:
            return importlib.import_module(name).__file__
        except ImportError as error:
            return str(error)
    child = "import boto3, importlib.util; print(importlib.util.find_spec('%s'))" % event[0]
    return {
        "found": {name: tried(name) for name in event},
        "version": importlib.metadata.version("boto3"),
        "child": subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout.strip(),
        "exit": callable(exit),
    }
"""
VENDORED = """
import boto3, requests, dateutil, tabulate, extra, typing_extensions

def lambda_handler(event, context):
    return [boto3.__version__, requests.ORIGIN, dateutil.__name__, tabulate.ORIGIN, extra.ORIGIN]
"""
HANDLER = "lambda_function.py"
OURS = ("localcloud", "ministack", "moto", "starlette", "pandas", "sagemaker", "numpy", "PIL", "scones")


def packed(files: dict[str, str]) -> bytes:
    """A zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def create(functions: Functions, archive: bytes, **settings: Any) -> str:
    """A function whose code is a zip that somebody made."""
    name = functions.create("", "lambda_function.lambda_handler", **settings)
    functions.client.update_function_code(FunctionName=name, ZipFile=archive)
    return name


def publish(functions: Functions, archive: bytes) -> str:
    name = f"layer-{uuid.uuid4().hex[:8]}"
    made = functions.client.publish_layer_version(LayerName=name, Content={"ZipFile": archive})
    arn: str = made["LayerVersionArn"]
    return arn


def test_a_function_sees_the_runtime_and_nothing_that_is_installed_beside_it(functions: Functions) -> None:
    name = create(functions, packed({HANDLER: PROBE}), Timeout=30)
    modules = [name for names in runtime_libraries.DISTRIBUTIONS.values() for name in names]
    answer = json.loads(functions.call(name, [*OURS, "sqlite3", *modules])[1])
    found = answer.pop("found")
    assert {one: found[one] for one in OURS} == {one: f"No module named '{one}'" for one in OURS}
    assert all(found[one].endswith(".py") for one in ("sqlite3", *modules))
    assert answer == {"version": boto3.__version__, "child": "None", "exit": True}


def test_a_missing_library_fails_as_on_aws_and_only_the_log_says_what_would_bring_it(functions: Functions) -> None:
    name = create(functions, packed({HANDLER: "import os\nfrom PIL import Image\n"}))
    kind, payload, log = functions.call(name)
    error = json.loads(payload)
    assert (kind, error["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert error["errorMessage"] == "Unable to import module 'lambda_function': No module named 'PIL'"
    (line,) = [line for line in log.split("\n") if line.startswith("localcloud: ")]
    assert "pip install --target python pillow" in line
    assert "localcloud" not in payload.decode()


def test_a_state_machine_catches_a_missing_library_by_the_name_that_aws_gives_it(
    functions: Functions, local_cloud: LocalCloud
) -> None:
    name = create(functions, packed({HANDLER: "import pandas as pd\n"}))
    states = boto3.Session("test", "test", region_name="us-east-1").client(
        "stepfunctions", endpoint_url=local_cloud.addresses.ministack
    )
    catch = [{"ErrorEquals": ["Runtime.ImportModuleError"], "Next": "Caught"}]
    resource = functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    task = {"Type": "Task", "Resource": resource, "Catch": catch, "End": True}
    machine = {"StartAt": "Call", "States": {"Call": task, "Caught": {"Type": "Pass", "End": True}}}
    arn = states.create_state_machine(name=name, definition=json.dumps(machine), roleArn=ANY_ROLE)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]

    eventually(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    caught = json.loads(states.describe_execution(executionArn=execution)["output"])
    cause = json.loads(caught["Cause"])
    assert caught["Error"] == "Runtime.ImportModuleError"
    assert cause["errorMessage"] == "Unable to import module 'lambda_function': No module named 'pandas'"


def test_a_library_that_is_missing_in_the_middle_is_an_error_of_the_handler(functions: Functions) -> None:
    source = "def lambda_handler(event, context):\n    import sagemaker\n"
    kind, payload, log = functions.call(create(functions, packed({HANDLER: source})))
    assert (kind, json.loads(payload)["errorType"]) == ("Unhandled", "ModuleNotFoundError")
    assert "localcloud: sagemaker is no part of Lambda's Python runtime" in log


def test_code_comes_before_layers_and_later_layers_before_the_runtime(functions: Functions) -> None:
    """A zip with its libraries beside the handler, layers made with `pip install -t python/`, a boto3 of one's own."""
    boto3_too = {"boto3/__init__.py": "__version__ = 'mine'", "requests/__init__.py": "ORIGIN = 'code'"}
    code = packed({HANDLER: VENDORED, "typing_extensions.py": "", **boto3_too})
    of_first = ("tabulate.py", "extra.py", "requests.py")
    first = packed({f"python/{name}": "ORIGIN = 'first'" for name in of_first})
    site_packages = f"python/lib/python{VERSION}/site-packages"
    second = packed({"python/tabulate.py": "ORIGIN = 'second'", f"{site_packages}/extra.py": "ORIGIN = 'lib'"})
    name = create(functions, code, Layers=[publish(functions, first), publish(functions, second)])
    _, payload, log = functions.call(name)
    assert json.loads(payload) == ["mine", "code", "dateutil", "second", "lib"], log


def test_a_layer_may_have_its_own_boto3_and_pth_files_count(functions: Functions) -> None:
    boto3_too = {"python/boto3/__init__.py": "__version__ = 'of the layer'"}
    layer = packed({"python/nested/deep.py": "VALUE = 7", "python/nested.pth": "nested\n", **boto3_too})
    source = "import boto3, deep\ndef lambda_handler(event, context):\n    return [boto3.__version__, deep.VALUE]\n"
    name = create(functions, packed({HANDLER: source}), Layers=[publish(functions, layer)])
    assert json.loads(functions.call(name)[1]) == ["of the layer", 7]


def test_a_path_of_the_functions_own_replaces_that_of_layers(functions: Functions) -> None:
    source = "import vendored, boto3\ndef lambda_handler(event, context):\n    return vendored.VALUE\n"
    code = packed({HANDLER: source, "lib/vendored.py": "VALUE = 8"})
    name = create(functions, code, Environment={"Variables": {"PYTHONPATH": "/var/task/lib:lib"}})
    assert json.loads(functions.call(name)[1]) == 8


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("Unable to import module 'a': No module named 'sklearn'", "pip install --target python scikit-learn"),
        ("No module named 'no_such_thing'", "pip install --target python no_such_thing"),
        ("No module named 'pandas'", f"AWSSDKPandas-Python{VERSION.replace('.', '')} "),
        ("No module named 'pydantic_core._pydantic_core'", "built for another Python or platform"),
        ("cannot import name '_imaging' from 'PIL' (/opt/python/PIL/__init__.py)", "another Python or platform"),
        ("division by zero", ""),
    ],
)
def test_the_hint_names_what_to_install(problem: str, said: str) -> None:
    line = hint(problem, f"python{VERSION}")
    assert said in line
    assert bool(line) == bool(said)
    assert "which runs" not in line


def test_the_hint_says_when_the_runtime_is_another_python() -> None:
    assert f"must be for python{VERSION}, which runs python3.9 functions here" in hint(
        "No module named 'x'", "python3.9"
    )


def test_the_folder_has_no_more_than_the_runtime(tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    runtime_libraries.make_packages(folder)
    names = {path.name.partition(".")[0].partition("-")[0] for path in folder.iterdir()}
    modules = {module for names in runtime_libraries.DISTRIBUTIONS.values() for module in names}
    assert names - {"__pycache__", "runtime_client", "python_dateutil"} == modules
    program = "import sys; sys.path.append(sys.argv[1]); import boto3, awslambdaric.bootstrap, six; print(six.__file__)"
    command = [runtime_libraries.interpreter(), "-S", "-s", "-c", program, str(folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(folder / "six.py")


def test_a_library_of_the_runtime_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(runtime_libraries.DISTRIBUTIONS, "no-such-thing", ("no_such_thing",))
    with pytest.raises(
        runtime_libraries.MissingLibraryError,
        match="needs no_such_thing, and it is not installed: pip install no-such-thing",
    ):
        runtime_libraries.make_packages(tmp_path / "packages")

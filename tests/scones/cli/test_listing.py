"""`scones executions`, `models`, `logs` and `status --wait` as an operator types them, and what Tab offers."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from cloud_fixtures import LocalCloud, eventually
from commands import run_scones
from dashboard_support import EVALUATION, Project, Sit, made, register, resources
from engine_support import ROLE, condition, definition, fail, processing
from local_functions import Functions

from pipelines.runs import in_service
from pipelines.runs.in_service import InService
from project.errors import ExecutionFailedError, UsageError
from scones.cli.main import scones

PARAMETERS = [
    {"Name": "Word", "Type": "String", "DefaultValue": "nothing"},
    {"Name": "Share", "Type": "Float", "DefaultValue": 0.0},
]


@pytest.fixture(scope="session")
def operated(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline says a word and fails, run once with a word of its own."""
    project = made(local_cloud, "listing", tmp_path_factory.mktemp("listing"))
    resources(project)
    say = processing("Say", {"Get": "Parameters.Word"})
    say["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-c", "import sys; print(*sys.argv[1:])"]
    unequal = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Word"}, "RightValue": "x"}
    check = condition("Check", unequal, yes=[], no=[fail("Stop", "as it should")], DependsOn=["Say"])
    sagemaker = project.clients["sagemaker"]
    text = definition(say, check, parameters=PARAMETERS)
    sagemaker.create_pipeline(PipelineName=project.name, PipelineDefinition=text, RoleArn=ROLE)
    given = [{"Name": "Word", "Value": "hello"}, {"Name": "Share", "Value": "0"}]
    arn = sagemaker.start_pipeline_execution(
        PipelineName=project.name, PipelineExecutionDisplayName="first", PipelineParameters=given
    )["PipelineExecutionArn"]
    eventually(
        lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Failed"
    )
    return project


@pytest.fixture(autouse=True)
def there(operated: Project, at_desk: Sit) -> None:
    at_desk(operated)


def command(*words: str) -> Result:
    return CliRunner().invoke(scones, words)


def offered(begun: str, *words: str) -> list[str]:
    return [
        one.value for one in ShellComplete(scones, {}, "scones", "_SCONES_COMPLETE").get_completions([*words], begun)
    ]


def test_executions_say_how_they_ended_and_what_was_not_the_default() -> None:
    [told] = json.loads(command("executions", "--json").stdout)
    assert (told["display_name"], told["status"], told["differs"]) == ("first", "Failed", {"Word": "hello"})
    assert told["seconds"] > 0
    header, row = command("executions", "--status", "failed").stdout.splitlines()
    assert header.split() == ["EXECUTION", "NAME", "STATUS", "STARTED", "(UTC)", "TOOK", "DIFFERS", "IN"]
    assert (row.split()[:3], row.split()[-1]) == ([told["id"], "first", "Failed"], "Word=hello")
    none = command("executions", "--status", "Succeeded")
    assert (none.stdout, none.stderr) == ("", "There is no such execution.\n")


def test_waiting_for_one_that_has_ended_ends_as_start_does() -> None:
    result = command("status", "first", "--wait")
    assert isinstance(result.exception, ExecutionFailedError) and "Stop: as it should" in str(result.exception)
    assert any(line.split()[:2] == ["Say", "Succeeded"] for line in result.stdout.splitlines())


def test_the_log_of_a_step_is_its_jobs() -> None:
    assert "hello" in command("logs", "Say").stdout.splitlines()
    told = json.loads(command("logs", "Say", "--execution", "first", "--json").stdout)
    assert told["kind"] == "processing job" and "hello" in told["lines"]
    assert command("logs", told["name"], "--follow").stdout == command("logs", "Say").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Stop",), "Step Stop (Fail) of execution"),
        (("Sya",), "Steps: Say, Check, Stop."),
        (("Say", "--follow", "--json"), "--follow has no end"),
    ],
)
def test_what_has_no_log_says_so(words: tuple[str, ...], said: str) -> None:
    result = command("logs", *words)
    assert isinstance(result.exception, UsageError) and said in str(result.exception)


def test_the_log_of_a_function(functions: Functions) -> None:
    name = functions.create("def handler(event, context):\n    print('called with', event)\n")
    assert "has written nothing" in command("logs", name).stderr
    functions.call(name, 7)
    assert "called with 7" in command("logs", name).stdout.splitlines()


def test_models_show_metrics_decisions_and_which_is_live(operated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "has no model yet" in command("models").stderr
    operated.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=operated.name)
    metrics = {"accuracy": 0.9, "accuracy_low": 0.85, "accuracy_high": 0.94, "auc": 0.97}
    operated.put(f"{EVALUATION}/evaluation.json", json.dumps({"metrics": metrics}))
    first = register(operated)
    register(operated)
    monkeypatch.setattr(in_service, "found", lambda: InService(first, None, first))
    assert command("approve", "1", "--comment", "better on bicycles").exit_code == 0
    newest, live = json.loads(command("models", "--json").stdout)
    assert (newest["number"], newest["approval"], newest["decided"]) == (2, "PendingManualApproval", None)
    assert (live["live"], live["comment"], live["metrics"]) == (True, "better on bicycles", metrics)
    assert live["decided"] >= live["registered"]
    row = command("models").stdout.splitlines()[2].split()
    assert row[:7] == ["1", "Approved", "live", "0.9000", "(0.850", "to", "0.940)"]
    assert offered("", "approve") == ["2", "1"]


def test_tab_offers_executions_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered("fi", "status") == ["first"]
    assert offered("S", "logs") == ["Say"]
    assert offered("exec") == ["executions"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:9")
    assert offered("", "status") == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("logs", "Sya"), 2, "Nothing is called 'Sya'"),
        (("executions", "--most", "0"), 2, "Invalid value for '--most'"),
        (("nonsense",), 2, "No such command `nonsense`."),
        (("endpoint", "start"), 2, "No such option"),
        (("local", "env", "--state", "nowhere"), 1, "The local cloud"),
    ],
)
def test_with_json_an_error_is_a_document(operated: Project, words: tuple[str, ...], code: int, message: str) -> None:
    done = run_scones(*words, "--json", environment=_environment(operated), folder=operated.folder)
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert (done.returncode, error["exit_code"]) == (code, code)
    assert error["message"].startswith(message) and error["fix"]
    assert error["message"] in done.stderr


def test_an_error_never_joins_a_document_that_is_there(operated: Project) -> None:
    words = ("status", "first", "--wait", "--json")
    done = run_scones(*words, environment=_environment(operated), folder=operated.folder)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, "Failed")
    assert "Stop: as it should" in done.stderr


def _environment(project: Project) -> dict[str, str]:
    return {**os.environ, **project.variables}

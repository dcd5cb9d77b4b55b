"""What the verbs for an execution that is there ask of AWS: which one is meant, status, resume and stop."""

from __future__ import annotations

import json

import pytest
from pipeline_calls import EXECUTION, PIPELINE, describe_execution, failure, list_executions, list_steps, run, step
from service_stubs import Stubs

from pipelines.runs import executions
from project.errors import UsageError

pytestmark = pytest.mark.usefixtures("golden_pipeline")


def test_an_execution_is_found_by_id_by_display_name_and_as_the_latest(stubs: Stubs) -> None:
    older = {"PipelineExecutionArn": EXECUTION, "PipelineExecutionDisplayName": "baseline"}
    newer = {"PipelineExecutionArn": EXECUTION.replace("abc", "xyz")}
    for wanted, found in (
        (None, newer),
        ("abcdefghijkl", older),
        ("baseline", older),
    ):
        list_executions(stubs["sagemaker"], newer, older)
        assert executions.resolve(PIPELINE, wanted) == found["PipelineExecutionArn"]
    assert executions.resolve(PIPELINE, EXECUTION) == EXECUTION
    list_executions(stubs["sagemaker"], newer)
    with pytest.raises(UsageError, match="'nothing'"):
        executions.resolve(PIPELINE, "nothing")
    list_executions(stubs["sagemaker"])
    with pytest.raises(UsageError, match="no execution yet"):
        executions.resolve(PIPELINE, None)
    stubs["sagemaker"].add_client_error("list_pipeline_executions", "ResourceNotFound", "no such pipeline", 400)
    with pytest.raises(UsageError, match="scones upsert"):
        executions.resolve(PIPELINE, None)


def test_status_shows_the_steps(stubs: Stubs) -> None:
    for _ in range(2):
        describe_execution(stubs["sagemaker"], "Executing")
        list_steps(stubs["sagemaker"], step("ExtractCifar", "Succeeded"), step("Train", "Executing"))
    text = run("status", EXECUTION).stdout.splitlines()
    assert text[0] == "abcdefghijkl  Executing, started 2026-11-20 10:00:00 UTC"
    assert text[2].split() == ["ExtractCifar", "Succeeded", "12.3", "s"]
    answer = json.loads(run("status", EXECUTION, "--json").stdout)
    assert [s["name"] for s in answer["steps"]] == ["ExtractCifar", "Train"]


def test_resume_retries_what_failed_and_refuses_what_runs(stubs: Stubs) -> None:
    describe_execution(stubs["sagemaker"], "Failed")
    expected = {"PipelineExecutionArn": EXECUTION}
    stubs["sagemaker"].add_response("retry_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    assert run("resume", EXECUTION).stdout == f"{EXECUTION}\n"
    describe_execution(stubs["sagemaker"], "Executing")
    assert "nothing to resume" in str(failure(run("resume", EXECUTION)))


def test_stop_stops_what_runs_and_refuses_what_has_ended(stubs: Stubs) -> None:
    sagemaker = stubs["sagemaker"]
    describe_execution(sagemaker, "Executing")
    expected = {"PipelineExecutionArn": EXECUTION}
    sagemaker.add_response("stop_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    for status in ("Stopping", "Stopped", "Stopped"):
        describe_execution(sagemaker, status)
        list_steps(sagemaker, step("Train", status))
    result = run("stop", EXECUTION, "--wait")
    assert result.exit_code == 0 and "Stopped" in result.stdout
    describe_execution(sagemaker, "Succeeded")
    assert "nothing to stop" in str(failure(run("stop", EXECUTION)))

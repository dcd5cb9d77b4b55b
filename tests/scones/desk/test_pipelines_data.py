"""How much is asked for a list of executions: of many, and when it is drawn again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from cloud_fixtures import LocalCloud, eventually
from dashboard_support import Project, Sit, made, resources
from engine_support import at_least, condition, definition, fail

from project import aws
from scones.desk.data import pipelines
from scones.desk.data.pipelines import Created, Pipelines

NAME, MANY = "quick-one", 40
ODD = "1"


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Executions of which every second one fails, each with a parameter of its own."""
    found = made(local_cloud, "desk-listing", tmp_path_factory.mktemp("listing"))
    resources(found)
    names = [{"Name": name, "Type": "Integer", "DefaultValue": 0} for name in ("Odd", "Number")]
    ends = condition("Ends", at_least({"Get": "Parameters.Odd"}, 1), yes=[fail("Odd", "odd")])
    sagemaker = found.clients["sagemaker"]
    sagemaker.create_pipeline(
        PipelineName=NAME,
        PipelineDefinition=definition(ends, parameters=names),
        RoleArn="arn:aws:iam::000000000000:role/any",
    )
    started = []
    for number in range(MANY):
        given = [{"Name": "Number", "Value": str(number)}, {"Name": "Odd", "Value": str(number % 2)}]
        answer = sagemaker.start_pipeline_execution(PipelineName=NAME, PipelineParameters=given)
        started.append(answer["PipelineExecutionArn"])
    for arn in started:
        eventually(
            lambda arn=arn: (
                sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
                in ("Failed", "Succeeded")
            )
        )
    return found


@pytest.fixture
def asked(project: Project, at_desk: Sit) -> Counter[str]:
    """How often each operation of SageMaker was called."""
    at_desk(project)
    counts: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        counts[model.name] += 1

    aws.client("sagemaker").meta.events.register("before-call.sagemaker", count)
    return counts


def test_only_what_is_shown_is_asked_about_and_what_has_ended_only_once(asked: Counter[str]) -> None:
    desk = Pipelines()
    first = desk.executions(NAME, (), 10)
    assert [one.differs["Number"] for one in first.found] == [str(MANY - 1 - n) for n in range(10)]
    assert not first.is_all
    assert asked["ListPipelineExecutions"] == 1 and asked["DescribePipelineExecution"] == 10
    asked.clear()
    assert desk.executions(NAME, (), 10) == first
    assert dict(asked) == {"ListPipelineExecutions": 1}


def test_a_state_is_searched_for_in_the_whole_list_up_to_a_bound(
    asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "PAGE", 7)
    desk = Pipelines()
    found = desk.executions(NAME, ("Failed",), 100)
    assert found.is_all and found.looked_at == MANY and len(found.found) == MANY // 2
    assert {one.status for one in found.found} == {"Failed"} and {one.differs["Odd"] for one in found.found} == {ODD}
    assert asked["ListPipelineExecutions"] == 6
    monkeypatch.setattr(pipelines, "MOST_LOOKED_AT", 10)
    bounded = desk.executions(NAME, ("Failed",), 100)
    assert not bounded.is_all and bounded.looked_at == 10 and len(bounded.found) == 5


def test_what_is_kept_has_a_bound(asked: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "MOST_KEPT", 5)
    desk = Pipelines()
    desk.executions(NAME, (), 10)
    desk.executions(NAME, (), 10)
    assert len(desk._ended) <= 5 and len(desk._differs) <= 5


def test_a_time_is_searched_by_the_service_itself(project: Project, asked: Counter[str]) -> None:
    desk = Pipelines()
    every = desk.executions(NAME, (), MANY)
    second = every.found[0].started.replace(microsecond=0)  # boto3 sends whole seconds
    earlier, later = (desk.executions(NAME, (), MANY, one) for one in (Created(before=second), Created(after=second)))
    assert later.found and all(one.started >= second for one in later.found)
    assert all(one.started <= second for one in earlier.found)
    assert {one.arn for one in (*earlier.found, *later.found)} == {one.arn for one in every.found}
    assert earlier.looked_at == len(earlier.found), "nothing else was handed over"
    assert len(desk.executions(NAME, (), MANY, Created(seconds=3600)).found) == MANY
    assert desk.executions(NAME, (), MANY, Created(seconds=0)).found == []
    assert {one.status for one in desk.executions(NAME, ("Failed",), MANY, Created(after=second)).found} == {"Failed"}

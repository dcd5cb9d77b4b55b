"""The page Pipelines, over a pipeline that is none of ours: what it lists, what a step tells, what people may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from dashboard_support import Project, Sit, made, resources
from engine_support import processing
from foreign_pipeline import MARKUP, ForeignPipeline
from page_support import AppTest, healthy, page, words

from project import aws
from scones.desk import desk

NAME = "somebody-elses"


@dataclass(frozen=True)
class Runs:
    """One execution that failed after an answer, and one that waits for its answer; its first step was cached."""

    pipeline: ForeignPipeline
    ended: str
    waits: str


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = made(local_cloud, "desk-pipes", tmp_path_factory.mktemp("pipes"))
    resources(found)
    return found


@pytest.fixture(scope="module")
def runs(project: Project, local_cloud: LocalCloud) -> Iterator[Runs]:
    sqs = boto3.Session("test", "test", region_name="us-east-1").client(
        "sqs", endpoint_url=local_cloud.addresses.ministack
    )
    if "bucket" not in [one["Name"] for one in project.clients["s3"].list_buckets()["Buckets"]]:
        project.clients["s3"].create_bucket(Bucket="bucket")
    pipeline = ForeignPipeline(project.clients["sagemaker"], sqs, NAME)
    ended = pipeline.start("ended", Note=MARKUP)
    pipeline.answer(pipeline.wait_for_question(), MARKUP)
    pipeline.wait(ended)
    waits = pipeline.start("waits")
    token = pipeline.wait_for_question()
    yield Runs(pipeline, ended, waits)
    if pipeline.status(waits) in ("Executing", "Stopping"):
        pipeline.answer(token, "go on")
        pipeline.wait(waits)


def opened(**parameters: str | list[str]) -> AppTest:
    desk.forget_answers()  # as after a while
    """The page at an address."""
    script = "from scones.desk.app import page\nfrom scones.desk.views import pipelines\npage(pipelines.show)()"
    app = AppTest.from_string(script, default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def drawn(app: AppTest) -> str:
    """The HTML of the tables and graphs."""
    return "".join(json.loads(one.proto.json)["html"] for one in app.get("bidi_component"))


def cells(app: AppTest) -> str:
    return "\n".join(one.value.to_string() for one in app.table).replace("\\", "")


def identifier(arn: str) -> str:
    return arn.rpartition("/")[2]


def test_executions_of_any_pipeline_are_listed_with_what_was_different(
    runs: Runs, project: Project, at_desk: Sit
) -> None:
    at_desk(project)
    app = opened(pipeline=NAME)
    healthy(app)
    [choice] = [box for box in app.selectbox if box.label == "Pipeline"]
    assert choice.value == NAME and "desk-pipes (this project's)" in choice.options
    table = drawn(app)
    assert f"?pipeline={NAME}&amp;execution={identifier(runs.ended)}" in table
    assert table.index(">waits<") < table.index(">ended<") and ">Running<" in table and ">Failed<" in table
    assert "Note = &lt;img src=x" in table and "<img" not in table and "Rows" not in table


def test_a_state_chosen_in_the_address_filters(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project)
    app = opened(pipeline=NAME, state="Failed")
    assert ">ended<" in drawn(app) and ">waits<" not in drawn(app)
    assert "no such execution" in words(opened(pipeline=NAME, state="Succeeded"))
    assert "no pipeline nobodys yet" in words(opened(pipeline="nobodys"))


def test_a_time_in_the_address_filters(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project)
    today = datetime.now(UTC).date()
    for days in ([f"{today - timedelta(days=1)}", f"{today + timedelta(days=1)}"], [f"{today - timedelta(days=1)}"]):
        app = opened(pipeline=NAME, days=days)
        healthy(app)
        assert ">ended<" in drawn(app) and ">waits<" in drawn(app)
        [period] = [one for one in app.get("button_group") if one.label == "Period"]
        assert period.disabled, "days take its place"
    assert ">waits<" in drawn(opened(pipeline=NAME, period="24 hours"))
    app = opened(pipeline=NAME, days=["2020-01-01", "2020-01-31"])
    healthy(app)
    assert "no such execution in this time" in words(app)


def test_an_execution_shows_its_graph_and_first_of_all_the_step_that_failed(
    runs: Runs, project: Project, at_desk: Sit
) -> None:
    at_desk(project)
    app = opened(pipeline=NAME, execution=identifier(runs.ended))
    healthy_but_for_the_step(app, "AlgorithmError")
    graph = drawn(app)
    assert 'data-step="Tidy"' in graph and "score.auc &gt;= 0.5: yes" in graph.replace("</text>", " ")
    assert "TooBad, Fail, not taken, if IsGood: no" in graph
    assert "nothing to tidy" in words(app)
    assert "Note" in cells(app) and MARKUP in cells(app)


def healthy_but_for_the_step(app: AppTest, reason: str) -> None:
    """The only errors that are shown are the execution's own."""
    assert not app.exception, [one.value for one in app.exception]
    assert all(reason in one.value for one in app.error), [one.value for one in app.error]


def test_a_step_shows_inputs_outputs_metrics_and_its_log(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project)
    app = opened(pipeline=NAME, execution=identifier(runs.ended), step="Measure")
    healthy_but_for_the_step(app, "Tidy")
    assert f"measuring 50 {MARKUP}" in words(app)
    told = cells(app)
    assert "s3://bucket/" in told and "report" in told
    assert "score.auc" in told and "0.91" in told, "numbers of the property file"
    assert MARKUP in words(app), "the description, letter by letter"


def test_a_cached_step_leads_to_the_execution_that_ran_it(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project)
    app = opened(pipeline=NAME, execution=identifier(runs.waits), step="Measure")
    healthy(app)
    assert f"execution={identifier(runs.ended)}&amp;step=Measure" in drawn(app)
    assert "pipeline-graph-cached" in drawn(app) and f"measuring 50 {MARKUP}" in words(app)


def test_a_step_that_asks_a_queue_shows_no_token(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project)
    app = opened(pipeline=NAME, execution=identifier(runs.waits), step="AskSomebody")
    healthy(app)
    listed = project.clients["sagemaker"].list_pipeline_execution_steps(PipelineExecutionArn=runs.waits)
    [token] = [
        s["Metadata"]["Callback"]["CallbackToken"]
        for s in listed["PipelineExecutionSteps"]
        if "Callback" in s["Metadata"]
    ]
    assert token not in words(app) + cells(app) + drawn(app)
    assert "queue" in cells(app) and "looks again every 3 seconds" in words(app)


def test_without_the_option_nothing_may_be_changed_and_the_page_says_why(
    runs: Runs, project: Project, at_desk: Sit
) -> None:
    at_desk(project)
    for app in (opened(pipeline=NAME), opened(pipeline=NAME, execution=identifier(runs.waits))):
        writing = [one for one in app.button if one.label in ("Start", "Stop now", "Resume now")]
        assert writing and all(one.disabled for one in writing)
        assert "Read-only" in words(app)


def test_an_execution_is_stopped_only_when_asked_twice(runs: Runs, project: Project, at_desk: Sit) -> None:
    at_desk(project, True)
    arn = runs.pipeline.start("to-be-stopped")
    token = runs.pipeline.wait_for_question()
    app = opened(pipeline=NAME, execution=identifier(arn))
    app.button(key="Stop-now").click().run()
    healthy_but_for_the_step(app, "AlgorithmError")
    assert runs.pipeline.status(arn) in ("Stopping", "Stopped")
    runs.pipeline.answer(token, "nobody waits any more")
    runs.pipeline.wait(arn)
    app = opened(pipeline=NAME, execution=identifier(arn))
    app.button(key="Resume-now").click().run()
    eventually(lambda: runs.pipeline.status(arn) != "Stopped")
    runs.pipeline.wait(arn)


def test_another_pipeline_takes_what_its_service_takes(runs: Runs, project: Project, at_desk: Sit) -> None:
    """Epochs is also a parameter of ours, whose bound is 1,000."""
    at_desk(project, True)
    app = opened(pipeline=NAME)
    app.text_input(key=f"start-{NAME}--Rows").set_value("many")
    start(app)
    [error] = app.error
    assert "Rows" in error.value and not app.exception
    app.text_input(key=f"start-{NAME}--Rows").set_value("5000")
    app.text_input(key=f"start-{NAME}--Epochs").set_value("200000")
    start(app)
    arn = f"{runs.ended.rpartition('/')[0]}/{app.query_params['execution']}"  # the page went there
    given = project.clients["sagemaker"].list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert {one["Name"]: one["Value"] for one in given["PipelineParameters"] if one["Name"] != "Note"} == {
        "Rows": "5000",
        "Epochs": "200000",
    }
    runs.pipeline.answer(runs.pipeline.wait_for_question(), "")
    runs.pipeline.wait(arn)


def start(app: AppTest) -> None:
    next(one for one in app.button if one.label == "Start").click().run()


def test_ours_is_held_to_the_bounds_of_scones_start(project: Project, at_desk: Sit) -> None:
    epochs = {"Name": "Epochs", "Type": "Integer", "DefaultValue": 30}
    definition = {"Version": "2020-12-01", "Parameters": [epochs], "Steps": [processing("Only")]}
    sagemaker = project.clients["sagemaker"]
    sagemaker.create_pipeline(
        PipelineName=project.name,
        PipelineDefinition=json.dumps(definition),
        RoleArn="arn:aws:iam::000000000000:role/any",
    )
    at_desk(project, True)
    app = page("Pipelines")
    app.text_input(key=f"start-{project.name}--Epochs").set_value("200000")
    start(app)
    assert "Parameter Epochs is" in app.error[0].value.replace("\\", "")
    assert sagemaker.list_pipeline_executions(PipelineName=project.name)["PipelineExecutionSummaries"] == []


@pytest.mark.parametrize(
    ("code", "operation", "says"),
    [
        ("ThrottlingException", "ListPipelineExecutions", "try again in a minute"),
        ("AccessDeniedException", "ListPipelines", "policy lacks this action"),
        ("AccessDeniedException", "DescribePipeline", "policy lacks this action"),
        ("AccessDeniedException", "DescribePipelineDefinitionForExecution", "policy lacks this action"),
        ("AccessDeniedException", "DescribeProcessingJob", "policy lacks this action"),
        ("AccessDeniedException", "GetLogEvents", "policy lacks this action"),
    ],
)
def test_what_the_service_refuses_is_one_sentence(
    code: str, operation: str, says: str, runs: Runs, project: Project, at_desk: Sit
) -> None:
    at_desk(project)
    client = aws.client("logs" if operation == "GetLogEvents" else "sagemaker")

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    client.meta.events.register(f"before-call.*.{operation}", refuse)
    listing = operation.startswith("ListPipelineE")
    app = opened(pipeline=NAME) if listing else opened(pipeline=NAME, execution=identifier(runs.ended), step="Measure")
    assert not app.exception
    assert sum(says in one.value for one in app.error) == 1, [one.value for one in app.error]

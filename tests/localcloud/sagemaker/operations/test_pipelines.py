"""The operations of pipelines and executions, as a client finds them: shapes, errors, order, pages, idempotency."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_support import ROLE, RUNNING, World, condition, definition, fail, processing

from localcloud.sagemaker.engine import records
from localcloud.sagemaker.errors import ServiceError

EPOCHS = {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3}
ONE = definition(processing("A"), parameters=[EPOCHS])
TWO = definition(processing("A"), processing("B"), parameters=[EPOCHS])


def refusal(world: World, operation: str, **request: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        world.cloud.call(operation, request)
    return caught.value


def update(world: World, **members: Any) -> int:
    version: int = world.cloud.call("UpdatePipeline", {"PipelineName": "p", **members})["PipelineVersionId"]
    return version


def test_a_pipeline_is_described_as_it_was_created(world: World) -> None:
    world.create(ONE, PipelineDescription="words", Tags=[{"Key": "project", "Value": "bikes"}])
    found = world.cloud.call("DescribePipeline", {"PipelineName": "p"})
    assert json.loads(found["PipelineDefinition"]) == json.loads(ONE)
    assert found["PipelineArn"] == "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p"
    expected = {"PipelineStatus": "Active", "RoleArn": ROLE, "PipelineDescription": "words", "PipelineDisplayName": "p"}
    assert expected.items() <= found.items()
    tags = world.cloud.call("ListTags", {"ResourceArn": found["PipelineArn"]})["Tags"]
    assert tags == [{"Key": "project", "Value": "bikes"}]
    assert world.cloud.call("DescribePipeline", {"PipelineName": found["PipelineArn"]}) == found


def test_a_second_pipeline_of_that_name_is_refused_in_the_words_that_upsert_looks_for(world: World) -> None:
    world.create(ONE)
    request = {"PipelineName": "p", "PipelineDefinition": ONE, "RoleArn": ROLE, "ClientRequestToken": "u" * 32}
    error = refusal(world, "CreatePipeline", **request)
    assert error.code == "ValidationException"
    assert "must be unique within an AWS account" in error.message


def test_creating_twice_with_one_token_is_creating_once(world: World) -> None:
    world.create(ONE)
    world.create(ONE)
    assert len(world.cloud.call("ListPipelines", {})["PipelineSummaries"]) == 1


def test_a_definition_that_cannot_run_is_refused_and_nothing_is_stored(world: World) -> None:
    with pytest.raises(ServiceError, match=r"Unable to parse pipeline definition\..*'Odd' is of type EMR"):
        world.create(definition({"Name": "Odd", "Type": "EMR", "Arguments": {}}))
    assert world.cloud.call("ListPipelines", {})["PipelineSummaries"] == []


def test_a_definition_may_lie_in_s3(world: World) -> None:
    world.s3.objects["s3://bucket/definition.json"] = ONE
    place = {"Bucket": "bucket", "ObjectKey": "definition.json"}
    request = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": "t" * 32}
    world.cloud.call("CreatePipeline", {**request, "PipelineDefinitionS3Location": place})
    assert world.cloud.call("DescribePipeline", {"PipelineName": "p"})["PipelineDefinition"] == ONE
    missing = {**place, "ObjectKey": "other.json"}
    error = refusal(world, "UpdatePipeline", PipelineName="p", PipelineDefinitionS3Location=missing)
    assert "s3://bucket/other.json cannot be read" in error.message
    both = refusal(world, "CreatePipeline", **request, PipelineDefinition=ONE, PipelineDefinitionS3Location=place)
    assert "Only one of" in both.message
    assert "is required" in refusal(world, "CreatePipeline", **request).message


def test_an_update_with_another_definition_is_a_new_version(world: World) -> None:
    world.create(ONE)
    assert update(world, PipelineDefinition=ONE) == 1
    assert update(world, PipelineDefinition=TWO) == 2
    assert update(world, PipelineDescription="later") == 2
    describe = {"PipelineName": "p", "PipelineVersionId": 1}
    assert world.cloud.call("DescribePipeline", describe)["PipelineDefinition"] == ONE
    assert world.cloud.call("DescribePipeline", {"PipelineName": "p"})["PipelineDefinition"] == TWO
    versions = world.cloud.call("ListPipelineVersions", {"PipelineName": "p"})["PipelineVersionSummaries"]
    assert [version["PipelineVersionId"] for version in versions] == [2, 1]
    assert "has no version 3" in refusal(world, "DescribePipeline", PipelineName="p", PipelineVersionId=3).message


def test_a_version_can_be_named(world: World) -> None:
    world.create(ONE)
    arn = world.cloud.arn("pipeline/p")
    request = {"PipelineArn": arn, "PipelineVersionId": 1, "PipelineVersionDisplayName": "first"}
    assert world.cloud.call("UpdatePipelineVersion", request) == {"PipelineArn": arn, "PipelineVersionId": 1}
    assert world.cloud.call("DescribePipeline", {"PipelineName": "p"})["PipelineVersionDisplayName"] == "first"


def test_an_execution_runs_the_version_that_it_was_started_with(world: World) -> None:
    world.create(ONE)
    world.behave("A", RUNNING)
    arn = world.start()
    world.until(lambda: "A" in world.created)
    update(world, PipelineDefinition=TWO)
    world.end_job("A")
    assert world.wait(arn)["PipelineVersionId"] == 1
    assert set(world.steps(arn)) == {"A"}
    asked = {"PipelineExecutionArn": arn}
    assert world.cloud.call("DescribePipelineDefinitionForExecution", asked)["PipelineDefinition"] == ONE
    world.behave("A", "Completed")
    execution, steps = world.run(PipelineVersionId=1)
    assert (execution["PipelineVersionId"], set(steps)) == (1, {"A"})


def test_pipelines_are_listed_by_time_or_name_and_by_prefix(world: World) -> None:
    for name in ("b-two", "a-one", "b-one"):
        world.create(ONE, name=name)

    def names(**request: Any) -> list[str]:
        found = world.cloud.call("ListPipelines", request)["PipelineSummaries"]
        return [pipeline["PipelineName"] for pipeline in found]

    assert names() == ["b-one", "a-one", "b-two"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a-one", "b-one", "b-two"]
    assert names(PipelineNamePrefix="b") == ["b-one", "b-two"]


def test_a_pipeline_is_not_deleted_while_it_runs_and_takes_its_executions_with_it(world: World) -> None:
    world.create(ONE)
    world.behave("A", RUNNING)
    arn = world.start()
    world.until(lambda: "A" in world.created)
    delete = {"PipelineName": "p", "ClientRequestToken": "d" * 32}
    error = refusal(world, "DeletePipeline", **delete)
    assert error.code == "ConflictException"
    assert arn in error.message
    world.end_job("A")
    world.wait(arn)
    world.cloud.call("DeletePipeline", delete)
    assert refusal(world, "DescribePipeline", PipelineName="p").code == "ResourceNotFound"
    assert refusal(world, "DescribePipelineExecution", PipelineExecutionArn=arn).code == "ResourceNotFound"
    for kind in (records.VERSION, records.EXECUTION, records.STEP, records.TOKEN, records.CACHE):
        assert world.cloud.store.page(kind)[0] == []


def test_an_execution_has_an_arn_a_name_and_parameters(world: World) -> None:
    world.create(ONE, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    execution, _ = world.run(PipelineParameters=[{"Name": "Epochs", "Value": "5"}], PipelineExecutionDescription="d")
    arn = execution["PipelineExecutionArn"]
    pipeline, _, identity = arn.rpartition("/execution/")
    assert pipeline == execution["PipelineArn"]
    assert len(identity) == 12
    assert set(identity) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert execution["PipelineExecutionDisplayName"].startswith("execution-")
    assert execution["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    assert execution["PipelineExecutionDescription"] == "d"
    found = world.cloud.call("ListPipelineParametersForExecution", {"PipelineExecutionArn": arn})
    assert found == {"PipelineParameters": [{"Name": "Epochs", "Value": "5"}]}


def test_arns_are_found_whatever_the_case_of_their_letters(world: World) -> None:
    world.create(ONE, name="Bikes")
    arn = world.start(name="Bikes")
    assert world.wait(arn.replace("/Bikes/", "/bikes/"))["PipelineExecutionArn"] == arn
    other = arn.replace("/Bikes/", "/Cars/")
    assert refusal(world, "DescribePipelineExecution", PipelineExecutionArn=other).code == "ResourceNotFound"


def test_starting_twice_with_one_token_is_starting_once(world: World) -> None:
    world.create(ONE)
    arn = world.start(token="x" * 32)
    assert world.start(token="x" * 32) == arn
    world.wait(arn)
    other = {"PipelineName": "p", "ClientRequestToken": "x" * 32, "PipelineExecutionDisplayName": "other"}
    assert refusal(world, "StartPipelineExecution", **other).code == "ConflictException"


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"PipelineParameters": [{"Name": "Epochs", "Value": "three"}]}, r"\[Epochs\] takes a value of type Integer"),
        ({"PipelineParameters": [{"Name": "Epoch", "Value": "3"}]}, r"Unknown parameters: \[Epoch\]"),
        ({"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "Odd"}]}}, r"no steps \[Odd\]"),
        ({"PipelineVersionId": 7}, "no version 7"),
        ({"PipelineName": "q"}, "does not exist"),
    ],
)
def test_an_execution_that_cannot_be_started_leaves_nothing(world: World, members: Any, found: str) -> None:
    world.create(ONE)
    with pytest.raises(ServiceError, match=found):
        world.cloud.call("StartPipelineExecution", {"PipelineName": "p", "ClientRequestToken": "x" * 32, **members})
    assert world.cloud.call("ListPipelineExecutions", {"PipelineName": "p"})["PipelineExecutionSummaries"] == []


def test_executions_are_listed_in_pages(world: World) -> None:
    world.create(ONE)
    arns = [world.wait(world.start())["PipelineExecutionArn"] for _ in range(5)]

    def pages(**members: Any) -> list[str]:
        found, request = [], {"PipelineName": "p", "MaxResults": 2, **members}
        while True:
            answer = world.cloud.call("ListPipelineExecutions", request)
            assert len(answer["PipelineExecutionSummaries"]) <= 2
            found += [summary["PipelineExecutionArn"] for summary in answer["PipelineExecutionSummaries"]]
            if "NextToken" not in answer:
                return found
            request["NextToken"] = answer["NextToken"]

    assert pages() == arns[::-1]
    assert pages(SortOrder="Ascending") == arns
    assert pages(SortBy="PipelineExecutionArn", SortOrder="Ascending") == sorted(arns)
    error = refusal(world, "ListPipelineExecutions", PipelineName="p", NextToken="nonsense")
    assert error.code == "ValidationException"


def test_steps_are_listed_newest_first_with_what_became_of_them(world: World) -> None:
    gate = condition("Gate", {"Type": "Equals", "LeftValue": 1, "RightValue": 2}, no=[fail("Bad", "too low")])
    world.create(definition(processing("A", DisplayName="First", Description="does it"), {**gate, "DependsOn": ["A"]}))
    arn = world.wait(world.start())["PipelineExecutionArn"]
    bad, decision, first = world.cloud.call("ListPipelineExecutionSteps", {"PipelineExecutionArn": arn})[
        "PipelineExecutionSteps"
    ]
    assert first.items() >= {"StepName": "A", "StepDisplayName": "First", "StepDescription": "does it"}.items()
    assert first["Metadata"]["ProcessingJob"]["Arn"].startswith("arn:aws:sagemaker:")
    assert (first["StepStatus"], first["AttemptCount"]) == ("Succeeded", 1)
    assert first["StartTime"] <= first["EndTime"] <= decision["StartTime"]
    assert decision["Metadata"] == {"Condition": {"Outcome": "False"}}
    assert bad["Metadata"] == {"Fail": {"ErrorMessage": "too low"}}
    assert (bad["StepStatus"], bad["FailureReason"]) == ("Failed", "too low")
    page = world.cloud.call("ListPipelineExecutionSteps", {"PipelineExecutionArn": arn, "MaxResults": 2})
    assert [step["StepName"] for step in page["PipelineExecutionSteps"]] == ["Bad", "Gate"]
    assert page["NextToken"]


def test_a_failed_execution_says_so_in_the_listing(world: World) -> None:
    world.create(definition(fail("Bad", "too low")))
    execution, _ = world.run()
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed. Bad: too low"
    listed = world.cloud.call("ListPipelineExecutions", {"PipelineName": "p"})["PipelineExecutionSummaries"]
    assert listed[0]["PipelineExecutionFailureReason"] == execution["FailureReason"]


def test_the_experiment_is_named_after_the_execution(world: World) -> None:
    config = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    }
    world.create(definition(processing("A"), PipelineExperimentConfig=config))
    execution, _ = world.run()
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert execution["PipelineExperimentConfig"] == {"ExperimentName": "p", "TrialName": identity}


def test_an_execution_can_be_renamed(world: World) -> None:
    world.create(ONE)
    arn = world.wait(world.start())["PipelineExecutionArn"]
    world.cloud.call("UpdatePipelineExecution", {"PipelineExecutionArn": arn, "PipelineExecutionDisplayName": "new"})
    found = world.describe(arn)
    assert (found["PipelineExecutionDisplayName"], found["PipelineExecutionStatus"]) == ("new", "Succeeded")


def test_finished_executions_cannot_be_stopped_and_successful_ones_not_retried(world: World) -> None:
    world.create(ONE)
    arn = world.wait(world.start())["PipelineExecutionArn"]
    for operation in ("StopPipelineExecution", "RetryPipelineExecution"):
        error = refusal(world, operation, PipelineExecutionArn=arn, ClientRequestToken="x" * 32)
        assert error.code == "ConflictException"
        assert "Succeeded" in error.message


def test_jobs_are_named_and_tagged_after_their_execution_and_step(world: World) -> None:
    name = "A_step-with_a-name-of-quite-some-length_and-underscores_-64-chars"[:64]
    world.create(definition(processing(name)))
    execution, _ = world.run()
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    request = world.requests[name]
    job = request["ProcessingJobName"]
    assert job.startswith(f"pipelines-{identity}-A-step-with-a-name-of")
    assert len(job) <= 63
    tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    assert tags["sagemaker:pipeline-execution-arn"] == execution["PipelineExecutionArn"]
    assert tags["sagemaker:pipeline-step-name"] == name


def test_every_change_of_status_is_announced_in_order(world: World) -> None:
    world.create(definition(processing("A"), fail("Bad", "no", DependsOn=["A"])))
    arn = world.wait(world.start())["PipelineExecutionArn"]
    identity = arn.rpartition("/")[2]
    changes = [
        (news.name, news.previous, news.status) for news in world.news if news.kind in (records.EXECUTION, records.STEP)
    ]
    assert changes == [
        (identity, "", "Executing"),
        (f"{identity}/A", "", "Starting"),
        (f"{identity}/A", "Starting", "Executing"),
        (f"{identity}/A", "Executing", "Succeeded"),
        (f"{identity}/Bad", "", "Starting"),
        (f"{identity}/Bad", "Starting", "Executing"),
        (f"{identity}/Bad", "Executing", "Failed"),
        (identity, "Executing", "Failed"),
    ]
    step = next(news.body for news in world.news if news.name == f"{identity}/A" and news.status == "Succeeded")
    wanted = {"StepName", "StepType", "StartTime", "EndTime", "Metadata", "PipelineArn", "PipelineExecutionArn"}
    assert wanted <= set(step)
    end = world.news[-1].body
    assert {"PipelineExecutionDisplayName", "StartTime", "EndTime", "PipelineArn", "PipelineExecutionArn"} <= set(end)

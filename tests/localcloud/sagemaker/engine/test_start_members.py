"""What an execution is started with: versions, parallelism, prefixes of job names, experiments and MLflow."""

from __future__ import annotations

import re

import pytest
from engine_support import World, definition, processing

from localcloud.sagemaker.engine.step_types import job_name
from localcloud.sagemaker.errors import ServiceError


def test_a_prefix_of_the_definition_begins_the_jobs_name(world: World) -> None:
    step = processing("prepare")
    step["Arguments"]["ProcessingJobName"] = {"Get": "Parameters.Prefix"}
    declared = {"Name": "Prefix", "Type": "String", "DefaultValue": "team-a-prepare"}
    world.create(definition(step, parameters=[declared]))
    arn = world.start()
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    name = world.requests["prepare"]["ProcessingJobName"]
    assert re.fullmatch(rf"team-a-prepare-{arn.rpartition('/')[2]}-[A-Za-z0-9]{{10}}", name)


@pytest.mark.parametrize("longest", [32, 63])
def test_a_long_prefix_is_cut(longest: int) -> None:
    name = job_name("abcdefghijkl", "step", "0123456789", longest, "a" * 70)
    assert len(name) == longest
    assert name.endswith("a-abcdefghijkl-0123456789")


def test_a_prefix_that_no_job_can_have_is_refused_at_once(world: World) -> None:
    step = processing("prepare")
    step["Arguments"]["ProcessingJobName"] = "no blanks"
    with pytest.raises(ServiceError, match="processingJobName"):
        world.create(definition(step))


def test_an_older_version_is_run_and_each_version_knows_its_last_execution(world: World) -> None:
    world.create(definition(processing("old")))
    request = {"PipelineName": "p", "PipelineDefinition": definition(processing("new"))}
    assert world.cloud.call("UpdatePipeline", request)["PipelineVersionId"] == 2
    arn = world.start(PipelineVersionId=1)
    assert world.wait(arn)["PipelineVersionId"] == 1
    assert world.created == ["old"]
    named = {"PipelineArn": world.describe(arn)["PipelineArn"], "PipelineVersionId": 1}
    world.cloud.call("UpdatePipelineVersion", {**named, "PipelineVersionDisplayName": "first"})
    newest, oldest = world.cloud.call("ListPipelineVersions", {"PipelineName": "p"})["PipelineVersionSummaries"]
    assert newest["PipelineVersionId"] == 2
    assert "LastExecutionPipelineExecutionArn" not in newest
    assert oldest["LastExecutionPipelineExecutionArn"] == arn
    described = world.cloud.call("DescribePipeline", {"PipelineName": "p", "PipelineVersionId": 1})
    assert described["PipelineVersionDisplayName"] == "first"
    assert described["PipelineDefinition"] == definition(processing("old"))


def test_a_pipelines_parallelism_holds_unless_the_execution_has_its_own(world: World) -> None:
    steps = [processing(name) for name in ("a", "b", "c")]
    for step in steps:
        world.behave(step["Name"], "InProgress")
    world.create(definition(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    for limit, most in ((None, 1), (2, 2)):
        world.created.clear()
        own = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": limit}} if limit else {}
        arn = world.start(**own)
        for left in range(len(steps), 0, -1):
            world.until(lambda left=left, most=most: len(world.created) == min(3, 3 - left + most))
            assert len([s for s in world.steps(arn).values() if s["StepStatus"] == "Executing"]) <= most
            world.end_job(world.created[3 - left])
        assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_experiment_and_mlflow_are_resolved_and_described(world: World) -> None:
    declared = {"Name": "Who", "Type": "String", "DefaultValue": "me"}
    joined = {"Std:Join": {"On": "-", "Values": [{"Get": "Parameters.Who"}, {"Get": "Execution.PipelineExecutionId"}]}}
    server = "arn:aws:sagemaker:us-east-1:000000000000:mlflow-tracking-server/mine"
    world.create(
        definition(
            processing("a"),
            parameters=[declared],
            PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": joined},
            MlflowConfig={"MlflowResourceArn": server, "MlflowExperimentName": None},
        )
    )
    arn = world.start(MlflowExperimentName="night")
    found = world.wait(arn)
    trial = f"me-{arn.rpartition('/')[2]}"
    assert found["PipelineExperimentConfig"] == {"ExperimentName": "p", "TrialName": trial}
    assert found["MLflowConfig"] == {"MlflowResourceArn": server, "MlflowExperimentName": "night"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"PipelineExperimentConfig": {"TrialName": {"Get": "Steps.a.ProcessingJobName"}}}, "which has not run"),
        ({"PipelineExperimentConfig": {"Trial": "x"}}, "unknown member 'Trial'"),
        ({"MlflowConfig": {"MlflowExperimentName": 3}}, "is not a string"),
        ({"MlflowConfig": ["x"]}, "MlflowConfig is a list, and must be an object"),
        ({"MlflowConfig": {"MlflowExperimentName": {"Get": "Parameters.No"}}}, "not a declared parameter"),
    ],
)
def test_what_cannot_be_resolved_at_the_start_is_refused(world: World, config: dict[str, object], said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        world.create(definition(processing("a"), **config))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Std:JsonGet": {"S3Uri": "s3://bucket/a.json", "Path": "a"}}, "s3://bucket/a.json cannot be read before"),
        ({"Std:Join": {"On": "", "Values": [[]]}}, "Std:Join takes strings, numbers and booleans, not list"),
    ],
)
def test_what_is_found_out_only_at_the_start_is_refused_there(world: World, value: object, said: str) -> None:
    world.create(definition(processing("a"), PipelineExperimentConfig={"ExperimentName": value}))
    with pytest.raises(ServiceError, match=said) as refused:
        world.start()
    assert refused.value.code == "ValidationException"

"""References of one type where another is needed are refused when the pipeline is made, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest
from engine_support import World, definition, processing

from localcloud.sagemaker.errors import ServiceError

DEFAULTS = {"String": "a", "Integer": 1, "Float": 0.5, "Boolean": True}
PARAMETERS = [{"Name": kind, "Type": kind, "DefaultValue": value} for kind, value in DEFAULTS.items()]


def with_argument(value: Any) -> str:
    return definition(processing("first"), processing("a", value), parameters=PARAMETERS)


def lambda_step(function: Any) -> dict[str, Any]:
    return {"Name": "a", "Type": "Lambda", "FunctionArn": function, "Arguments": {}}


def callback_step(queue: Any) -> dict[str, Any]:
    return {"Name": "a", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}


def refusal(world: World, text: str) -> str:
    with pytest.raises(ServiceError) as refused:
        world.create(text)
    assert refused.value.code == "ValidationException"
    return refused.value.message


@pytest.mark.parametrize("kind", ["Integer", "Float", "Boolean"])
def test_a_parameter_that_is_no_text_is_refused_where_text_is_needed(world: World, kind: str) -> None:
    said = refusal(world, with_argument({"Get": f"Parameters.{kind}"}))
    assert said == f"Cannot assign property reference [Parameters.{kind}] to argument of type [String]."


def test_a_number_among_a_steps_properties_is_refused_where_text_is_needed(world: World) -> None:
    place = "Steps.first.ProcessingResources.ClusterConfig.VolumeSizeInGB"
    said = refusal(world, with_argument({"Get": place}))
    assert said == f"Cannot assign property reference [{place}] to argument of type [String]."


@pytest.mark.parametrize(
    ("step", "members"),
    [
        (lambda_step({"Get": "Parameters.Integer"}), {}),
        (callback_step({"Get": "Parameters.Integer"}), {}),
        (processing("a"), {"PipelineExperimentConfig": {"ExperimentName": {"Get": "Parameters.Integer"}}}),
        (processing("a"), {"MlflowConfig": {"MlflowResourceArn": {"Get": "Parameters.Integer"}}}),
    ],
)
def test_a_number_is_refused_where_text_is_needed_outside_of_a_steps_arguments(
    world: World, step: dict[str, Any], members: dict[str, Any]
) -> None:
    said = refusal(world, definition(step, parameters=PARAMETERS, **members))
    assert said == "Cannot assign property reference [Parameters.Integer] to argument of type [String]."


def test_text_is_refused_where_a_number_is_needed_also_by_an_update(world: World) -> None:
    step = processing("a")
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = {"Get": "Parameters.String"}
    world.create(definition(processing("a")))
    request = {"PipelineName": "p", "PipelineDefinition": definition(step, parameters=PARAMETERS)}
    with pytest.raises(ServiceError, match=r"\[Parameters.String\] to argument of type \[Integer\]"):
        world.cloud.call("UpdatePipeline", request)


def test_what_fits_and_what_is_joined_to_text_is_taken(world: World) -> None:
    joined = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Integer"}]}}
    step = processing("a", joined, {"Get": "Parameters.String"}, {"Get": "Steps.first.ProcessingJobArn"})
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = {"Get": "Parameters.Integer"}
    step["Arguments"]["NetworkConfig"] = {"EnableNetworkIsolation": {"Get": "Parameters.Boolean"}}
    world.create(definition(processing("first"), step, parameters=PARAMETERS))
    arn = world.start()
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert world.requests["a"]["AppSpecification"]["ContainerArguments"][:2] == ["1", "a"]

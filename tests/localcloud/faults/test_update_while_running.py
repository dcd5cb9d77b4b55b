"""An upsert while an execution runs: the execution keeps the definition that it began with."""

from __future__ import annotations

from engine_support import RUNNING, World, definition, processing


def test_a_running_execution_keeps_its_definition_and_the_next_one_takes_the_new(world: World) -> None:
    world.behave("A", RUNNING)
    world.create(definition(processing("A"), processing("B", DependsOn=["A"])))
    first = world.start()
    world.until(lambda: world.steps(first).get("A", {}).get("StepStatus") == "Executing")
    changed = definition(processing("C"))
    world.cloud.call("UpdatePipeline", {"PipelineName": "p", "PipelineDefinition": changed})
    world.end_job("A")
    assert world.wait(first)["PipelineExecutionStatus"] == "Succeeded"
    assert set(world.steps(first)) == {"A", "B"}
    assert set(world.steps(second := world.start())) <= {"C"}
    assert world.wait(second)["PipelineExecutionStatus"] == "Succeeded"
    assert set(world.steps(second)) == {"C"}

"""An upsert while an execution runs: the execution keeps the definition that it began with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_support import RUNNING, World, definition, install, processing, world_on


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world_on(tmp_path / "state") as found:
        install(monkeypatch, lambda _: found)
        yield found


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

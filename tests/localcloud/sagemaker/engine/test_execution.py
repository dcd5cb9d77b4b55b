"""How an execution goes through its steps: their order, their branches, and how many at once."""

from __future__ import annotations

import pytest
from engine_support import RUNNING, World, at_least, condition, definition, output_of, processing

from localcloud.sagemaker.cloud import News


def test_steps_run_in_the_order_of_their_dependencies(world: World) -> None:
    world.create(
        definition(
            processing("Last", output_of("Middle", "x"), DependsOn=["First"]),
            processing("Middle", output_of("First", "x"), outputs=("x",)),
            processing("First", outputs=("x",)),
        )
    )
    execution, _ = world.run()
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert world.created == ["First", "Middle", "Last"]
    place = world.requests["Middle"]["AppSpecification"]["ContainerArguments"][0]
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert place == f"s3://bucket/{identity}/First/x"


def test_only_the_chosen_branch_is_reached(world: World) -> None:
    gate = condition("Gate", at_least({"Get": "Parameters.X"}, 1), yes=[processing("Yes")], no=[processing("No")])
    after = processing("AfterNo", DependsOn=["No"])
    world.create(definition(gate, after, parameters=[{"Name": "X", "Type": "Float", "DefaultValue": 1.0}]))
    _, steps = world.run()
    assert set(steps) == {"Gate", "Yes"}
    _, steps = world.run(PipelineParameters=[{"Name": "X", "Value": "0.5"}])
    assert set(steps) == {"Gate", "No", "AfterNo"}


def test_parallel_steps_are_bounded_and_the_bound_can_be_changed_while_they_run(world: World) -> None:
    for name in "ABC":
        world.behave(name, RUNNING)
    world.create(definition(*map(processing, "ABC")))
    arn = world.start(ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    assert world.created == ["A"]
    more = {"PipelineExecutionArn": arn, "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2}}
    world.cloud.call("UpdatePipelineExecution", more)
    world.end_job("A")
    world.until(lambda: world.created == ["A", "B", "C"])
    world.end_job("B")
    world.end_job("C")
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_news_that_come_while_the_executor_looks_are_not_lost(world: World) -> None:
    seen = world.cloud.announced
    world.cloud.announce(News("ProcessingJob", "job", "Completed", "InProgress", {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.cloud.changed, "wait", lambda timeout: pytest.fail("it waited for news that it had"))
        world.cloud.wait_for_news(seen, 20)

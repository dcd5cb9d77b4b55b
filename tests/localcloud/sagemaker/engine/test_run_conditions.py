"""Run conditions, as StepDependency of SDK 3.27 describes and renders them."""

from __future__ import annotations

import pytest
from engine_support import RUNNING, World, condition, definition, fail, processing


def on(step: str, trigger: str) -> list[dict[str, str]]:
    return [{"Step": step, "Trigger": trigger}]


@pytest.mark.parametrize(
    ("end", "ran", "status"),
    [
        ("Completed", {"Next"}, "Succeeded"),
        ("Failed", {"OnFailure"}, "CompletedWithFailures"),
        ("Stopped", {"OnStop"}, "CompletedWithFailures"),
    ],
)
def test_steps_run_on_the_end_that_they_name(world: World, end: str, ran: set[str], status: str) -> None:
    world.behave("Work", end)
    steps = [
        processing("Work"),
        processing("Next", DependsOn=["Work"]),
        processing("OnFailure", DependsOn=on("Work", "Failed")),
        processing("OnStop", DependsOn=on("Work", "Stopped")),
        processing("Always", DependsOn=on("Work", "Any")),
        processing("AfterAlways", DependsOn=["Always"]),
    ]
    world.create(definition(*steps))
    execution, steps_run = world.run()
    assert execution["PipelineExecutionStatus"] == status
    assert set(steps_run) == {"Work", "Always", "AfterAlways", *ran}
    assert ("FailureReason" in execution) == (end != "Completed")


def test_after_a_failure_nothing_else_starts_and_an_unfollowed_one_fails_the_execution(world: World) -> None:
    world.behave("Bad", "Failed")
    world.behave("Slow", RUNNING)
    steps = [
        processing("Bad"),
        processing("Slow"),
        processing("AfterSlow", DependsOn=["Slow"]),
        processing("CleanUp", DependsOn=on("Slow", "Any")),
        processing("Unreached", DependsOn=on("AfterSlow", "Any")),
    ]
    world.create(definition(*steps))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("Bad", {}).get("StepStatus") == "Failed" and "Slow" in world.steps(arn))
    world.end_job("Slow")
    assert world.wait(arn)["PipelineExecutionStatus"] == "Failed"
    assert set(world.steps(arn)) == {"Bad", "Slow", "CleanUp"}


def test_a_follower_that_fails_itself_fails_the_execution(world: World) -> None:
    for name in ("Work", "CleanUp"):
        world.behave(name, "Failed")
    world.create(definition(processing("Work"), processing("CleanUp", DependsOn=on("Work", "Failed"))))
    execution, _ = world.run()
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "Work: failed CleanUp: failed" in execution["FailureReason"]


def test_a_branch_is_cleaned_up_after(world: World) -> None:
    world.behave("Test", "Failed")
    branch = [processing("Test"), processing("Remove", DependsOn=on("Test", "Any"))]
    always = {"Type": "Equals", "LeftValue": "a", "RightValue": "a"}
    world.create(definition(condition("Stage", always, yes=branch, no=[fail("No", "no")])))
    execution, steps = world.run()
    assert execution["PipelineExecutionStatus"] == "CompletedWithFailures"
    assert steps["Remove"]["StepStatus"] == "Succeeded"


def test_a_retry_runs_again_what_followed_a_failure(world: World) -> None:
    world.behave("Work", "Failed")
    steps = [processing("First"), processing("Work", DependsOn=["First"])]
    steps.append(processing("CleanUp", DependsOn=on("Work", "Any")))
    world.create(definition(*steps, processing("Tell", DependsOn=["CleanUp"])))
    arn = world.start()
    assert world.wait(arn)["PipelineExecutionStatus"] == "CompletedWithFailures"
    world.behave("Work", "Completed")
    world.retry(arn)
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert world.created == ["First", "Work", "CleanUp", "Tell", "Work", "CleanUp", "Tell"]


def test_a_stopped_execution_starts_nothing_more(world: World) -> None:
    world.behave("Work", RUNNING)
    world.create(definition(processing("Work"), processing("CleanUp", DependsOn=on("Work", "Any"))))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("Work", {}).get("StepStatus") == "Executing")
    world.stop(arn)
    assert world.wait(arn)["PipelineExecutionStatus"] == "Stopped"
    assert set(world.steps(arn)) == {"Work"}


def test_a_selected_follower_needs_what_it_follows(world: World) -> None:
    world.behave("Work", "Failed")
    world.create(definition(processing("Work"), processing("CleanUp", DependsOn=on("Work", "Failed"))))
    config = {"SelectedSteps": [{"StepName": "Work"}, {"StepName": "CleanUp"}]}
    execution, steps = world.run(SelectiveExecutionConfig=config)
    assert execution["PipelineExecutionStatus"] == "CompletedWithFailures"
    assert set(steps) == {"Work", "CleanUp"}

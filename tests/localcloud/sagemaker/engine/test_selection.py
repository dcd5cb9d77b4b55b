"""Selective executions: chosen steps run, and take what they need from an execution before."""

from __future__ import annotations

from typing import Any

import pytest
from engine_support import World, at_least, condition, definition, metric, output_of, processing, reporting, statuses

from localcloud.sagemaker.errors import ServiceError


def chosen(*steps: str, source: str = "") -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": step} for step in steps]}
    return {"SelectiveExecutionConfig": {**config, **({"SourcePipelineExecutionArn": source} if source else {})}}


def refusal(world: World, *steps: str, source: str = "", name: str = "p") -> str:
    with pytest.raises(ServiceError) as refused:
        world.start(name, **chosen(*steps, source=source))
    assert refused.value.code == "ValidationException"
    return refused.value.message


@pytest.fixture
def chain(world: World) -> World:
    """prepare -> train -> judge, which has the report of a gate before deploy."""
    world.report("judge", '{"accuracy": 0.9}')
    gate = condition("gate", at_least(metric("judge", "accuracy"), 0.8), yes=[processing("deploy")])
    world.create(
        definition(
            processing("prepare", outputs=("train",)),
            processing("train", output_of("prepare", "train"), outputs=("model",)),
            reporting("judge", DependsOn=["train"]),
            gate,
        )
    )
    return world


def test_selected_steps_run_and_the_others_are_those_of_the_source(chain: World) -> None:
    source = chain.start()
    chain.wait(source)
    chain.created.clear()
    request = chosen("train", "judge", source=source)
    arn = chain.start(**request)
    assert chain.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert chain.describe(arn)["SelectiveExecutionConfig"] == request["SelectiveExecutionConfig"]
    assert chain.created == ["train", "judge"]
    steps, before = chain.steps(arn), chain.steps(source)
    assert set(steps) == {"prepare", "train", "judge"}
    assert steps["prepare"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["prepare"]["Metadata"] == before["prepare"]["Metadata"]
    assert "SelectiveExecutionResult" not in steps["train"]
    [argument] = chain.requests["train"]["AppSpecification"]["ContainerArguments"]
    assert source.rpartition("/")[2] in argument


def test_a_selective_execution_is_itself_a_source(chain: World) -> None:
    first = chain.start()
    chain.wait(first)
    second = chain.start(**chosen("train", source=first))
    chain.wait(second)
    third = chain.start(**chosen("train", source=second))
    assert chain.wait(third)["PipelineExecutionStatus"] == "Succeeded"
    assert chain.steps(third)["prepare"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": second}


def test_steps_that_need_nothing_need_no_source(chain: World) -> None:
    arn = chain.start(**chosen("prepare"))
    chain.wait(arn)
    assert statuses(chain.steps(arn)) == {"prepare": "Succeeded"}


def test_a_condition_that_is_not_selected_has_the_outcome_of_the_source(chain: World) -> None:
    source = chain.start()
    chain.wait(source)
    chain.created.clear()
    arn = chain.start(**chosen("deploy", source=source))
    chain.wait(arn)
    assert chain.created == ["deploy"]
    assert chain.steps(arn)["gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}


def test_a_missing_source_is_refused_in_the_words_of_aws(chain: World) -> None:
    assert refusal(chain, "train") == (
        "Invalid SourcePipelineExecutionArn: null. The selected steps [train] have dependencies on [prepare]"
    )


def test_what_the_source_lacks_is_refused_before_anything_runs(chain: World) -> None:
    chain.behave("prepare", "Failed")
    source = chain.start()
    chain.wait(source)
    said = refusal(chain, "train", source=source)
    assert source in said
    assert "have dependencies on [prepare], which have not succeeded" in said


def test_a_step_between_two_selected_ones_is_not_left_out(chain: World) -> None:
    source = chain.start()
    chain.wait(source)
    assert "and [train] are not" in refusal(chain, "prepare", "judge", source=source)


def test_the_other_branch_of_the_sources_condition_is_refused(chain: World) -> None:
    chain.report("judge", '{"accuracy": 0.1}')
    source = chain.start()
    chain.wait(source)
    assert "runs when [gate] is True, and it was False" in refusal(chain, "deploy", source=source)


def test_unknown_steps_and_sources_are_refused(chain: World) -> None:
    source = chain.start()
    chain.wait(source)
    assert "has no steps [nothing]" in refusal(chain, "nothing", source=source)
    chain.create(definition(processing("train")), name="q")
    assert "of another pipeline" in refusal(chain, "train", source=source, name="q")
    with pytest.raises(ServiceError, match="does not exist"):
        chain.start(**chosen("train", source=f"{source[:-12]}{'0' * 12}"))


def test_a_running_execution_is_no_source(chain: World) -> None:
    chain.behave("prepare", "InProgress")
    source = chain.start()
    chain.until(lambda: "prepare" in chain.steps(source))
    assert "The execution is Executing" in refusal(chain, "train", source=source)
    chain.end_job("prepare")
    chain.wait(source)


def test_a_selective_execution_is_retried_with_its_selection(chain: World) -> None:
    source = chain.start()
    chain.wait(source)
    chain.behave("train", "Failed")
    arn = chain.start(**chosen("train", source=source))
    assert chain.wait(arn)["PipelineExecutionStatus"] == "Failed"
    chain.behave("train", "Completed")
    chain.created.clear()
    chain.retry(arn)
    assert chain.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert chain.created == ["train"]

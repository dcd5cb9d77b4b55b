from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from engine_support import at_least, condition, definition, fail, metric, output_of, processing, reporting
from golden import GOLDEN

from localcloud.sagemaker.engine import graph
from localcloud.sagemaker.engine.definition import DefinitionError
from localcloud.sagemaker.engine.step_types import IMPLEMENTED, REFUSED


def problems(*steps: Any, **members: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        graph.parse(definition(*steps, **members))
    return str(caught.value)


def test_dependencies_come_from_names_references_and_branches() -> None:
    gate = condition(
        "Gate", at_least(metric("Evaluate", "a"), 0.5), yes=[processing("Register")], no=[fail("Bad", "no")]
    )
    steps = (
        processing("Extract", outputs=("images",)),
        reporting("Evaluate", DependsOn=["Other"]),
        processing("Other", output_of("Extract", "images")),
        gate,
    )
    parsed = graph.parse(definition(*steps))
    assert graph.waiting(parsed) == {
        "Extract": frozenset(),
        "Evaluate": {"Other"},
        "Other": {"Extract"},
        "Gate": {"Evaluate"},
        "Register": {"Gate"},
        "Bad": {"Gate"},
    }
    assert [parsed.steps[name].branch for name in ("Register", "Bad")] == [True, False]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_what_the_sdk_renders_is_read(path: Path) -> None:
    assert graph.parse(path.read_text(encoding="utf-8")).steps


@pytest.mark.parametrize("kind", ["Nonsense", None, 5, ["Lambda"], {"Get": "Parameters.X"}])
def test_a_step_type_that_does_not_exist_is_named(kind: object) -> None:
    message = problems({"Name": "Odd", "Type": kind, "Arguments": {}})
    assert f"'Odd' is of type {kind!r}" in message
    assert "Processing, Training, Transform, Tuning, Model, RegisterModel" in message


@pytest.mark.parametrize("kind", sorted(set(REFUSED) - {"NotebookJob"}))
def test_a_step_type_that_is_not_run_is_refused_with_what_to_do(kind: str) -> None:
    step = {"Name": "Odd", "Type": kind, "Arguments": {}, "OnlyThisTypeHasIt": 1}
    assert problems(condition("Gate", at_least(1, 2), no=[step])).endswith(
        f"'Odd' is of type {kind}, which the local SageMaker does not run: {REFUSED[kind]}"
    )


def test_a_notebook_job_is_known_by_the_variables_that_the_sdk_gives_it() -> None:
    step = {"Name": "Book", "Type": "Training", "Arguments": {"Environment": {"SM_INPUT_NOTEBOOK_NAME": "a.ipynb"}}}
    assert "'Book' is a NotebookJob, which the local SageMaker does not run: notebooks" in problems(step)


def test_every_step_type_of_the_sdk_runs_or_is_refused_by_name() -> None:
    source = files("sagemaker").joinpath("mlops/workflow/steps.py").read_text(encoding="utf-8")
    listed = re.search(r"class StepTypeEnum.*?\n\n\n", source, re.DOTALL)
    assert listed, "the SDK's list of step types is somewhere else now"
    assert set(re.findall(r'^    [A-Z_]+ = "(\w+)"', listed[0], re.MULTILINE)) <= {*IMPLEMENTED, *REFUSED}


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"Type": "Lambda", "Arguments": {}}, "a Lambda step needs FunctionArn"),
        ({"Type": "Callback", "Arguments": {}, "SqsQueueUrl": 1}, "a Callback step needs SqsQueueUrl"),
        ({"Type": "Lambda", "Arguments": {"a": [1]}, "FunctionArn": "f"}, "argument 'a' of a Lambda step is nested"),
        ({"Type": "Lambda", "Arguments": {}, "FunctionArn": "f", "OutputParameters": {}}, "OutputParameters is not"),
        ({"Type": "Lambda", "Arguments": {}, "FunctionArn": "f", "OutputParameters": [1]}, "needs an OutputName"),
        ({"Type": "Lambda", "Arguments": {}, "FunctionArn": "f", "SqsQueueUrl": "q"}, "unknown member 'SqsQueueUrl'"),
        (
            {
                "Type": "Callback",
                "Arguments": {},
                "SqsQueueUrl": "q",
                "OutputParameters": [{"OutputName": "x", "OutputType": "Text"}],
            },
            "output 'x' needs an OutputType, one of String, Integer, Float, Boolean",
        ),
        ({"Type": "Lambda", "Arguments": {}, "FunctionArn": {"a": 1}}, "a Lambda step needs FunctionArn"),
        (
            {"Type": "QualityCheck", "Arguments": {"ProcessingOutputConfig": []}, "CheckType": "DATA_QUALITY"},
            "needs exactly one output",
        ),
        ({"Type": "QualityCheck", "Arguments": {}, "SkipCheck": "no"}, "SkipCheck is 'no', not a boolean"),
        ({"Type": "Training", "Arguments": {"Environment": 5}}, "Model Validation failed"),
        (
            {"Type": "QualityCheck", "Arguments": {}, "CheckType": "BIAS"},
            "CheckType is 'BIAS', not one of DATA_QUALITY",
        ),
    ],
)
def test_members_of_lambda_callback_and_check_steps_are_checked(members: dict[str, object], problem: str) -> None:
    assert problem in problems({"Name": "Odd", **members})


def test_only_declared_outputs_of_a_function_can_be_referred_to() -> None:
    outputs = [{"OutputName": "rows", "OutputType": "Integer"}]
    split = {"Name": "Split", "Type": "Lambda", "FunctionArn": "f", "Arguments": {}, "OutputParameters": outputs}
    message = problems(split, processing("Use", {"Get": "Steps.Split.OutputParameters['lines']"}))
    assert "refers to Steps.Split.OutputParameters.lines, and 'Split' has the OutputParameters rows" in message


def test_every_problem_is_reported_at_once() -> None:
    message = problems(
        processing("A", {"Get": "Parameters.Missing"}), processing("A"), processing("B", DependsOn=["Nobody"])
    )
    assert "more than one step is named 'A'" in message
    message = problems(processing("A", {"Get": "Parameters.Missing"}), processing("B", DependsOn=["Nobody"]))
    assert "Parameters.Missing, which is not a declared parameter" in message
    assert "depends on 'Nobody'" in message


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([processing("A", output_of("B", "x"))], "Steps.B.*not a step of the pipeline"),
        ([processing("A", {"Get": "Execution.Now"})], "Execution.Now, which is not one of"),
        ([processing("A", {"Get": "Steps.B.ModelArtifacts"}), processing("B")], "which a Processing step does"),
        ([condition("C", at_least(metric("A", "x"), 1)), processing("A")], r"property files \(none\)"),
        ([processing("A", DependsOn=["B"]), processing("B", DependsOn=["A"])], "in a circle: A -> B -> A|B -> A -> B"),
        ([fail("F", "x"), processing("A", DependsOn=["F"])], "'A' can not depend on 'F'"),
        ([processing("A", DependsOn=[{"Step": "B", "Trigger": "Any"}])], "depends on 'B', which is not a step"),
        ([processing("A", DependsOn=[{"Step": "B", "Trigger": "Never"}])], "'Never', not one of Completed, Failed"),
        ([processing("A", DependsOn=[{"Name": "B"}])], "an object with Step and Trigger"),
        ([processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})], "'soon' is not a duration"),
        ([condition("C", at_least(1, 2), CacheConfig={"Enabled": True})], "a Condition step cannot be cached"),
        ([condition("C", at_least(1, 2), yes=[condition("D", at_least(1, 2))])], "'D' is a Condition step inside"),
        ([condition("C", {"Type": "Maybe"})], "condition type 'Maybe'"),
        ([condition("C")], "Conditions is not a list"),
        ([processing("A", Colour="red")], "unknown member 'Colour'"),
        ([processing("A b")], "1 to 64 letters"),
        ([{"Name": "A", "Type": "Processing"}], "has no Arguments"),
        ([{"Name": "F", "Type": "Fail", "Arguments": {"Message": "x"}}], "does not take Message"),
        ([fail("F", "x", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}])], "a Fail step is never retried"),
        ([processing("A", RetryPolicies=[{"ExceptionType": ["Step.OTHER"]}])], "retries .* not 'Step.OTHER'"),
        ([processing("A", {"Get": "Steps"})], "names nothing|not a path"),
        ([processing("A", "x" * 257)], "less than or equal to 256"),
        ([{"Name": "M", "Type": "Model", "Arguments": {"Colour": 1}}], "Unknown parameter in input: 'colour'"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_with_its_reason(steps: list[Any], found: str) -> None:
    with pytest.raises(DefinitionError, match=found):
        graph.parse(definition(*steps))


def test_a_step_that_waits_for_itself_is_a_circle() -> None:
    assert "in a circle: A -> A" in problems(processing("A", output_of("A", "x"), outputs=("x",)))


def test_a_property_file_must_be_in_an_output_of_its_step() -> None:
    files = [{"PropertyFileName": "R", "OutputName": "reports", "FilePath": "r.json"}]
    message = problems(processing("A", outputs=("report",), PropertyFiles=files))
    assert "is in output 'reports'; the outputs are report" in message


def test_names_of_model_packages_are_chosen_by_the_registry() -> None:
    step = {"Name": "A", "Type": "RegisterModel", "Arguments": {"ModelPackageName": "mine"}}
    assert "Arguments hold ModelPackageName" in problems(step)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Steps": 3}', "nonsense"])
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        graph.parse(text)


def test_other_versions_and_members_are_refused() -> None:
    with pytest.raises(DefinitionError, match="Version is '2019-01-01'"):
        graph.parse(json.dumps({"Version": "2019-01-01", "Steps": []}))
    assert "unknown member 'Extra'" in problems(Extra=1)


@pytest.mark.parametrize(
    ("parameter", "found"),
    [
        ({"Name": "N", "Type": "Number"}, "type 'Number'"),
        ({"Name": "N", "Type": "Integer", "DefaultValue": "3"}, "default '3'.*not of type Integer"),
        ({"Name": "N", "Type": "Integer", "DefaultValue": True}, "not of type Integer"),
        ({"Name": "N", "Type": "String", "DefaultValue": "c", "EnumValues": ["a", "b"]}, "not one of a, b"),
        ({"Name": "N N", "Type": "String"}, "needs a Name"),
        ({"Name": "N", "Type": "String", "Default": "x"}, "unknown member Default"),
    ],
)
def test_wrong_parameters_are_refused(parameter: Any, found: str) -> None:
    with pytest.raises(DefinitionError, match=found):
        graph.parse(definition(parameters=[parameter]))
    assert "more than one parameter is named 'N'" in problems(parameters=[{"Name": "N", "Type": "String"}] * 2)

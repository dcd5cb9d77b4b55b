"""Each check names what is wrong with a definition that was broken on purpose, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from golden import GOLDEN

from localcloud.contract.definition import steps
from pipelines.checks import problems
from pipelines.checks.settings_checks import settings_agree
from project.settings import Settings

DEFINITION = GOLDEN / "definition-builtin.json"
Json = dict[str, Any]


@pytest.fixture
def definition() -> Json:
    loaded: Json = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return loaded


def body(definition: Json, name: str) -> Json:
    return next(step.body for step in steps(definition) if step.name == name)


def arguments(definition: Json, name: str) -> Json:
    found: Json = body(definition, name)["Arguments"]
    return found


def output_address(definition: Json, name: str) -> Json:
    listed = arguments(definition, "BuildManifests")["ProcessingOutputConfig"]["Outputs"]
    found: Json = next(o for o in listed if o["OutputName"] == name)["S3Output"]["S3Uri"]["Std:Join"]
    return found


def condition(definition: Json) -> Json:
    found: Json = arguments(definition, "CheckQuality")["Conditions"][0]
    return found


def rename(old: str, new: str) -> Callable[[Json], None]:
    return lambda d: body(d, old).update(Name=new)


def set_argument(step: str, *path: Any) -> Callable[[Json], None]:
    """`path` ends with the new value."""

    def change(definition: Json) -> None:
        place: Any = arguments(definition, step)
        for key in path[:-2]:
            place = place[key]
        place[path[-2]] = path[-1]

    return change


def set_body(step: str, **values: Any) -> Callable[[Json], None]:
    return lambda d: body(d, step).update(values)


def set_parameter(name: str, **values: Any) -> Callable[[Json], None]:
    return lambda d: next(p for p in d["Parameters"] if p["Name"] == name).update(values)


CASES: dict[str, tuple[Callable[[Json], Any], str, str]] = {
    # what is broken: how, where it is reported, words of the report
    "two steps of one name": (rename("QualityTooLow", "Train"), "step Train", "2 steps have this name"),
    "unknown step type": (set_body("Evaluate", Type="Procesing"), "step Evaluate", "Did you mean 'Processing'?"),
    "reference to no step": (
        set_argument("CreateModel", "PrimaryContainer", "ModelDataUrl", {"Get": "Steps.Trian.ModelArtifacts"}),
        "step CreateModel",
        "Did you mean 'Train'?",
    ),
    "DependsOn no such end": (
        set_body("Evaluate", DependsOn=[{"Step": "Train", "Trigger": "Faild"}]),
        "step Evaluate",
        "Did you mean 'Failed'?",
    ),
    "DependsOn no step": (
        set_body("Train", DependsOn=["Nothing"]),
        "step Train",
        "DependsOn refers to a step 'Nothing'",
    ),
    "a circle": (
        set_body("ExtractCifar", DependsOn=["Evaluate"]),
        "step ExtractCifar",
        "waits for itself: ExtractCifar ->",
    ),
    "undeclared parameter": (
        set_argument("Train", "ResourceConfig", "InstanceType", {"Get": "Parameters.TrainingInstance"}),
        "step Train",
        "Did you mean 'TrainingInstanceType'?",
    ),
    "parameter declared twice": (
        lambda d: d["Parameters"].append(dict(d["Parameters"][0])),
        "parameter InputArchiveUri",
        "declared 2 times",
    ),
    "parameter of no use": (
        lambda d: d["Parameters"].append({"Name": "Colour", "Type": "String", "DefaultValue": "red"}),
        "parameter Colour",
        "no step uses it",
    ),
    "unknown execution variable": (
        set_argument("RegisterModel", "MetadataProperties", "GeneratedBy", {"Get": "Execution.PipelineExecutionArm"}),
        "step RegisterModel",
        "Did you mean 'PipelineExecutionArn'?",
    ),
    "reference of no kind": (
        set_argument("RegisterModel", "CustomerMetadataProperties", "commit", {"Get": "Parameter.CodeCommit"}),
        "step RegisterModel",
        "A reference begins with Parameters, Execution or Steps.",
    ),
    "property file outside of the outputs": (
        lambda d: body(d, "Evaluate")["PropertyFiles"][0].update(OutputName="evaluations"),
        "step Evaluate",
        "Did you mean 'evaluation'?",
    ),
    "property file not declared": (
        lambda d: condition(d)["LeftValue"]["Std:JsonGet"].update(
            PropertyFile={"Get": "Steps.Evaluate.PropertyFiles.Report"}
        ),
        "step CheckQuality",
        "reads property file 'Report'",
    ),
    "output that does not exist": (
        lambda d: arguments(d, "Train")["InputDataConfig"][0]["DataSource"]["S3DataSource"].update(
            S3Uri={"Get": "Steps.BuildManifests.ProcessingOutputConfig.Outputs['training'].S3Output.S3Uri"}
        ),
        "step Train",
        "Did you mean 'train'?",
    ),
    "fail step depended on": (
        set_body("RegisterModel", DependsOn=["QualityTooLow"]),
        "step RegisterModel",
        "fail step",
    ),
    "condition type": (
        lambda d: condition(d).update(Type="AtLeast"),
        "step CheckQuality",
        "no condition type 'AtLeast'",
    ),
    "condition without a side": (lambda d: condition(d).pop("RightValue"), "step CheckQuality", "lacks RightValue"),
    "inner condition without a side": (
        set_argument("CheckQuality", "Conditions", [{"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": 1}}]),
        "step CheckQuality",
        "Equals lacks RightValue",
    ),
    "no condition": (set_argument("CheckQuality", "Conditions", []), "step CheckQuality", "has no condition"),
    "gate without an else": (set_argument("CheckQuality", "ElseSteps", []), "step CheckQuality", "ElseSteps is empty"),
    "step name too long": (rename("QualityTooLow", "Q" * 65), f"step {'Q' * 65}", "65 characters"),
    "display name with spaces": (set_body("Train", DisplayName="Train it"), "step Train", "display name 'Train it'"),
    "default of the wrong type": (
        set_parameter("Epochs", DefaultValue="30"),
        "parameter Epochs",
        "not of type Integer",
    ),
    "default not allowed": (
        set_parameter("ModelApprovalStatus", DefaultValue="Pending"),
        "parameter ModelApprovalStatus",
        "'Pending' is not allowed",
    ),
    "unknown parameter type": (set_parameter("Epochs", Type="Number"), "parameter Epochs", "no type 'Number'"),
    "hyperparameter from a number": (
        set_argument("Train", "HyperParameters", "epochs", {"Get": "Parameters.Epochs"}),
        "step Train",
        "hyperparameter epochs",
    ),
    "hyperparameter as a number": (
        set_argument("Train", "HyperParameters", "num_layers", 20),
        "step Train",
        "hyperparameter num_layers is 20",
    ),
    "caching what is never cached": (
        set_body("CreateModel", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"}),
        "step CreateModel",
        "Model steps are never cached",
    ),
    "cache that expires after nonsense": (
        set_body("Train", CacheConfig={"Enabled": True, "ExpireAfter": "30 days"}),
        "step Train",
        "'30 days': not a duration",
    ),
    "retrying a fail step": (
        set_body("QualityTooLow", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}]),
        "step QualityTooLow",
        "Fail steps are not retried",
    ),
    "retrying a model step as a job": (
        set_body("CreateModel", RetryPolicies=[{"ExceptionType": ["SageMaker.CAPACITY_ERROR"]}]),
        "step CreateModel",
        "starts no job",
    ),
    "time in an address": (
        lambda d: arguments(d, "Evaluate")["ProcessingInputs"][0]["S3Input"].update(
            S3Uri="s3://bucket/code-2026-11-20-10-31-07-112/source"
        ),
        "step Evaluate",
        "looks like a time, '2026-11-20'",
    ),
    "outputs inside one another's prefix": (
        lambda d: output_address(d, "train_lst")["Values"].__setitem__(slice(-1, None), ["train_lst"]),
        "step BuildManifests",
        "whoever reads output 'train' also gets 'train_lst'",
    ),
    "unknown version": (lambda d: d.update(Version="2024-01-01"), "definition", "version '2024-01-01' is unknown"),
    "too large": (
        lambda d: body(d, "Train").update(Description="x" * 1_100_000),
        "definition",
        "SageMaker takes 1048576",
    ),
    "argument longer than 256": (
        set_argument("Evaluate", "AppSpecification", "ContainerArguments", ["evaluate", "y" * 257]),
        "step Evaluate",
        "ContainerArguments[1] has 257 characters, and at most 256 are allowed",
    ),
    "unknown field": (
        set_argument("Train", "Hyperparameters", {}),
        "step Train",
        "there is no member Hyperparameters",
    ),
    "missing field": (
        lambda d: arguments(d, "Train").pop("RoleArn"),
        "step Train",
        "RoleArn is missing",
    ),
    "more instances than there may be": (
        set_argument("Evaluate", "ProcessingResources", "ClusterConfig", "InstanceCount", 500),
        "step Evaluate",
        "ProcessingResources.ClusterConfig.InstanceCount is 500, and at most 100 is allowed",
    ),
    "a larger volume than there is": (
        set_argument("Evaluate", "ProcessingResources", "ClusterConfig", "VolumeSizeInGB", 99999),
        "step Evaluate",
        "ProcessingResources.ClusterConfig.VolumeSizeInGB is 99999, and at most 16384 is allowed",
    ),
    "a default beyond the service's range": (
        lambda d: (
            d["Parameters"].append({"Name": "Volume", "Type": "Integer", "DefaultValue": 99999}),
            arguments(d, "Evaluate")["ProcessingResources"]["ClusterConfig"].update(
                VolumeSizeInGB={"Get": "Parameters.Volume"}
            ),
        ),
        "step Evaluate",
        "ClusterConfig.VolumeSizeInGB is 99999, and at most 16384 is allowed",
    ),
    "instance type that does not exist": (
        set_parameter("TrainingInstanceType", DefaultValue="ml.g4dn.xlargest"),
        "step Train",
        "ResourceConfig.InstanceType is 'ml.g4dn.xlargest'",
    ),
    "letter outside the alphabet": (
        set_argument("RegisterModel", "CustomerMetadataProperties", "classes", "bicycle,motorcycle"),
        "step RegisterModel",
        "CustomerMetadataProperties.classes is 'bicycle,motorcycle', which does not match",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_definition_is_named_with_place_and_fix(case: str, definition: Json) -> None:
    change, where, words = CASES[case]
    change(definition)
    found = problems(definition)
    matching = [problem for problem in found if problem.where == where and words in str(problem)]
    assert matching, found
    assert all(problem.fix for problem in found)


def test_the_committed_definitions_have_no_problem() -> None:
    for file in DEFINITION.parent.glob("definition-*.json"):
        assert problems(json.loads(file.read_text(encoding="utf-8"))) == []


def test_nested_condition_steps_are_refused(definition: Json) -> None:
    gate = body(definition, "CheckQuality")
    inner = {**json.loads(json.dumps(gate)), "Name": "Inner"}
    inner["Arguments"] |= {"IfSteps": [], "ElseSteps": []}
    gate["Arguments"]["IfSteps"].append(inner)
    assert any("holds the condition step Inner" in problem.problem for problem in problems(definition))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": ("bicycle", "bus")}, "class 'bus' has no route"),
        ({"routes": {"bicycle": "near", "motorcycle": "far", "bus": "far"}}, "'bus' that is not in `classes`"),
        ({"accuracy_threshold": 0.5}, "guessing reaches 0.5"),
    ],
)
def test_settings_that_contradict_one_another_are_named(settings: Json, words: str) -> None:
    assert any(words in str(problem) for problem in settings_agree(Settings.model_validate(settings)))


def test_default_settings_agree() -> None:
    assert list(settings_agree(Settings())) == []

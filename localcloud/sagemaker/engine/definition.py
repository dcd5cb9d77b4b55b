"""Reading a pipeline definition: JSON text in, steps and parameters out, every problem named.

Nothing is ignored: a step type, a member or a condition that the local SageMaker does not know is a problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.contract import definition, durations, strict_json
from localcloud.contract.definition import is_expression
from localcloud.contract.requests import without_nulls
from localcloud.sagemaker.engine import conditions, form, parameters, retries
from localcloud.sagemaker.engine.caching import ATTRIBUTES, CacheConfig
from localcloud.sagemaker.engine.step_members import OUTSIDE, check_problems, outside_problems
from localcloud.sagemaker.engine.step_types import IMPLEMENTED, KINDS, REFUSED, argument_problems

MEMBERS = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
STEP_MEMBERS = {
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "PropertyFiles",
    "RetryPolicies",
}
NOTEBOOK = "SM_INPUT_NOTEBOOK_NAME"
"""A variable that the SDK's NotebookJobStep gives its Training step, whose image runs notebooks."""
UNRETRIED = ("Endpoint", "QualityCheck")
"""Steps over a resource that take no retry policies: not configurable so in the SDK."""
RESOLVED_AT_START = {
    "PipelineExperimentConfig": ("ExperimentName", "TrialName"),
    "MlflowConfig": ("MlflowResourceArn", "MlflowExperimentName"),
}
"""Members of a definition that parameters and the execution fill in when it starts."""
_STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")


class DefinitionError(Exception):
    """The definition cannot be run; `problems` names everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a Processing step."""

    output: str
    path: str


@dataclass(frozen=True)
class RunnableStep:
    """A step as the definition has it.

    Attributes:
        arguments: the Create request with expressions in it; of a Condition step only its `Conditions`, of a Lambda or
            Callback step what it sends.
        own: what only steps of this type have beside their arguments.
        waits_for: names of the steps that must end before this one starts.
        triggers: those of them that need not succeed, with the end that they must have: Failed, Stopped, Any.
        parent: the Condition step in whose branch it stands, or "".
        branch: the outcome of `parent` with which it runs.
        cache: None when caching is off.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)
    waits_for: frozenset[str] = frozenset()
    triggers: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig | None = None
    policies: tuple[retries.Policy, ...] = ()
    property_files: Mapping[str, PropertyFile] = field(default_factory=dict)
    parent: str = ""
    branch: bool = True


@dataclass(frozen=True)
class PipelineDefinition:
    """A definition without problems of form; whether its references lead anywhere is graph.py's question."""

    parameters: Mapping[str, parameters.Parameter]
    steps: Mapping[str, RunnableStep]
    experiment: Mapping[str, Any]
    mlflow: Mapping[str, Any]


def read(text: str) -> PipelineDefinition:
    """Parse a definition.

    Raises:
        DefinitionError: not JSON, or not in the form of a definition.
    """
    try:
        document = without_nulls(strict_json.loads(text))
    except ValueError as error:
        raise DefinitionError([f"it is not JSON: {error}"]) from None
    problems = list(_problems(document))
    if problems:
        raise DefinitionError(problems)
    return PipelineDefinition(
        parameters={item["Name"]: parameters.read(item) for item in document.get("Parameters") or []},
        steps={item.name: _step(item) for item in definition.steps(document)},
        experiment=document.get("PipelineExperimentConfig") or {},
        mlflow=document.get("MlflowConfig") or {},
    )


def _step(item: definition.Step) -> RunnableStep:
    cache = item.body.get("CacheConfig") or {}
    return RunnableStep(
        name=item.name,
        type=item.type,
        arguments=item.arguments,
        own=item.own,
        waits_for=definition.waits_for(item),
        triggers=definition.triggers(item),
        depends_on=tuple(definition.depends_on(item)),
        display_name=item.body.get("DisplayName"),
        description=item.body.get("Description"),
        cache=_cache(cache) if cache.get("Enabled") else None,
        policies=tuple(retries.read(policy) for policy in item.body.get("RetryPolicies") or ()),
        property_files={
            name: PropertyFile(entry["OutputName"], entry["FilePath"]) for name, entry in item.property_files.items()
        },
        parent=item.within or "",
        branch=item.branch != "ElseSteps",
    )


def _cache(config: dict[str, Any]) -> CacheConfig:
    expire_after = config.get("ExpireAfter")
    return CacheConfig(durations.parse_loosely(expire_after) if expire_after else None)


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or "Steps" not in document:
        yield "it is not an object with a list of Steps"
        return
    if wrong := list(form.problems(form.DEFINITION, document)):
        yield from wrong
        return
    for name in sorted(set(document) - MEMBERS):
        yield f"unknown member '{name}'"
    if document.get("Version") != definition.VERSION:
        yield f"Version is {document.get('Version')!r}, not '{definition.VERSION}'"
    for member, known in RESOLVED_AT_START.items():
        yield from _resolved_problems(member, document.get(member), known)
    declared = document.get("Parameters") or []
    for item in declared:
        yield from parameters.problems(item)
    yield from _repeated("parameter", [item.get("Name") for item in declared if isinstance(item, dict)])
    names: list[str] = []
    for item in document["Steps"]:
        yield from _step_problems(item, names, nested=False)
    yield from _repeated("step", names)


def _resolved_problems(member: str, config: Any, names: tuple[str, ...]) -> Iterator[str]:
    if config is None:
        return
    if not isinstance(config, dict):
        yield f"{member} is not an object"
        return
    for name, value in config.items():
        if name not in names:
            yield f"{member} has unknown member '{name}'"
        elif value is not None and not isinstance(value, str) and not is_expression(value):
            yield f"{member}.{name} is not a string"


def _repeated(what: str, names: list[Any]) -> Iterator[str]:
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"more than one {what} is named '{name}'"


def _step_problems(item: Any, names: list[str], *, nested: bool) -> Iterator[str]:
    name = item.get("Name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
        yield f"a step needs a Name of 1 to 64 letters, digits, - and _, not {name!r}"
        return
    names.append(name)
    kind = item.get("Type")
    if isinstance(kind, str) and kind in REFUSED:
        yield f"step '{name}' is of type {kind}, which the local SageMaker does not run: {REFUSED[kind]}"
        return
    if kind not in IMPLEMENTED:
        yield f"step '{name}' is of type {kind!r}, which the local SageMaker does not run; it runs {_listed()}"
        return
    for member in sorted(set(item) - STEP_MEMBERS - set(definition.OWN_MEMBERS.get(kind, ()))):
        yield f"step '{name}' has unknown member '{member}'"
    arguments = item.get("Arguments")
    if not isinstance(arguments, dict) and not (kind == "Fail" and arguments is None):
        yield f"step '{name}' has no Arguments"
        return
    variables = (arguments or {}).get("Environment")
    if kind == "Training" and isinstance(variables, dict) and NOTEBOOK in variables:
        yield f"step '{name}' is a NotebookJob, which the local SageMaker does not run: {REFUSED['NotebookJob']}"
    for problem in _member_problems(item, kind):
        yield f"step '{name}': {problem}"
    if kind == "Condition":
        if nested:
            yield f"step '{name}' is a Condition step inside a branch, which SageMaker does not allow"
        yield from _condition_problems(name, arguments or {}, names)
    elif kind == "Fail":
        for member in sorted(set(arguments or {}) - {"ErrorMessage"}):
            yield f"step '{name}': a Fail step does not take {member}"
    elif kind in OUTSIDE:
        yield from (f"step '{name}': {problem}" for problem in outside_problems(item))
    elif kind == "RegisterModel" and KINDS[kind].name in (arguments or {}):
        yield f"step '{name}': Arguments hold {KINDS[kind].name}, which the local SageMaker chooses itself"
    else:
        wrong = list(argument_problems(kind, arguments or {}))
        yield from (f"step '{name}': Model Validation failed: {problem}" for problem in wrong)
        if kind == "QualityCheck":
            yield from (f"step '{name}': {problem}" for problem in check_problems(item))
        if wrong:
            return
    for entry in item.get("PropertyFiles") or []:
        yield from (f"step '{name}': {problem}" for problem in _property_file_problems(entry, item, kind))


def _condition_problems(name: str, arguments: dict[str, Any], names: list[str]) -> Iterator[str]:
    for member in sorted(set(arguments) - {"Conditions", "IfSteps", "ElseSteps"}):
        yield f"step '{name}': a Condition step does not take {member}"
    if not isinstance(arguments.get("Conditions"), list) or not arguments["Conditions"]:
        yield f"step '{name}': Conditions is not a list of conditions"
    for condition in arguments.get("Conditions") or []:
        for problem in conditions.problems(condition):
            yield f"step '{name}': {problem}"
    for member in ("IfSteps", "ElseSteps"):
        for inner in arguments.get(member) or []:
            yield from _step_problems(inner, names, nested=True)


def _member_problems(item: dict[str, Any], kind: str) -> Iterator[str]:
    for dependency in item.get("DependsOn") or []:
        yield from _dependency_problems(dependency)
    cache = item.get("CacheConfig") or {}
    if cache.get("Enabled") and kind not in ATTRIBUTES:
        yield f"a {kind} step cannot be cached; {', '.join(ATTRIBUTES)} steps can"
    try:
        _cache(cache)
    except (ValueError, TypeError) as error:
        yield f"CacheConfig.ExpireAfter: {error}"
    for policy in item.get("RetryPolicies") or []:
        if kind in KINDS and kind not in UNRETRIED:
            yield from retries.problems(policy, kind)
        else:
            yield f"a {kind} step is never retried"


def _dependency_problems(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        return
    if not isinstance(entry.get("Step"), str):
        yield f"DependsOn holds {json.dumps(entry)}; an entry is a step's name, or an object with Step and Trigger"
    for member in sorted(set(entry) - {"Step", "Trigger"}):
        yield f"DependsOn has unknown member '{member}'"
    if entry.get("Trigger", definition.COMPLETED) not in definition.TRIGGERS:
        yield f"DependsOn has Trigger {entry['Trigger']!r}, not one of {', '.join(definition.TRIGGERS)}"


def _property_file_problems(entry: Any, item: dict[str, Any], kind: str) -> Iterator[str]:
    members = ("PropertyFileName", "OutputName", "FilePath")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(member), str) for member in members):
        yield f"a property file needs {', '.join(members)}"
        return
    if kind != "Processing":
        yield f"a {kind} step has no property files"
        return
    outputs = (item["Arguments"].get("ProcessingOutputConfig") or {}).get("Outputs") or []
    if is_expression(outputs):
        return
    names = [output.get("OutputName") for output in outputs]
    if entry["OutputName"] not in names:
        has = ", ".join(map(str, names)) or "none"
        yield f"property file '{entry['PropertyFileName']}' is in output '{entry['OutputName']}'; the outputs are {has}"


def _listed() -> str:
    return f"{', '.join(IMPLEMENTED[:-1])} and {IMPLEMENTED[-1]}"

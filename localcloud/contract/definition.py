"""Reading a pipeline definition (version 2020-12-01) as a graph: steps, what each refers to, what it waits for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

Json = dict[str, Any]
VERSION = "2020-12-01"
FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
"""What `Get` finds under Execution."""
COMPLETED = "Completed"
TRIGGERS = (COMPLETED, "Failed", "Stopped", "Any")
"""With which end of the step before it a step runs: TriggerCondition of SDK 3.27, which renders
`{"Step": …, "Trigger": …}`; a plain name means Completed."""
OWN_MEMBERS: dict[str, tuple[str, ...]] = {
    "Lambda": ("FunctionArn", "OutputParameters"),
    "Callback": ("SqsQueueUrl", "OutputParameters"),
    "QualityCheck": (
        "CheckType",
        "ModelPackageGroupName",
        "SkipCheck",
        "FailOnViolation",
        "RegisterNewBaseline",
        "SuppliedBaselineStatistics",
        "SuppliedBaselineConstraints",
    ),
}
"""What steps of a type have beside Arguments, as the SDK renders them; expressions may stand there too."""
STEP_REFERENCE = re.compile(r"^Steps\.([A-Za-z0-9_-]+)(?:\.?(.+))?$")
OUTPUT_REFERENCE = re.compile(r"^ProcessingOutputConfig\.Outputs\['([^']*)'\]")


@dataclass(frozen=True)
class Step:
    """One step, wherever it stands. `within` and `branch` name the condition step and its side (IfSteps, ElseSteps)."""

    body: Json
    within: str | None = None
    branch: str | None = None

    @property
    def name(self) -> str:
        return str(self.body.get("Name", ""))

    @property
    def type(self) -> str:
        return str(self.body.get("Type", ""))

    @property
    def arguments(self) -> Json:
        """The step's request; of a condition step its conditions only, because its branches are steps themselves."""
        arguments: Json = self.body.get("Arguments") or {}
        if self.type == "Condition":
            return {"Conditions": arguments.get("Conditions") or []}
        return arguments

    @property
    def own(self) -> Json:
        """The members that only steps of this type have, beside their arguments."""
        return {name: self.body[name] for name in OWN_MEMBERS.get(self.type, ()) if self.body.get(name) is not None}

    @property
    def outputs(self) -> dict[str, Json]:
        """A processing step's outputs by name."""
        listed = (self.arguments.get("ProcessingOutputConfig") or {}).get("Outputs", [])
        return {str(output.get("OutputName")): output for output in listed}

    @property
    def property_files(self) -> dict[str, Json]:
        return {str(file.get("PropertyFileName")): file for file in self.body.get("PropertyFiles") or []}


@dataclass(frozen=True)
class Reference:
    """A `{"Get": …}` and where it stands, as a path inside the definition."""

    target: str
    path: str


def steps(definition: Json) -> list[Step]:
    """Every step in the order of the definition; those in a branch follow their condition step."""
    return list(_flattened(definition.get("Steps", []), None, None))


def _flattened(bodies: list[Json], within: str | None, branch: str | None) -> Iterator[Step]:
    for body in bodies:
        step = Step(body, within, branch)
        yield step
        if step.type == "Condition":
            for side in ("IfSteps", "ElseSteps"):
                yield from _flattened((body.get("Arguments") or {}).get(side) or [], step.name, side)


def is_expression(value: Any) -> bool:
    """Whether `value` stands for something that is known only when the pipeline runs."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS


def references(value: Any, path: str = "") -> Iterator[Reference]:
    """Every `Get` inside `value`, also within functions and conditions."""
    if isinstance(value, dict):
        if isinstance(value.get("Get"), str) and len(value) == 1:
            yield Reference(value["Get"], path)
            return
        for key, inner in value.items():
            yield from references(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from references(inner, f"{path}[{index}]")


def literals(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is neither an object, a list nor a `Get`, with its path."""
    if isinstance(value, dict):
        if set(value) != {"Get"}:
            for key, inner in value.items():
                yield from literals(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from literals(inner, f"{path}[{index}]")
    else:
        yield path, value


def step_named_in(target: str) -> tuple[str, str] | None:
    """The step and the rest of the path in a reference such as `Steps.Train.ModelArtifacts.S3ModelArtifacts`."""
    match = STEP_REFERENCE.match(target)
    return (match.group(1), match.group(2) or "") if match else None


def depends_on(step: Step) -> list[str]:
    """Names in the step's own DependsOn, plain or with a trigger."""
    return [entry["Step"] if isinstance(entry, dict) else str(entry) for entry in step.body.get("DependsOn") or []]


def triggers(step: Step) -> dict[str, str]:
    """By name of a step in DependsOn: with which of its ends this step runs, where that is not its success."""
    entries = [entry for entry in step.body.get("DependsOn") or [] if isinstance(entry, dict)]
    return {
        str(entry["Step"]): str(entry["Trigger"]) for entry in entries if entry.get("Trigger", COMPLETED) != COMPLETED
    }


def waits_for(step: Step) -> frozenset[str]:
    """Names of the steps that must end before this one starts: DependsOn, references, and its condition step.

    They must succeed, but for those of `triggers`.
    """
    named = {found[0] for r in references([step.arguments, step.own]) if (found := step_named_in(r.target))}
    return frozenset({*named, *depends_on(step), *([step.within] if step.within else [])})


def dependencies(definition: Json) -> dict[str, list[str]]:
    """What each step of the definition waits for, sorted by the definition's order."""
    all_steps = steps(definition)
    position = {step.name: index for index, step in enumerate(all_steps)}
    return {step.name: sorted(waits_for(step) & set(position), key=position.__getitem__) for step in all_steps}


def ancestors(name: str, waits: Mapping[str, Iterable[str]]) -> set[str]:
    """The steps that must have succeeded before a step starts, those of all depths."""
    found: set[str] = set()
    left = list(waits[name])
    while left:
        other = left.pop()
        if other not in found:
            found.add(other)
            left.extend(waits[other])
    return found


def cycle(waits: Mapping[str, Iterable[str]]) -> list[str]:
    """The steps of a circle in which each waits for the next, the first repeated at the end; empty if there is none.

    Args:
        waits: names of steps, and of those that each waits for.
    """
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = error.args[1][:0:-1]  # graphlib's goes from what is waited for to what waits
        first = circle.index(next(name for name in waits if name in circle))
        return [*circle[first:], *circle[:first], circle[first]]
    return []

"""Who waits for whom: dependencies from DependsOn, from references and from membership in a branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from localcloud.sagemaker.engine.definition import Definition, DefinitionError, Step, read
from localcloud.sagemaker.engine.expressions import ExpressionError, Reference, references
from localcloud.sagemaker.engine.step_types import has_property

EXECUTION = (
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


def parse(text: str) -> Definition:
    """Read a definition and follow every reference in it.

    Raises:
        DefinitionError: it cannot be run; all its problems at once.
    """
    definition = read(text)
    problems = list(_problems(definition))
    if problems:
        raise DefinitionError(problems)
    return definition


def dependencies(step: Step) -> frozenset[str]:
    """The steps that must succeed before this one starts."""
    referred = {reference.name for reference in references(step.arguments) if reference.root == "Steps"}
    return frozenset({*step.depends_on, *referred, *([step.parent] if step.parent else [])})


def waiting(definition: Definition) -> Mapping[str, frozenset[str]]:
    """Every step with what it waits for, in the order of the definition."""
    return {name: dependencies(step) for name, step in definition.steps.items()}


def _problems(definition: Definition) -> Iterator[str]:
    edges: dict[str, frozenset[str]] = {}
    for name, step in definition.steps.items():
        try:
            found = list(references(step.arguments))
        except ExpressionError as error:
            yield f"step '{name}': {error}"
            continue
        for reference in dict.fromkeys(found):
            problem = _reference_problem(reference, definition)
            if problem:
                yield f"step '{name}' refers to {reference}, {problem}"
        for other in step.depends_on:
            if other not in definition.steps:
                yield f"step '{name}' depends on '{other}', which is not a step of the pipeline"
        edges[name] = dependencies(step)
        for other in sorted(edges[name]):
            if other in definition.steps and definition.steps[other].type == "Fail":
                yield f"step '{name}' can not depend on '{other}': a Fail step ends the execution"
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        yield f"steps wait for each other in a circle: {' -> '.join(error.args[1])}"


def _reference_problem(reference: Reference, definition: Definition) -> str:
    if reference.root == "Parameters":
        known = reference.name in definition.parameters and not reference.path
        return "" if known else "which is not a declared parameter"
    if reference.root == "Execution":
        known = reference.name in EXECUTION and not reference.path
        return "" if known else f"which is not one of {', '.join(EXECUTION)}"
    step = definition.steps.get(reference.name)
    if step is None:
        return "which is not a step of the pipeline"
    if reference.path[:1] == ("PropertyFiles",):
        known = len(reference.path) == 2 and reference.path[1] in step.property_files
        return "" if known else f"and '{step.name}' has the property files {', '.join(step.property_files) or '(none)'}"
    return "" if has_property(step.type, reference.path) else f"which a {step.type} step does not have"

"""Who waits for whom: dependencies from DependsOn, from references and from membership in a branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from localcloud.contract.definition import EXECUTION_VARIABLES, cycle
from localcloud.sagemaker.engine import assignments
from localcloud.sagemaker.engine.definition import DefinitionError, PipelineDefinition, read
from localcloud.sagemaker.engine.expressions import ExpressionError, ParsedReference, references
from localcloud.sagemaker.engine.step_members import OUTSIDE
from localcloud.sagemaker.engine.step_types import has_property


class AssignmentError(DefinitionError):
    """References lead somewhere, but what is there is of another type."""


def parse(text: str) -> PipelineDefinition:
    """Read a definition and follow every reference in it.

    Raises:
        DefinitionError: it cannot be run; all its problems at once.
    """
    definition = read(text)
    problems = list(_problems(definition))
    if problems:
        raise DefinitionError(problems)
    if unfit := list(assignments.problems(definition)):
        raise AssignmentError(unfit)
    return definition


def waiting(definition: PipelineDefinition) -> Mapping[str, frozenset[str]]:
    """Every step with what it waits for, in the order of the definition."""
    return {name: step.waits_for for name, step in definition.steps.items()}


def _problems(definition: PipelineDefinition) -> Iterator[str]:
    for member, config in (("PipelineExperimentConfig", definition.experiment), ("MlflowConfig", definition.mlflow)):
        try:
            for reference in references(dict(config)):
                problem = (
                    "which has not run" if reference.root == "Steps" else _reference_problem(reference, definition)
                )
                if problem:
                    yield f"{member} refers to {reference}, {problem}"
        except ExpressionError as error:
            yield f"{member}: {error}"
    edges: dict[str, frozenset[str]] = {}
    for name, step in definition.steps.items():
        try:
            found = list(references([step.arguments, step.own]))
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
        edges[name] = step.waits_for
        for other in sorted(edges[name]):
            if other in definition.steps and definition.steps[other].type == "Fail":
                yield f"step '{name}' can not depend on '{other}': a Fail step ends the execution"
    if circle := cycle(edges):
        yield f"steps wait for each other in a circle: {' -> '.join(circle)}"


def _reference_problem(reference: ParsedReference, definition: PipelineDefinition) -> str:
    if reference.root == "Parameters":
        known = reference.name in definition.parameters and not reference.path
        return "" if known else "which is not a declared parameter"
    if reference.root == "Execution":
        known = reference.name in EXECUTION_VARIABLES and not reference.path
        return "" if known else f"which is not one of {', '.join(EXECUTION_VARIABLES)}"
    step = definition.steps.get(reference.name)
    if step is None:
        return "which is not a step of the pipeline"
    if reference.path[:1] == ("PropertyFiles",):
        known = len(reference.path) == 2 and reference.path[1] in step.property_files
        return "" if known else f"and '{step.name}' has the property files {', '.join(step.property_files) or '(none)'}"
    if step.type in OUTSIDE:
        names = [output["OutputName"] for output in step.own.get("OutputParameters", [])]
        known = len(reference.path) == 2 and reference.path[0] == "OutputParameters" and reference.path[1] in names
        return "" if known else f"and '{step.name}' has the OutputParameters {', '.join(names) or '(none)'}"
    return "" if has_property(step.type, reference.path) else f"which a {step.type} step does not have"

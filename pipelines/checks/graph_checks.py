"""Checks of the graph: names that must meet, and paths that must end somewhere."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from localcloud.contract.definition import (
    EXECUTION_VARIABLES,
    OUTPUT_REFERENCE,
    TRIGGERS,
    Json,
    Step,
    cycle,
    dependencies,
    depends_on,
    references,
    step_named_in,
    steps,
    triggers,
)
from project.problem import Problem

STEP_TYPES = {
    *("Processing", "Training", "Transform", "Tuning", "Model", "RegisterModel", "Condition", "Fail", "Lambda"),
    *("Callback", "QualityCheck", "ClarifyCheck", "AutoML", "EMR", "EMRServerless", "EndpointConfig", "Endpoint"),
    *("InferenceComponent", "Lineage", "Job", "Cleanup", "ForEach"),
}
COMPARISONS = {"Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}


def step_names_are_unique(definition: Json) -> Iterator[Problem]:
    """A step may stand in the definition once, branches included."""
    counts = Counter(step.name for step in steps(definition))
    for name, count in counts.items():
        if count > 1:
            yield Problem(f"step {name}", f"{count} steps have this name.", "Rename all but one.")


def step_types_are_known(definition: Json) -> Iterator[Problem]:
    """A step's type is one that SageMaker Pipelines has."""
    for step in steps(definition):
        if step.type not in STEP_TYPES:
            yield Problem(f"step {step.name}", f"there is no step type {step.type!r}.", _nearest(step.type, STEP_TYPES))


def references_name_existing_steps(definition: Json) -> Iterator[Problem]:
    """`Steps.X…` and DependsOn name steps of this pipeline, and never the step itself."""
    names = {step.name for step in steps(definition)}
    for step in steps(definition):
        targets = [(r.path, found[0]) for r in references(step.arguments) if (found := step_named_in(r.target))]
        for path, name in [*targets, *(("DependsOn", name) for name in depends_on(step))]:
            if name not in names:
                yield Problem(
                    f"step {step.name}", f"{path} refers to a step {name!r} that is not there.", _nearest(name, names)
                )
            elif name == step.name:
                yield Problem(f"step {step.name}", f"{path} refers to the step itself.", "Refer to an earlier step.")


def triggers_exist(definition: Json) -> Iterator[Problem]:
    """A dependency names an end that a step can have."""
    for step in steps(definition):
        for name, trigger in triggers(step).items():
            if trigger not in TRIGGERS:
                problem = f"DependsOn waits for {name!r} to end as {trigger!r}: no such end."
                yield Problem(f"step {step.name}", problem, _nearest(trigger, TRIGGERS))


def steps_do_not_wait_in_a_circle(definition: Json) -> Iterator[Problem]:
    """The graph has an order to run in."""
    if circle := cycle(dependencies(definition)):
        yield Problem(
            f"step {circle[0]}",
            f"waits for itself: {' -> '.join(circle)}.",
            "Remove one of these references or DependsOn entries.",
        )


def parameters_are_declared(definition: Json) -> Iterator[Problem]:
    """`Parameters.X` is declared once. The service refuses the definition otherwise; the SDK does not notice."""
    counts = Counter(str(parameter.get("Name")) for parameter in definition.get("Parameters", []))
    for name, count in counts.items():
        if count > 1:
            yield Problem(f"parameter {name}", f"declared {count} times.", "Declare it once.")
    for step in steps(definition):
        for name in _parameters_used(step.arguments):
            if name not in counts:
                yield Problem(
                    f"step {step.name}",
                    f"uses a parameter {name!r} that is not declared.",
                    _nearest(name, counts) + " Or add it to the pipeline's parameters.",
                )


def parameters_are_used(definition: Json) -> Iterator[Problem]:
    """A parameter that changes nothing misleads whoever sets it."""
    used = set(_parameters_used(definition))
    for parameter in definition.get("Parameters", []):
        if parameter.get("Name") not in used:
            yield Problem(f"parameter {parameter.get('Name')}", "no step uses it.", "Use it or remove it.")


def execution_variables_exist(definition: Json) -> Iterator[Problem]:
    """`Execution.X` is one of the service's variables, and no reference begins with anything else."""
    for step in steps(definition):
        for reference in references(step.arguments):
            kind, _, rest = reference.target.partition(".")
            if kind == "Execution" and rest not in EXECUTION_VARIABLES:
                fix = _nearest(rest, EXECUTION_VARIABLES)
            elif kind not in {"Execution", "Parameters", "Steps", "ForEach"}:
                fix = "A reference begins with Parameters, Execution or Steps."
            else:
                continue
            yield Problem(f"step {step.name}", f"{reference.path} refers to {reference.target!r}: no such value.", fix)


def property_files_exist(definition: Json) -> Iterator[Problem]:
    """A property file lies in an output of its step, and what JsonGet reads is a property file of the step it names."""
    by_name = {step.name: step for step in steps(definition)}
    for step in by_name.values():
        for name, file in step.property_files.items():
            if file.get("OutputName") not in step.outputs:
                yield Problem(
                    f"step {step.name}",
                    f"property file {name!r} lies in output {file.get('OutputName')!r}, which the step does not have.",
                    _nearest(str(file.get("OutputName")), step.outputs),
                )
        for reference in references(step.arguments):
            found = step_named_in(reference.target)
            if found and found[0] in by_name and found[1].startswith("PropertyFiles."):
                owner, name = by_name[found[0]], found[1].removeprefix("PropertyFiles.")
                if name not in owner.property_files:
                    yield Problem(
                        f"step {step.name}",
                        f"reads property file {name!r}, which step {owner.name} does not declare.",
                        f"Add it to {owner.name}'s property_files.",
                    )


def referenced_outputs_exist(definition: Json) -> Iterator[Problem]:
    """`Steps.S.ProcessingOutputConfig.Outputs['x']` names an output of a processing step."""
    by_name = {step.name: step for step in steps(definition)}
    for step in by_name.values():
        for reference in references(step.arguments):
            found = step_named_in(reference.target)
            match = OUTPUT_REFERENCE.match(found[1]) if found else None
            if not found or not match or found[0] not in by_name:
                continue
            owner, name = by_name[found[0]], match.group(1)
            if name not in owner.outputs:
                yield Problem(
                    f"step {step.name}",
                    f"{reference.path} refers to output {name!r}, which step {owner.name} does not have.",
                    _nearest(name, owner.outputs),
                )


def nothing_waits_for_a_fail_step(definition: Json) -> Iterator[Problem]:
    """A fail step ends the execution: nothing can come after it."""
    failing = {step.name for step in steps(definition) if step.type == "Fail"}
    for step in steps(definition):
        named = {found[0] for r in references(step.arguments) if (found := step_named_in(r.target))}
        for name in sorted((named | set(depends_on(step))) & failing):
            yield Problem(
                f"step {step.name}", f"waits for the fail step {name}.", "Depend on the condition step instead."
            )


def conditions_are_complete(definition: Json) -> Iterator[Problem]:
    """A condition step compares with types that exist, both sides given, and holds no condition step."""
    for step in steps(definition):
        if step.type != "Condition":
            continue
        if not step.arguments["Conditions"]:
            yield Problem(f"step {step.name}", "has no condition.", "Give it at least one.")
        for condition in step.arguments["Conditions"]:
            yield from _condition_problems(step, condition)
        for inner in steps(definition):
            if inner.within == step.name and inner.type == "Condition":
                yield Problem(
                    f"step {step.name}",
                    f"holds the condition step {inner.name}; SageMaker does not nest them.",
                    "Put both conditions into one step.",
                )


def gates_end_somewhere_on_both_sides(definition: Json) -> Iterator[Problem]:
    """A gate whose "no" leads nowhere ends as Succeeded: nobody would learn that nothing was registered.

    A condition on nothing but parameters is no gate, but a switch: who turned it knows what is not done.
    """
    for step in steps(definition):
        if all(reference.target.startswith("Parameters.") for reference in references(step.arguments)):
            continue
        for branch, other in (("IfSteps", "ElseSteps"), ("ElseSteps", "IfSteps")):
            if step.type == "Condition" and not (step.body.get("Arguments") or {}).get(branch):
                yield Problem(
                    f"step {step.name}",
                    f"{branch} is empty: an execution that goes there ends as Succeeded with nothing done.",
                    f"Add a step, such as a Fail step that says why {other} were not run.",
                )


def _condition_problems(step: Step, condition: Json) -> Iterator[Problem]:
    kind = str(condition.get("Type"))
    if kind in COMPARISONS:
        missing = {"LeftValue", "RightValue"} - set(condition)
    elif kind == "In":
        missing = {"QueryValue", "Values"} - set(condition)
    elif kind == "Not":
        missing = {"Condition"} - set(condition)
        if not missing:
            yield from _condition_problems(step, condition["Condition"])
    elif kind == "Or":
        missing = {"Conditions"} - set(condition)
        for inner in condition.get("Conditions", []):
            yield from _condition_problems(step, inner)
    else:
        known = COMPARISONS | {"In", "Not", "Or"}
        yield Problem(f"step {step.name}", f"there is no condition type {kind!r}.", _nearest(kind, known))
        return
    if missing:
        yield Problem(f"step {step.name}", f"condition {kind} lacks {', '.join(sorted(missing))}.", "Add it.")


def _parameters_used(value: Any) -> list[str]:
    names = [r.target.removeprefix("Parameters.") for r in references(value) if r.target.startswith("Parameters.")]
    return list(dict.fromkeys(names))


def _nearest(name: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There is: {', '.join(choices) or 'none'}."

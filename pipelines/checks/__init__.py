"""Finding what SageMaker would refuse, or would run wrongly, before it is asked: small checks, problem and fix.

A check is a function from a definition to the problems it finds. They are listed, not discovered: CHECKS is the order
in which they run and the whole of what is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from localcloud.contract.definition import Json
from pipelines.checks import graph_checks, request_checks, value_checks
from project.problem import Problem

Check = Callable[[Json], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    graph_checks.step_names_are_unique,
    graph_checks.step_types_are_known,
    graph_checks.references_name_existing_steps,
    graph_checks.steps_do_not_wait_in_a_circle,
    graph_checks.parameters_are_declared,
    graph_checks.parameters_are_used,
    graph_checks.execution_variables_exist,
    graph_checks.property_files_exist,
    graph_checks.referenced_outputs_exist,
    graph_checks.triggers_exist,
    graph_checks.nothing_waits_for_a_fail_step,
    graph_checks.conditions_are_complete,
    graph_checks.gates_end_somewhere_on_both_sides,
    value_checks.names_are_valid,
    value_checks.parameter_defaults_fit,
    value_checks.hyperparameters_are_strings,
    value_checks.caching_is_possible,
    value_checks.retries_fit_the_step,
    value_checks.addresses_do_not_change_with_time,
    value_checks.outputs_do_not_share_a_prefix,
    value_checks.definition_fits,
    request_checks.requests_are_accepted,
)


def problems(definition: Json) -> list[Problem]:
    """Everything that CHECKS find in `definition`, each problem once."""
    found = [problem for check in CHECKS for problem in check(definition)]
    return list(dict.fromkeys(found))

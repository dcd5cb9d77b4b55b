"""What can be wrong with a state machine before it runs: each check is a small function that yields problem and fix.

MiniStack deploys anything that is JSON, and AWS finds a wrong transition only when it creates the machine, a useless
retry only in production. `scones check` runs these first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from project.problem import Problem
from stepfunctions.machines import PLACEHOLDER, StateMachine, scopes, states, transitions

Check = Callable[[StateMachine], Iterator[Problem]]
RESOURCES = {"arn:aws:states:::lambda:invoke", "arn:aws:states:::sns:publish"}
READERS = {"arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"}
ENDS = {"Succeed", "Fail"}
MAX_NAME = 80
KNOWN_TYPES = {"Task", "Pass", "Choice", "Wait", "Parallel", "Map", *ENDS}
RETRIES_EVERYTHING = {"States.ALL", "States.TaskFailed", "States.Runtime"}


def refusals(definition: StateMachine) -> list[Problem]:
    """What AWS would refuse in anybody's machine."""
    return [problem for check in REFUSED for problem in check(definition)]


def problems(definition: StateMachine, known_placeholders: set[str] | None = None) -> list[Problem]:
    """Everything the checks find.

    Args:
        known_placeholders: names that deployment will fill; None for a definition that must be complete already.
    """
    found = [problem for check in CHECKS for problem in check(definition)]
    return found + list(_unfilled(definition, known_placeholders or set()))


def starts_somewhere(definition: StateMachine) -> Iterator[Problem]:
    """StartAt names a state of its own scope."""
    for where, scope in scopes(definition):
        start = scope.get("StartAt")
        if start not in scope.get("States", {}):
            place = f"state {where.rstrip('/')}" if where else "the machine"
            yield Problem(place, f"StartAt is {start!r}, which is no state.", "Name the first state.")


def targets_exist(definition: StateMachine) -> Iterator[Problem]:
    """Every transition stays in its scope and names a state there."""
    for path, state, scope in states(definition):
        for target, _ in transitions(state):
            if target not in scope["States"]:
                yield Problem(f"state {path}", f"goes on to {target!r}, which is no state here.", "Correct the name.")


def states_are_reachable(definition: StateMachine) -> Iterator[Problem]:
    """Every state can be reached from StartAt."""
    for where, scope in scopes(definition):
        here, seen, todo = scope.get("States", {}), set(), [scope.get("StartAt")]
        while todo:
            name = todo.pop()
            if name in here and name not in seen:
                seen.add(name)
                todo += [target for target, _ in transitions(here[name])]
        for name in sorted(set(here) - seen):
            yield Problem(f"state {where}{name}", "cannot be reached.", "Lead a transition to it, or remove it.")


def names_are_unique(definition: StateMachine) -> Iterator[Problem]:
    """No two states of a machine share a name, not even in different branches; a name has at most 80 characters."""
    seen: set[str] = set()
    for path, _, _ in states(definition):
        name = path.rpartition("/")[2]
        if name in seen or len(name) > MAX_NAME:
            yield Problem(
                f"state {path}",
                f"has a name that is used twice or longer than {MAX_NAME} characters.",
                "Rename the state.",
            )
        seen.add(name)


def types_are_known(definition: StateMachine) -> Iterator[Problem]:
    """The state type is one of the eight."""
    for path, state, _ in states(definition):
        if state.get("Type") not in KNOWN_TYPES:
            yield Problem(
                f"state {path}", f"has type {state.get('Type')!r}.", f"Use one of {', '.join(sorted(KNOWN_TYPES))}."
            )


def states_go_on_or_end(definition: StateMachine) -> Iterator[Problem]:
    """Exactly one of Next and End, where a state has a way on at all."""
    for path, state, _ in states(definition):
        if state.get("Type") in ENDS | {"Choice"}:
            if "Next" in state or "End" in state:
                yield Problem(f"state {path}", f"is a {state['Type']} state with Next or End.", "Remove it.")
        elif ("Next" in state) == bool(state.get("End")):
            yield Problem(f"state {path}", "needs either Next or End.", 'Add "Next": "<state>" or "End": true.')


def choices_have_a_default(definition: StateMachine) -> Iterator[Problem]:
    """A Choice says where to go when nothing matches."""
    for path, state, _ in states(definition):
        if state.get("Type") == "Choice" and "Default" not in state:
            yield Problem(f"state {path}", "has no Default.", "Say what happens to an outcome nobody thought of.")


def rules_lead_somewhere(definition: StateMachine) -> Iterator[Problem]:
    """Every rule of a Choice says where it leads."""
    for path, state, _ in states(definition):
        if any("Next" not in rule for rule in state.get("Choices", [])):
            yield Problem(f"state {path}", "has a rule without Next.", "Say where the rule leads.")


def failures_are_named(definition: StateMachine) -> Iterator[Problem]:
    """A Fail state has an error name and a cause."""
    for path, state, _ in states(definition):
        if state.get("Type") == "Fail":
            for field in ("Error", "Cause"):
                if not {field, f"{field}Path"} & set(state):
                    yield Problem(
                        f"state {path}", f"has no {field}.", f"Add {field} or {field}Path: it is all people will see."
                    )


def resources_are_known(definition: StateMachine) -> Iterator[Problem]:
    """Tasks call Lambda or SNS, and a Map reads from S3: what the roles allow and what runs on both clouds."""
    for path, state, _ in states(definition):
        resource = state.get("Resource")
        if state.get("Type") == "Task" and resource not in RESOURCES:
            yield Problem(f"state {path}", f"calls {resource!r}.", f"Use one of {', '.join(sorted(RESOURCES))}.")
        reader = state.get("ItemReader", {}).get("Resource")
        if reader is not None and reader not in READERS:
            yield Problem(f"state {path}", f"reads items with {reader!r}.", f"Use one of {', '.join(sorted(READERS))}.")


def tasks_have_a_time_limit(definition: StateMachine) -> Iterator[Problem]:
    """The machine and each of its tasks have a time limit."""
    if "TimeoutSeconds" not in definition:
        yield Problem("the machine", "has no TimeoutSeconds.", "Without it an execution may wait for a year.")
    for path, state, _ in states(definition):
        if state.get("Type") == "Task" and not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(state):
            yield Problem(
                f"state {path}", "has no TimeoutSeconds.", "Give it a little more than the function's own limit."
            )


def retries_are_chosen(definition: StateMachine) -> Iterator[Problem]:
    """Retries name what is worth retrying, and wait longer each time, not all at once."""
    for path, state, _ in states(definition):
        for retrier in state.get("Retry", []):
            everything = RETRIES_EVERYTHING & set(retrier.get("ErrorEquals", []))
            if everything:
                fix = "Name throttling and service errors: bad input stays bad."
                yield Problem(f"state {path}", f"retries on {', '.join(sorted(everything))}.", fix)
            if retrier.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in retrier:
                fix = 'Add "JitterStrategy": "FULL" and MaxDelaySeconds.'
                yield Problem(f"state {path}", "retries without jitter or without a longest delay.", fix)


def data_limit_is_caught(definition: StateMachine) -> Iterator[Problem]:
    """A task that hands its whole state to a function catches DataLimitExceeded by name.

    AWS documents that States.ALL does not cover it. That it was seen to do so is nothing to build on.
    """
    for path, state, _ in states(definition):
        if state.get("Type") == "Task" and state.get("Parameters", {}).get("Payload.$") == "$" and _may_carry(state):
            named = {error for catcher in state.get("Catch", []) for error in catcher.get("ErrorEquals", [])}
            if "States.DataLimitExceeded" not in named:
                fix = "Catch States.DataLimitExceeded by name; AWS does not promise that States.ALL covers it."
                yield Problem(f"state {path}", "carries pictures and does not catch States.DataLimitExceeded.", fix)


def catch_all_stands_last(definition: StateMachine) -> Iterator[Problem]:
    """States.ALL stands alone in the last catcher or retrier: AWS refuses it anywhere else."""
    for path, state, _ in states(definition):
        for field in ("Catch", "Retry"):
            rules = [rule.get("ErrorEquals", []) for rule in state.get(field, [])]
            for index, errors in enumerate(rules):
                if "States.ALL" in errors and (len(errors) > 1 or index < len(rules) - 1):
                    yield Problem(
                        f"state {path}",
                        f"has States.ALL, but not alone and last in {field}.",
                        "Move it to its own, last.",
                    )


def maps_are_bounded(definition: StateMachine) -> Iterator[Problem]:
    """A Map says how many items at a time and how many may fail."""
    for path, state, _ in states(definition):
        if state.get("Type") != "Map":
            continue
        if not {"MaxConcurrency", "MaxConcurrencyPath"} & set(state):
            yield Problem(
                f"state {path}", "has no MaxConcurrency.", "Without it up to 10,000 children call the endpoint at once."
            )
        tolerances = ("ToleratedFailurePercentage", "ToleratedFailureCount")
        if not any(name in state or f"{name}Path" in state for name in tolerances):
            yield Problem(
                f"state {path}", "tolerates no failure.", "Add ToleratedFailurePercentage: one bad picture is normal."
            )


def _may_carry(state: dict[str, Any]) -> bool:
    """The three functions whose event holds `image_data`."""
    function = str(state["Parameters"].get("FunctionName", ""))
    return any(name in function for name in ("SerializeImage", "ClassifyImage", "FilterInferences"))


def _unfilled(definition: StateMachine, known: set[str]) -> Iterator[Problem]:
    for path, state, _ in states(definition):
        own = {key: value for key, value in state.items() if key not in {"Branches", "ItemProcessor", "Iterator"}}
        for name in sorted(set(PLACEHOLDER.findall(str(own))) - known):
            yield Problem(
                f"state {path}", f"still holds ${{{name}}}.", "Add it to the machine's DefinitionSubstitutions."
            )


REFUSED: tuple[Check, ...] = (
    starts_somewhere,
    targets_exist,
    states_are_reachable,
    names_are_unique,
    types_are_known,
    states_go_on_or_end,
    rules_lead_somewhere,
    catch_all_stands_last,
)
"""What AWS itself refuses, in anybody's machine."""
CHECKS: tuple[Check, ...] = (
    *REFUSED,
    choices_have_a_default,
    failures_are_named,
    resources_are_known,
    tasks_have_a_time_limit,
    retries_are_chosen,
    data_limit_is_caught,
    maps_are_bounded,
)
"""What this project asks of its own machines."""

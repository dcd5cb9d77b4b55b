"""TestState: one state by itself, for real or with a mocked result."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from antlr4.error.Errors import RecognitionException
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.definition import diagnostics
from localcloud.stepfunctions.engine import testing
from localcloud.stepfunctions.engine.testing import STATE_NAME, Caller, Mock, Tested
from localcloud.stepfunctions.json_problems import problem
from localcloud.stepfunctions.mocks import MOCKABLE, check_mock
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.protocol import Body, ServiceError, strict_json, validation

REAL = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice")
"""The types that can be tested without a mock."""
WITH_TOKEN = (".sync", ".sync:2", ".waitForTaskToken")


@operation("TestState")
def test_state(cloud: StatesCloud, request: Body) -> Body:
    """Run a state once and say what became of it."""
    state = _state(request)
    mocked = "mock" in request
    if mocked:
        check_mock(state, request)
    elif "mapIterationFailureCount" in request.get("stateConfiguration", {}):
        raise validation("TestState does not support MapIterationFailureCount when a mock is not specified.")
    elif state.get("Type") not in REAL:
        kinds = ", ".join(REAL)
        message = f"TestState API does not support Map or Parallel states. Supported state types include: [{kinds}]"
        raise ServiceError("InvalidDefinition", message)
    if state.get("Type") == "Parallel" and not state.get("Branches"):
        raise _invalid(f"SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/{STATE_NAME}/Branches")
    value = _json(request.get("input", "{}"))
    context = _context(cloud, request, state, value)
    try:
        tested = testing.run(
            state,
            context,
            value,
            _json(request.get("variables", "{}")),
            _mock(request) if mocked else None,
            Caller(cloud.account, cloud.region, request.get("roleArn", "")),
            "context" in request,
        )
    except (ASLParserException, RecognitionException, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _invalid(f"SCHEMA_VALIDATION_FAILED: {error}") from None
    return _answer(state, request, tested)


def _state(request: Body) -> Body:
    """The state to test, by itself or by its name in a state machine.

    Raises:
        ServiceError: InvalidDefinition, ValidationException.
    """
    document = strict_json.loads(request["definition"]) if _is_json(request["definition"]) else None
    if not isinstance(document, dict):
        raise _invalid("INVALID_JSON_DESCRIPTION: The definition is not a JSON object")
    name = request.get("stateName")
    if name is None:
        return document
    if found := diagnostics(request["definition"], express=False):
        raise _invalid(f"{found[0].code}: {found[0].message} at {found[0].location}")
    state = _named(document, name)
    if state is None:
        raise validation("State not found in definition")
    language = document.get("QueryLanguage")
    return {**({"QueryLanguage": language} if language else {}), **state}


def _named(value: Any, name: str) -> Body | None:
    if isinstance(value, dict):
        states = value.get("States")
        if isinstance(states, dict) and name in states:
            return dict(states[name])
        value = list(value.values())
    if isinstance(value, list):
        return next((found for item in value if (found := _named(item, name)) is not None), None)
    return None


def _is_json(text: str) -> bool:
    try:
        strict_json.loads(text)
    except ValueError:
        return False
    return True


def _invalid(text: str) -> ServiceError:
    return ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")


def _json(text: str) -> Any:
    try:
        return strict_json.loads(text)
    except ValueError as error:
        message = f"Invalid State Machine Execution Input: '{problem(error)}'"
        raise ServiceError("InvalidExecutionInput", message) from None


def _context(cloud: StatesCloud, request: Body, state: Body, value: Any) -> Body:
    """The context object: the request's own, or one of an execution that there is not.

    Raises:
        ServiceError: ValidationException.
    """
    if "context" in request:
        given: Body = _json(request["context"])
        if "Map" in given:
            raise _bad_context("'Map' field is not supported when mocking a Context object")
        if "Task" in given and not str(state.get("Resource")).endswith(WITH_TOKEN):
            raise _bad_context(
                "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' "
                "service integration pattern"
            )
        for part, members in given.items():
            for name, item in members.items() if isinstance(members, dict) else ():
                if name in ("Id", "Name", "RoleArn", "StartTime", "EnteredTime") and not isinstance(item, str):
                    raise _bad_context(f"{part}.{name} must be a string")
        return given
    machine, execution = str(uuid.uuid4()), str(uuid.uuid4())
    started = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "Execution": {
            "Id": cloud.arn(f"express:{machine}:{execution}"),
            "Input": value,
            "Name": execution,
            "RoleArn": request.get("roleArn"),
            "StartTime": started,
        },
        "StateMachine": {"Id": cloud.arn(f"stateMachine:{machine}"), "Name": machine},
    }


def _bad_context(problem: str) -> ServiceError:
    return validation(f"Invalid Context object provided: {problem}")


def _mock(request: Body) -> Mock:
    mock, failures = request["mock"], request.get("stateConfiguration", {}).get("mapIterationFailureCount", 0)
    if "errorOutput" in mock:
        error = mock["errorOutput"]
        return Mock(error=error.get("error", ""), cause=error.get("cause"), failures=failures)
    return Mock(result=json.loads(mock.get("result", "null")), failures=failures)


def _answer(state: Body, request: Body, tested: Tested) -> Body:
    answer: Body = {"error": tested.error, "cause": tested.cause} if tested.failed else {}
    details: Body = {}
    retry = _matching(state.get("Retry"), tested.error) if tested.failed else None
    done = request.get("stateConfiguration", {}).get("retrierRetryCount", 0)
    if retry is not None and done < state["Retry"][retry].get("MaxAttempts", 3):
        answer["status"] = "RETRIABLE"
        details = {"retryIndex": retry, "retryBackoffIntervalSeconds": _pause(state["Retry"][retry], done)}
    elif tested.failed and tested.caught:
        answer["status"] = "CAUGHT_ERROR"
        details = {"catchIndex": _matching(state.get("Catch"), tested.error)}
    else:
        answer["status"] = "FAILED" if tested.failed else "SUCCEEDED"
        details = {} if retry is None else {"retryIndex": retry}
    if answer["status"] in ("SUCCEEDED", "CAUGHT_ERROR"):
        answer |= {"output": _text(tested.output), "nextState": tested.next_state}
    if request.get("inspectionLevel", "INFO") != "INFO":
        answer["inspectionData"] = _inspection(state, request, tested, details)
    return answer


def _matching(rules: list[Body] | None, error: str | None) -> int | None:
    """The index of the first retrier or catcher for an error."""
    for index, rule in enumerate(rules or []):
        names = rule.get("ErrorEquals", [])
        if error in names or "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout"):
            return index
    return None


def _pause(retrier: Body, done: int) -> int:
    seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** done
    return int(min(seconds, retrier.get("MaxDelaySeconds", seconds)))


def _inspection(state: Body, request: Body, tested: Tested, details: Body) -> Body:
    """What happened on the way, as far as the state's type and query language have such a step."""
    found = {"input": _json(request.get("input", "{}")), **tested.values}
    limits = {key: found.pop(key) for key in list(found) if key.startswith(("maxC", "tolerated"))}
    if state.get("QueryLanguage") == "JSONata":
        names = {"input": "input", **({"afterParameters": "afterArguments"} if state["Type"] == "Task" else {})}
        found = {names[key]: value for key, value in found.items() if key in names}
        if state["Type"] == "Task" and not tested.failed:
            found["result"] = tested.result
    else:
        found = _jsonpath_steps(state, found, tested)
    made: Body = {key: _text(value) for key, value in found.items()}
    made |= limits
    if "variables" in request:
        made["variables"] = request["variables"]
    return {**made, **({"errorDetails": details} if details else {})}


def _jsonpath_steps(state: Body, found: Body, tested: Tested) -> Body:
    kind = state.get("Type")
    steps = {"input": found["input"]}
    chosen = found.get("afterInputPath", found["input"])
    made = found.get("afterParameters", chosen)
    if kind in ("Choice", "Succeed", "Fail", "Wait"):
        return {**steps, "afterInputPath": chosen}
    if kind == "Map":
        steps["afterInputPath"] = chosen
        steps |= {name: found[name] for name in ("afterItemsPath",) if name in found}
    if kind == "Task" or (kind == "Pass" and "Result" not in state):
        steps |= {"afterInputPath": chosen, "afterParameters": made}
    if tested.failed:
        return steps
    result = tested.result if kind in MOCKABLE else found.get("result", made)
    if kind == "Task" or "Result" in state:
        steps["result"] = result
    after = found.get("afterResultSelector", result)
    return {**steps, "afterResultSelector": after, "afterResultPath": found.get("afterResultPath", tested.output)}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

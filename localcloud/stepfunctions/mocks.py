"""Is the mocked result of a tested state what its service could answer? Checked against botocore's models.

The texts are those of recorded answers of TestState.
"""

from __future__ import annotations

import re
from typing import Any

import botocore.loaders
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from localcloud.stepfunctions.protocol import Body, ServiceError, strict_json, validation

MOCKABLE = ("Task", "Map", "Parallel")
_NUMBERS = ("integer", "long", "float", "double")
_NAMES = {"sfn": "stepfunctions", "states": "stepfunctions"}


def check_mock(state: Body, request: Body) -> None:
    """Check the mock of a request for this state.

    Raises:
        ServiceError: ValidationException.
    """
    mock = request["mock"]
    if request.get("revealSecrets"):
        raise validation("TestState does not support RevealSecrets when a mock is specified.")
    if "result" in mock and "errorOutput" in mock:
        raise validation("A test mock should have only one of the following fields: [result, errorOutput].")
    if state.get("Type") not in MOCKABLE:
        raise validation(f"State type '{state.get('Type')}' is not supported when a mock is specified")
    if "result" not in mock:
        return
    try:
        result = strict_json.loads(mock["result"])
    except ValueError:
        raise validation("Mocked result must be valid JSON") from None
    _check_shape(state, result)
    failures = request.get("stateConfiguration", {}).get("mapIterationFailureCount")
    if failures is not None and isinstance(result, list) and failures > len(result):
        message = "Map iteration failure count must be less than or equal to the number of Map iterations"
        raise validation(message)
    shape = _output_shape(state) if state["Type"] == "Task" else None
    if shape is not None and mock.get("fieldValidationMode") != "NONE":
        _check_value(shape, result, "")


def _check_shape(state: Body, result: Any) -> None:
    if state["Type"] == "Map" and "ResultWriter" in state:
        if not isinstance(result, dict):
            raise validation("Mocked result must be a JSON object.")
    elif state["Type"] in ("Map", "Parallel") and not isinstance(result, list):
        raise validation("Mocked result must be an array.")
    elif state["Type"] == "Parallel" and len(result) != len(state.get("Branches", [])):
        raise validation("Mocked result must contain the same number of items as number of Parallel branches.")


def _output_shape(state: Body) -> Shape | None:
    """The output of the API operation behind a service integration, None without one that is known."""
    found = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?([\w-]+):(\w+)(?:\..*)?", state.get("Resource", ""))
    if found is None:
        return None
    service, action = found.groups()
    try:
        service = _NAMES.get(service, service)
        model = ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)
        return model.operation_model(action[:1].upper() + action[1:]).output_shape
    except (DataNotFoundError, UnknownServiceError, KeyError, ValueError):
        return None
    except Exception as error:  # OperationNotFoundError has no public name in every botocore
        if type(error).__name__ == "OperationNotFoundError":
            return None
        raise


def _check_value(shape: Shape, value: Any, field: str) -> None:
    if isinstance(shape, StructureShape):
        _expect(isinstance(value, dict), field, "an object")
        members = {_plain(name): member for name, member in shape.members.items()}
        for name, item in value.items():
            if _plain(name) in members and not (field == "" and name == "Payload"):
                _check_value(members[_plain(name)], item, name)
    elif isinstance(shape, ListShape):
        _expect(isinstance(value, list), field, "an array")
        for item in value:
            _check_value(shape.member, item, field)
    elif isinstance(shape, MapShape):
        _expect(isinstance(value, dict), field, "an object")
    elif shape.type_name in _NUMBERS:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), field, "a number")
        _check_limits(shape, value, field)
    elif shape.type_name == "boolean":
        _expect(isinstance(value, bool), field, "a boolean")
    elif shape.type_name in ("string", "blob"):
        _expect(isinstance(value, str), field, "a string")
        _check_text(shape, value, field)


def _check_limits(shape: Shape, value: float, field: str) -> None:
    if value < shape.metadata.get("min", value):
        raise _problem(f"Field '{field}' is less than the minimum value")
    if value > shape.metadata.get("max", value):
        raise _problem(f"Field '{field}' exceeds the maximum value")


def _check_text(shape: Shape, value: str, field: str) -> None:
    if getattr(shape, "enum", None) and value not in shape.enum:
        raise _problem(f"Field '{field}' is not an expected value")
    if len(value) < shape.metadata.get("min", 0):
        raise _problem(f"Field '{field}' is smaller than the minimum length")
    if len(value) > shape.metadata.get("max", len(value)):
        raise _problem(f"Field '{field}' exceeds the maximum length")


def _plain(name: str) -> str:
    """Step Functions writes members in its own case."""
    return name.lower()


def _expect(ok: bool, field: str, wanted: str) -> None:
    if not ok:
        raise _problem(f"Field '{field}' must be {wanted}")


def _problem(text: str) -> ServiceError:
    return validation(f"Mock result schema validation error: {text}")

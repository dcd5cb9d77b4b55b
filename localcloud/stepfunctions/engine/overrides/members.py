"""Requests and answers of services have the members, and the forms of times, that AWS has in a state machine.

AWS: developer guide, "Learning to use AWS service SDK integrations": members are in PascalCase whatever the service
calls them. Recorded answers: bodies of objects are JSON (a text is written with its quotation marks), an answer's
stream is text. Times are ISO 8601 in aws-sdk integrations and epoch milliseconds in the optimized ones (outputs of
`ecs:runTask.sync` in public repositories), which also show the SDK's metadata (recorded: states, ecs). A field that the
operation does not have ends the execution (aws/aws-step-functions-data-science-sdk-python, issue 15).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from localcloud.stepfunctions.clients import last_metadata
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str
from localcloud.stepfunctions.engine.overrides.lambda_results import sdk_metadata
from localcloud.stepfunctions.engine.sdk_names import operation_model, pascal

OWN_FORM = ("lambda", "apigateway")
"""Integrations whose answers are not those of an operation."""
WITHOUT_METADATA = ("events",)
SDK = "aws-sdk"


def apply() -> None:
    """Replace moto's two places for it, which do nothing, and look at the fields before the task is scheduled."""
    StateTaskService._normalise_parameters = _to_request
    StateTaskService._normalise_response = _to_answer
    original = StateTaskService._before_eval_execution

    def before(self: Any, env: Any, resource_runtime_part: Any, raw_parameters: Any, state_credentials: Any) -> None:
        _check_fields(self, env, raw_parameters)
        original(self, env, resource_runtime_part, raw_parameters, state_credentials)

    StateTaskService._before_eval_execution = before


def _operation(task: Any, action: str | None = None) -> Any:
    if task.resource.service_name in OWN_FORM:
        return None
    return operation_model(task.resource.api_name, action or task.resource.api_action)


def _check_fields(task: Any, env: Any, parameters: dict[str, Any]) -> None:
    """End the execution when the operation has no such field.

    Raises:
        FailureEventException: States.Runtime.
    """
    operation = _operation(task)
    if operation is None:
        return
    shape = operation.input_shape
    unknown = [name for name in parameters if _member(shape, name) is None]
    if not unknown:
        return
    problems = ", ".join(f'The field "{name}" is not supported by Step Functions' for name in unknown)
    cause = f"The Parameters '{to_json_str(parameters)}' could not be used to start the Task: [{problems}]"
    raise FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=StatesErrorNameType.StatesRuntime),
            event_type=HistoryEventType.ExecutionFailed,
            event_details=EventDetails(
                executionFailedEventDetails=ExecutionFailedEventDetails(
                    error=StatesErrorNameType.StatesRuntime.to_name(), cause=cause
                )
            ),
        )
    )


def _to_request(self: Any, parameters: Any, boto_service_name: Any = None, service_action_name: Any = None) -> None:
    operation = _operation(self, service_action_name)
    if operation is not None and operation.input_shape is not None:
        _refill(parameters, _request(operation.input_shape, parameters))


def _to_answer(self: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None) -> None:
    operation = _operation(self, service_action_name)
    if operation is None or not isinstance(response, dict):
        return
    optimized = self.resource.service_name != SDK
    made = _answer(operation.output_shape, response, optimized)
    metadata = last_metadata()  # a mocked answer has none
    if metadata and optimized and not service_action_name and self.resource.service_name not in WITHOUT_METADATA:
        made |= sdk_metadata(metadata)
    _refill(response, made)


def _refill(old: dict[str, Any], new: dict[str, Any]) -> None:
    old.clear()
    old.update(new)


def _member(shape: Shape | None, name: str) -> str | None:
    """The model's name of the member that a state machine calls `name`."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    if name in members:
        return name
    return next((member for member in members if member.lower() == name.lower()), None)


def _request(shape: Shape | None, value: Any) -> Any:
    """A value of a state machine as boto3 takes it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        named = {_member(shape, key) or key: item for key, item in value.items()}
        return {key: _request(shape.members.get(key), item) for key, item in named.items() if item is not None}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_request(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _request(shape.value, item) for key, item in value.items()}
    if shape is not None and shape.type_name == "blob" and not isinstance(value, bytes):
        return to_json_str(value).encode()
    if shape is not None and shape.type_name == "string" and not isinstance(value, str):
        return to_json_str(value)
    return value


def _answer(shape: Shape | None, value: Any, optimized: bool) -> Any:
    """What boto3 got as a state machine sees it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            _shown(shape, key, optimized): _answer(shape.members.get(key), item, optimized)
            for key, item in value.items()
            if key != "ResponseMetadata"
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_answer(shape.member, item, optimized) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _answer(shape.value, item, optimized) for key, item in value.items()}
    if isinstance(value, StreamingBody):
        value = value.read()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, datetime):
        return _milliseconds(value) if optimized else _instant(value)
    return value


def _shown(shape: StructureShape, member: str, optimized: bool) -> str:
    if shape.name == "AttributeValue":  # DynamoDB's S, N, BOOL are data
        return member
    return member[:1].upper() + member[1:] if optimized else pascal(member)


def _milliseconds(moment: datetime) -> int:
    return round(1000 * moment.timestamp())


def _instant(moment: datetime) -> str:
    """As Java prints it: no fraction when there is none, otherwise milliseconds."""
    moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")[:-6] + "Z"

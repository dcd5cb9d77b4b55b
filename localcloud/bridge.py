"""MiniStack's side: its port, CloudFormation, rules, Scheduler and pipes use the local Step Functions.

It takes the place of MiniStack's own Step Functions through names of MiniStack 1.5.33: SERVICE_HANDLERS for the port,
_RESOURCE_HANDLERS for CloudFormation, and the two functions with which rules, schedules and pipes start executions.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ministack import app as ministack_app
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge
from ministack.services import stepfunctions as own
from ministack.services.cloudformation import provisioners
from starlette.responses import Response

from localcloud.corrections import seam
from localcloud.corrections.passed_roles import held_to_roles
from localcloud.door import Application
from localcloud.environment import EVENTS_PATH, ROLES_CHECKED, UNTRUSTED_BY_STATES
from localcloud.inner_paths import with_path
from localcloud.regions import region_of, signed_for
from localcloud.roles.trust import trusts

log = logging.getLogger(__name__)
TARGET = "AWSStepFunctions."
UNIVERSAL_TARGET = ":scheduler:::aws-sdk:sfn:startExecution"
KIND = "AWS::StepFunctions::StateMachine"
CALLS_AT_ONCE = 128
"""Workers of activities and callers of StartSyncExecution each hold a thread while they wait."""
LONGEST_SECONDS = 360

Answer = tuple[int, dict[str, str], bytes]


def connect(url: str) -> Application:
    """MiniStack's application, with the Step Functions at `url` in it."""
    address = urlsplit(url).netloc
    threads = ThreadPoolExecutor(CALLS_AT_ONCE, "step functions")

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
        target, region = headers.get("x-amz-target", ""), get_region()
        return await asyncio.get_running_loop().run_in_executor(threads, _post, address, target, body, region)

    def start(data: dict[str, Any]) -> Answer:
        region = str(data["stateMachineArn"]).split(":")[3]
        return _post(address, f"{TARGET}StartExecution", json.dumps(data).encode(), region)

    ministack_app.SERVICE_HANDLERS["states"] = held_to_roles("states", handle)
    seam.replace(__name__, own, "_start_execution", "data", by=lambda _: start)
    seam.replace(__name__, own, "_resolve_state_machine_arn", "arn", by=lambda _: lambda arn: arn)
    seam.replace(
        __name__,
        eventbridge,
        "_invoke_target",
        "target",
        "event",
        "rule",
        "view",
        by=lambda own: _scheduled(own, start),
    )
    provisioners._RESOURCE_HANDLERS[KIND] = _Machines(address).handlers()
    return _with_events(ministack_app.app)


def _scheduled(own: Callable[..., None], start: Callable[[dict[str, Any]], Answer]) -> Callable[..., None]:
    """`own`, which invokes a rule's or schedule's target, and what Scheduler does more.

    AWS: Scheduler User Guide, "Using universal targets" and "Adding context attributes".
    """

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": _with_attributes(target["Input"], event)}
        if target.get("Arn", "").endswith(UNIVERSAL_TARGET):
            status, _, body = start(_lower_members(json.loads(target.get("Input") or "{}")))
            if status >= 400:
                log.error("a schedule's execution was not started: %s", body.decode(errors="replace"))
            return
        own(target, event, rule, view)

    return invoke


def _with_attributes(text: str, event: dict[str, Any]) -> str:
    scheduled = datetime.fromtimestamp(event["Time"], UTC)
    attributes = {
        "schedule-arn": event["Resources"][0],
        "scheduled-time": f"{scheduled:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _lower_members(request: dict[str, Any]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in request.items()}


def _post(address: str, target: str, body: bytes, region: str) -> Answer:
    connection = http.client.HTTPConnection(address, timeout=LONGEST_SECONDS)
    try:
        headers = {
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.0",
            ROLES_CHECKED: "yes",
            **signed_for(region, "states"),
        }
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower().startswith(("x-amzn", "content-t"))}
        return answer.status, kept, answer.read()
    except (OSError, http.client.HTTPException) as error:
        problem = {"__type": "ServiceUnavailable", "message": f"The local Step Functions does not answer: {error}"}
        return 503, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(problem).encode()
    finally:
        connection.close()


def _with_events(app: Application) -> Application:
    """`app`, and a path on which the local Step Functions tells of its executions."""

    def put(headers: Mapping[str, str], body: bytes) -> Response:
        with request_scope(get_account_id(), region_of(headers, {}, get_region())):
            eventbridge._put_events(json.loads(body), allow_aws_source=True)
        return Response()

    return with_path(app, EVENTS_PATH, put)


class _Machines:
    """State machines of templates."""

    def __init__(self, address: str) -> None:
        self._address = address

    def handlers(self) -> dict[str, Any]:
        """What CloudFormation calls."""
        return {"create": self.create, "update": self.update, "update_with_logical_id": True, "delete": self.delete}

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
        """Add the machine.

        One that is there is taken over and changed: MiniStack forgets its stacks when it is killed, and the local Step
        Functions does not forget its machines.
        """
        name = props.get("StateMachineName") or provisioners._physical_name(stack_name, logical_id, max_len=80)
        settings = _settings(props)
        _require_trust(settings["roleArn"])
        request = {"name": name, "type": props.get("StateMachineType", "STANDARD"), **settings}
        status, answer = self._call("CreateStateMachine", {**request, "tags": provisioners._sfn_tags(props)})
        if status >= 400 and answer.get("__type") == "StateMachineAlreadyExists":
            return self._change(answer["message"].split("'")[1], props)
        arn = str(_taken(status, answer)["stateMachineArn"])
        return arn, {"Arn": arn, "Name": name}

    def update(
        self,
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> tuple[str, dict[str, str]]:
        """Change the machine; another name is another machine."""
        name = new_props.get("StateMachineName")
        if name and name != physical_id.rsplit(":", 1)[-1]:
            made = self.create(logical_id or name, new_props, stack_name)
            self.delete(physical_id, old_props)
            return made
        gone = {tag["key"] for tag in provisioners._sfn_tags(old_props)}
        gone -= {tag["key"] for tag in provisioners._sfn_tags(new_props)}
        if gone:
            _taken(*self._call("UntagResource", {"resourceArn": physical_id, "tagKeys": sorted(gone)}))
        return self._change(physical_id, new_props)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Forget the machine."""
        _taken(*self._call("DeleteStateMachine", {"stateMachineArn": physical_id}))

    def _change(self, arn: str, props: dict[str, Any]) -> tuple[str, dict[str, str]]:
        settings = _settings(props)
        _require_trust(settings["roleArn"])
        _taken(*self._call("UpdateStateMachine", {"stateMachineArn": arn, **settings}))
        if tags := provisioners._sfn_tags(props):
            _taken(*self._call("TagResource", {"resourceArn": arn, "tags": tags}))
        return arn, {"Arn": arn, "Name": arn.rsplit(":", 1)[-1]}

    def _call(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, _, body = _post(self._address, TARGET + operation, json.dumps(request).encode(), get_region())
        return status, json.loads(body or b"{}")


def _settings(props: dict[str, Any]) -> dict[str, Any]:
    """The members of CreateStateMachine and UpdateStateMachine that a template sets."""
    made = {
        "definition": provisioners._sfn_definition(props),
        "roleArn": props.get("RoleArn") or f"arn:aws:iam::{get_account_id()}:role/StepFunctionsRole",
    }
    if logging := props.get("LoggingConfiguration"):
        made["loggingConfiguration"] = _lower(logging)
    if tracing := props.get("TracingConfiguration"):
        made["tracingConfiguration"] = _lower(tracing)
    return made


def _require_trust(role: str) -> None:
    if ministack_app.AUTH and not trusts(role, "states.amazonaws.com", get_region()):
        raise ValueError(f"{UNTRUSTED_BY_STATES} (AccessDeniedException)")


def _lower(value: Any) -> Any:
    """A template's members begin with capital letters, and are text where the API has true and false."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _taken(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status >= 400:
        raise ValueError(f"{answer.get('message')} ({answer.get('__type')})")
    return answer

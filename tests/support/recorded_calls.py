"""Recorded AWS calls, judged by the policies of the role in whose name they were made.

The record has three sources: botocore in Lambda functions, jobs and commands (recorder/sitecustomize.py), botocore in
the local SageMaker, which moves a job's inputs and outputs as SageMaker does with the job's role, and the histories of
state machine executions. What runs for no project of the template is not judged.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from call_requests import Parameters, requests_of
from iam_support import (
    ACCOUNT,
    PROJECT,
    REGION,
    RESOURCES,
    Request,
    Statement,
    allows,
    listed,
    resolved,
    statements,
    without,
)

from stepfunctions import machines

FOLDER = Path(__file__).parent / "recorder"
FILE = "SCONES_RECORDED_CALLS"
BUCKETS = re.compile(rf"(?P<project>.+)-{ACCOUNT}-{REGION}")
CI_ROLE = "Role"

FUNCTIONS = {  # what follows the project in the name of a function -> its role's logical name
    resolved(one["Properties"]["FunctionName"]).removeprefix(PROJECT): one["Properties"]["Role"]["Fn::GetAtt"][0]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::Lambda::Function"
}
MACHINES = {
    resolved(one["Properties"]["StateMachineName"]).removeprefix(PROJECT): one["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::StepFunctions::StateMachine"
}


@dataclass(frozen=True)
class Call:
    """One API call, and the project and the role (its logical name) in whose name it was made."""

    project: str
    role: str
    call: str
    parameters: str
    """As JSON, so that equal calls are equal."""

    @property
    def requests(self) -> list[Request]:
        given = json.loads(self.parameters)
        if self.call.startswith(
            "cloudformation:"
        ):  # a change set's ARN does not name its stack, which is the project's
            given = {"StackName": self.project, **given}
        return requests_of(self.call, given)


def variables(file: Path) -> dict[str, str]:
    """What makes a Python process, and what it starts, write its calls to `file`."""
    file.touch()
    return {"PYTHONPATH": str(FOLDER), FILE: str(file), "LOCALCLOUD_WRITABLE": str(file)}


def recorded(for_processes: Callable[..., dict[str, str]], file: Path) -> Callable[..., dict[str, str]]:
    """`localcloud.environment.for_processes` for a cloud that is recorded."""
    return lambda *arguments: {**for_processes(*arguments), **variables(file)}


def read(file: Path, commands_of: str | None = None) -> set[Call]:
    """The calls in a record that were made for a project of the template.

    Args:
        commands_of: the project in whose CI role's name commands were run; without one they are a person's.
    """
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {call for line in lines if (call := _attributed(json.loads(line), commands_of))}


def _attributed(line: dict[str, Any], commands_of: str | None) -> Call | None:
    who, parameters = line["who"], line["parameters"]
    if who.startswith("function:"):
        owner = _owner(who.removeprefix("function:"), FUNCTIONS)
    elif who == "command":
        owner = (commands_of, CI_ROLE) if commands_of else None
    else:
        owner = _of_a_job(who, line["call"], parameters)
    return Call(*owner, line["call"], json.dumps(parameters, sort_keys=True)) if owner else None


def _owner(name: str, roles: dict[str, str]) -> tuple[str, str] | None:
    found = [suffix for suffix in roles if name.endswith(suffix) and name != suffix]
    return (name.removesuffix(found[0]), roles[found[0]]) if found else None


def _of_a_job(who: str, call: str, parameters: Parameters) -> tuple[str, str] | None:
    """Whose a call of the local SageMaker is, or of a job: the bucket says which project's.

    Its calls to EventBridge and to what rules target are AWS's own affair: no role of ours makes them.
    """
    found = BUCKETS.fullmatch(parameters.get("Bucket", ""))
    if not (found and call.startswith("s3:")):
        assert who == "sagemaker" or call.startswith("s3:"), f"a job calls {call}: say for which project"
        return None
    captures = call == "s3:PutObject" and parameters["Key"].startswith("captures/")
    return found["project"], "ModelRole" if captures else "PipelineRole"


def of_executions(endpoint: str) -> set[Call]:
    """What the executions of the projects' state machines called, by their histories."""
    session = boto3.Session("test", "test", region_name=REGION)
    states: Any = session.client("stepfunctions", endpoint_url=endpoint)
    found: set[Call] = set()
    for machine in states.list_state_machines()["stateMachines"]:
        if owner := _owner(machine["name"], MACHINES):
            arn = machine["stateMachineArn"]
            top = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])["States"]
            entered: set[str] = set()
            for one in states.list_executions(stateMachineArn=arn)["executions"]:
                history = states.get_execution_history(executionArn=one["executionArn"], maxResults=1000)
                details = [event.get("stateEnteredEventDetails", {}) for event in history["events"]]
                entered |= {detail["name"] for detail in details if detail.get("name") in top}
            found |= {Call(*owner, *call) for name in entered for call in _tasks(top[name])}
    return found


def _tasks(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a state calls that was entered.

    MiniStack's histories name the states at the top; the parameters, and what branches and maps call, are in the
    definition. A branch counts whole, whichever way it went.
    """
    calls = {"arn:aws:states:::lambda:invoke": "lambda:Invoke", "arn:aws:states:::sns:publish": "sns:Publish"}
    for _, scope in machines.scopes({"States": {"entered": state}}):
        for one in scope["States"].values():
            if "Resource" in one:
                kept = {key: value for key, value in one["Parameters"].items() if key in {"FunctionName", "TopicArn"}}
                yield calls[one["Resource"]], json.dumps(kept)


def policies(role: str, project: str) -> list[Statement]:
    """The statements of a role of the templates, deployed for that project."""
    text = json.dumps(statements(role))
    found: list[Statement] = json.loads(text.replace(PROJECT, project))
    return found


def refused(iam: Any, calls: Iterable[Call], lacking: str = "") -> list[str]:
    """A line for each kind of request that a call needs and that its role's policies do not allow.

    Args:
        lacking: an action that is struck out of the policies first.
    """
    asked: dict[tuple[str, str], set[Request]] = {}
    for call in calls:
        asked.setdefault((call.project, call.role), set()).update(call.requests)
    found = []
    for (project, role), requests in sorted(asked.items()):
        given = without(policies(role, project), lacking)
        kinds = _one_of_a_kind(requests, given)
        found += [f"{role} of {project} may not {one}" for one in kinds if not allows(iam, given, one)]
    return found


def _one_of_a_kind(requests: set[Request], given: list[Statement]) -> list[Request]:
    """One request for each action, context and set of resource patterns met: the policies treat the others alike."""
    patterns = sorted({pattern for statement in given for pattern in listed(statement["Resource"])})
    kinds: dict[tuple[Any, ...], Request] = {}
    for request in sorted(requests, key=str):
        met = tuple(fnmatch.fnmatchcase(request.resource, pattern) for pattern in patterns)
        kinds.setdefault((request.action, tuple(sorted(request.context.items())), met), request)
    return list(kinds.values())


def environment(file: Path) -> dict[str, str]:
    """This process's own PYTHONPATH and the recorder's, for a command that is to be recorded."""
    own = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    return {**variables(file), "PYTHONPATH": os.pathsep.join([str(FOLDER), *own])}

"""State machines: a definition under a name, which can be changed."""

from __future__ import annotations

import json
import random
import re
import time
import uuid

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.definition import check_definition, diagnostics, variable_references
from localcloud.stepfunctions.names import check_arn, qualifier, unqualified
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.listing import page
from localcloud.stepfunctions.operations.tags import set_tags
from localcloud.stepfunctions.protocol import AlreadyExistsError, Body, Resource, ServiceError, validation

KIND = "StateMachine"
VERSION = "StateMachineVersion"
ALIAS = "StateMachineAlias"
ENCRYPTION = {"type": "AWS_OWNED_KEY"}
CHANGED = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
"""What UpdateStateMachine may change, each change of which makes a revision."""
_LOG_GROUP = re.compile(r"arn:[^:]+:logs:[^:]+:[^:]*:log-group:[^:]+:\*")
"""The API reference, CloudWatchLogsLogGroup: "The ARN must end with `:*`"."""


@operation("CreateStateMachine")
def create(cloud: StatesCloud, request: Body) -> Body:
    """Add a state machine, or answer as before when it is there with the same name, definition, type and logging."""
    name = request["name"]
    if request.get("versionDescription") and not request.get("publish"):
        raise validation("Version description can only be set when publish is true")
    body = {
        "name": name,
        "definition": request["definition"],
        "roleArn": check_arn_of_role(request["roleArn"]),
        "type": request.get("type", "STANDARD"),
        "loggingConfiguration": _logging(request.get("loggingConfiguration")),
        "tracingConfiguration": {"enabled": False, **request.get("tracingConfiguration", {})},
        "encryptionConfiguration": request.get("encryptionConfiguration", ENCRYPTION),
        "revisionId": None,
        "versions": 0,
    }
    check_definition(body["definition"], body["type"] == "EXPRESS")
    arn = cloud.arn(f"stateMachine:{name}")
    with cloud.store.transaction():
        try:
            found = cloud.store.insert(KIND, name, body, arn=arn)
        except AlreadyExistsError:
            return _as_before(cloud, name, body, request)
        set_tags(cloud, arn, request.get("tags"))
        version = publish(cloud, found, request.get("versionDescription")).arn if request.get("publish") else None
    return {"stateMachineArn": arn, "creationDate": found.created, "stateMachineVersionArn": version}


def check_arn_of_role(arn: str) -> str:
    """A role's ARN.

    Raises:
        ServiceError: InvalidArn.
    """
    if not arn.startswith("arn:") or ":iam:" not in arn:
        raise ServiceError("InvalidArn", f"Invalid Role Arn: '{arn}'")
    return arn


def _as_before(cloud: StatesCloud, name: str, body: Body, request: Body) -> Body:
    found = cloud.store.find(KIND, name)
    same = ("definition", "type", "loggingConfiguration", "tracingConfiguration")
    if found is None or any(found.body[key] != body[key] for key in same):
        arn = cloud.arn(f"stateMachine:{name}")
        raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    version = publish(cloud, found, request.get("versionDescription")).arn if request.get("publish") else None
    return {"stateMachineArn": found.arn, "creationDate": found.created, "stateMachineVersionArn": version}


def _logging(configuration: Body | None) -> Body:
    """A logging configuration with AWS's defaults.

    Raises:
        ServiceError: InvalidLoggingConfiguration.
    """
    made = {"level": "OFF", "includeExecutionData": False, **(configuration or {})}
    places = made.get("destinations") or []
    if len(places) > 1 or (made["level"] != "OFF" and not places):
        message = "Invalid Logging Configuration: Must specify exactly one Log Destination."
        raise ServiceError("InvalidLoggingConfiguration", message)
    for place in places:
        group = place.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        if not _LOG_GROUP.fullmatch(group):
            message = f"Invalid Logging Configuration: Log Destination is not the ARN of a log group with :*, '{group}'"
            raise ServiceError("InvalidLoggingConfiguration", message)
    return made


def existing(cloud: StatesCloud, arn: str) -> Resource:
    """The state machine, not a version of it.

    Raises:
        ServiceError: InvalidArn, StateMachineDoesNotExist.
    """
    found = cloud.store.find_arn(check_arn(arn, "stateMachine"))
    if found is None or found.kind != KIND:
        raise missing(arn)
    return found


def missing(arn: str) -> ServiceError:
    """There is no such state machine."""
    return ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def publish(cloud: StatesCloud, machine: Resource, description: str | None) -> Resource:
    """The version of the machine's current revision, made when there is none; inside a transaction or by itself."""
    with cloud.store.transaction():
        current = cloud.store.find(KIND, machine.name) or machine
        number = current.body["versions"]
        latest = cloud.store.find(VERSION, f"{machine.name}:{number}")
        if latest is not None and latest.body["revisionId"] == current.body["revisionId"]:
            return latest
        cloud.store.update(KIND, machine.name, {"versions": number + 1})
        body = {**current.body, "description": description}
        arn = f"{machine.arn}:{number + 1}"
        return cloud.store.insert(VERSION, f"{machine.name}:{number + 1}", body, arn=arn, parent=machine.arn)


@operation("DescribeStateMachine")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """The state machine or one of its versions."""
    found = cloud.store.find_arn(check_arn(request["stateMachineArn"], "stateMachine"))
    if found is None or found.kind not in (KIND, VERSION):
        raise missing(request["stateMachineArn"])
    answer = {**found.body, "stateMachineArn": found.arn, "status": "ACTIVE", "creationDate": found.created}
    if request.get("includedData") == "METADATA_ONLY":
        return {key: value for key, value in answer.items() if key != "definition"}
    return {**answer, "variableReferences": variable_references(found.body["definition"]) or None}


@operation("UpdateStateMachine")
def update(cloud: StatesCloud, request: Body) -> Body:
    """Change the state machine; what differs makes a new revision."""
    machine = existing(cloud, request["stateMachineArn"])
    if not any(request.get(key) for key in CHANGED):
        raise ServiceError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
            "must be specified",
        )
    if request.get("versionDescription") and not request.get("publish"):
        raise validation("Version description can only be set when publish is true")
    changes = {key: request[key] for key in CHANGED if request.get(key)}
    if "definition" in changes:
        check_definition(changes["definition"], machine.body["type"] == "EXPRESS")
    if "loggingConfiguration" in changes:
        changes["loggingConfiguration"] = _logging(changes["loggingConfiguration"])
    with cloud.store.transaction():
        differs = any(not _same(key, machine.body[key], value) for key, value in changes.items())
        if differs:
            changes["revisionId"] = str(uuid.uuid4())
            machine = cloud.store.update(KIND, machine.name, changes)
        version = publish(cloud, machine, request.get("versionDescription")).arn if request.get("publish") else None
    moment = machine.modified if differs else time.time()
    return {"updateDate": moment, "revisionId": machine.body["revisionId"], "stateMachineVersionArn": version}


def _same(key: str, old: object, new: object) -> bool:
    if key == "definition":  # a definition that is only written otherwise is no new revision
        return bool(json.loads(str(old)) == json.loads(str(new)))
    return old == new


@operation("DeleteStateMachine")
def delete(cloud: StatesCloud, request: Body) -> None:
    """Forget the state machine, its versions and aliases; executions that run go on, and one that is gone is fine."""
    arn = check_arn(request["stateMachineArn"], "stateMachine")
    machine = cloud.store.find_arn(arn)
    if machine is None or machine.kind != KIND:
        return
    with cloud.store.transaction():
        for kind in (VERSION, ALIAS):
            for one in cloud.store.page(kind, parent=arn)[0]:
                cloud.store.delete(kind, one.name)
        cloud.store.delete(KIND, machine.name)


@operation("ListStateMachines")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """State machines by name."""
    return page(cloud, request, KIND, _summary, "stateMachines", by_name=True)


def _summary(machine: Resource) -> Body:
    return {**machine.body, "stateMachineArn": machine.arn, "creationDate": machine.created}


@operation("ValidateStateMachineDefinition")
def validate(cloud: StatesCloud, request: Body) -> Body:
    """What AWS would say to CreateStateMachine."""
    found = diagnostics(request["definition"], request.get("type") == "EXPRESS")
    most = request.get("maxResults") or 100
    shown = [{"severity": "ERROR", "code": one.code, "message": one.message, "location": one.location} for one in found]
    return {"result": "FAIL" if found else "OK", "diagnostics": shown[:most], "truncated": len(found) > most}


def resolve(cloud: StatesCloud, arn: str) -> tuple[Resource, Resource | None, Resource | None]:
    """What an execution runs: the machine or version that holds the definition, the version, and the alias.

    Raises:
        ServiceError: InvalidArn, StateMachineDoesNotExist.
    """
    found = cloud.store.find_arn(check_arn(arn, "stateMachine"))
    if found is None or cloud.store.find_arn(unqualified(arn)) is None:
        raise missing(arn)
    if found.kind == ALIAS:
        from_alias = _routed(found)
        version = cloud.store.find_arn(from_alias)
        if version is None:
            raise missing(from_alias)
        return version, version, found
    return found, found if qualifier(arn) else None, None


def _routed(alias: Resource) -> str:
    """One of the alias's versions, by chance as their weights say."""
    routes = alias.body["routingConfiguration"]
    chosen = random.choices(routes, weights=[route["weight"] for route in routes])[0]  # noqa: S311
    return str(chosen["stateMachineVersionArn"])

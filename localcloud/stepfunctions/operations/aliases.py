"""Aliases of state machines: a name for one version, or for two that share the executions."""

from __future__ import annotations

import json

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.names import check_arn, unqualified
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.listing import page
from localcloud.stepfunctions.operations.machines import ALIAS, VERSION, existing
from localcloud.stepfunctions.protocol import AlreadyExistsError, Body, Resource, ServiceError, validation


@operation("CreateStateMachineAlias")
def create(cloud: StatesCloud, request: Body) -> Body:
    """Add an alias, or answer as before when it is there with the same description and routes."""
    routes = _checked(cloud, request["routingConfiguration"])
    machine = existing(cloud, unqualified(routes[0]["stateMachineVersionArn"]))
    body = {"name": request["name"], "description": request.get("description"), "routingConfiguration": routes}
    name, arn = f"{machine.name}:{request['name']}", f"{machine.arn}:{request['name']}"
    try:
        alias = cloud.store.insert(ALIAS, name, body, arn=arn, parent=machine.arn)
    except AlreadyExistsError:
        found = cloud.store.find(ALIAS, name)
        if found is None or found.body != body:
            raise ServiceError(
                "ConflictException",
                "Failed to create alias because an alias with the same name and a different routing configuration "
                "already exists.",
            ) from None
        alias = found
    return {"stateMachineAliasArn": arn, "creationDate": alias.created}


def _checked(cloud: StatesCloud, routes: list[Body]) -> list[Body]:
    """Routes to one or two versions of one state machine, whose weights are 100 together.

    Raises:
        ServiceError: ValidationException.
    """
    arns = [route["stateMachineVersionArn"] for route in routes]
    shown = f"[{', '.join(arns)}]"
    if len(set(arns)) < len(arns):
        raise validation(f"Routing configuration must contain distinct state machine version ARNs. Received: {shown}")
    weights = [route["weight"] for route in routes]
    if sum(weights) != 100:
        raise validation(f"Sum of routing configuration weights must equal 100. Received: {json.dumps(weights)}")
    found = [cloud.store.find_arn(arn) for arn in arns]
    if any(version is None or version.kind != VERSION for version in found):
        raise validation(f"Routing configuration must contain state machine version ARNs. Received: {shown}")
    if len({unqualified(arn) for arn in arns}) > 1:
        raise validation(f"Routing configuration must contain versions of the same state machine. Received: {shown}")
    return routes


def _existing(cloud: StatesCloud, arn: str) -> Resource:
    found = cloud.store.find_arn(check_arn(arn, "stateMachine"))
    if found is None or found.kind != ALIAS:
        raise ServiceError("ResourceNotFound", "Request references a resource that does not exist.")
    return found


@operation("DescribeStateMachineAlias")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """The alias and its routes."""
    alias = _existing(cloud, request["stateMachineAliasArn"])
    dates = {"creationDate": alias.created, "updateDate": alias.modified}
    return {**alias.body, **dates, "stateMachineAliasArn": alias.arn}


@operation("UpdateStateMachineAlias")
def update(cloud: StatesCloud, request: Body) -> Body:
    """Change the alias's routes or description."""
    if not ("description" in request or "routingConfiguration" in request):
        message = "Either the description or the RoutingConfiguration must be specified"
        raise ServiceError("ValidationException", message)
    alias = _existing(cloud, request["stateMachineAliasArn"])
    changes: Body = {key: request[key] for key in ("description", "routingConfiguration") if key in request}
    if "routingConfiguration" in changes:
        _checked(cloud, changes["routingConfiguration"])
    return {"updateDate": cloud.store.update(ALIAS, alias.name, changes).modified}


@operation("DeleteStateMachineAlias")
def delete(cloud: StatesCloud, request: Body) -> None:
    """Forget the alias; one that is gone is fine."""
    found = cloud.store.find_arn(check_arn(request["stateMachineAliasArn"], "stateMachine"))
    if found is not None and found.kind == ALIAS:
        cloud.store.delete(ALIAS, found.name)


@operation("ListStateMachineAliases")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """Aliases of a state machine, or of one of its versions, oldest first."""
    arn = request["stateMachineArn"]
    machine = existing(cloud, unqualified(check_arn(arn, "stateMachine")))
    if arn == machine.arn:
        return page(cloud, request, ALIAS, _summary, "stateMachineAliases", parent=arn)
    aliases = cloud.store.page(ALIAS, parent=machine.arn, descending=False)[0]
    leading = [a for a in aliases if arn in [r["stateMachineVersionArn"] for r in a.body["routingConfiguration"]]]
    return {"stateMachineAliases": [_summary(alias) for alias in leading]}


def _summary(alias: Resource) -> Body:
    return {"stateMachineAliasArn": alias.arn, "creationDate": alias.created}

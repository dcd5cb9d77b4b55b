"""Versions of state machines: a revision that stays as it is."""

from __future__ import annotations

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.names import check_arn
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.listing import page
from localcloud.stepfunctions.operations.machines import ALIAS, KIND, VERSION, existing, publish
from localcloud.stepfunctions.protocol import Body, Resource, ServiceError


@operation("PublishStateMachineVersion")
def publish_version(cloud: StatesCloud, request: Body) -> Body:
    """Make a version of the current revision, or answer with the one that there is."""
    machine = existing(cloud, request["stateMachineArn"])
    wanted, current = request.get("revisionId"), machine.body["revisionId"]
    if wanted and wanted != current:
        raise ServiceError(
            "ConflictException",
            f"Failed to publish the State Machine version for revision {wanted}. "
            f"The current State Machine revision is {current}.",
        )
    version = publish(cloud, machine, request.get("description"))
    return {"stateMachineVersionArn": version.arn, "creationDate": version.created}


@operation("DeleteStateMachineVersion")
def delete(cloud: StatesCloud, request: Body) -> None:
    """Forget a version that no alias leads to; one that is gone is fine."""
    arn = check_arn(request["stateMachineVersionArn"], "stateMachine")
    found = cloud.store.find_arn(arn)
    if found is None or found.kind != VERSION:
        return
    aliases = [
        alias.name.split(":")[1]
        for alias in cloud.store.page(ALIAS, parent=found.parent)[0]
        if any(route["stateMachineVersionArn"] == arn for route in alias.body["routingConfiguration"])
    ]
    if aliases:
        raise ServiceError(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. "
            f"Current list of aliases referencing this version: [{', '.join(aliases)}]",
        )
    cloud.store.delete(VERSION, found.name)


@operation("ListStateMachineVersions")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """Versions of a state machine, newest first."""
    arn = check_arn(request["stateMachineArn"], "stateMachine")
    found = cloud.store.find_arn(arn)
    if found is None or found.kind != KIND:
        return {"stateMachineVersions": []}
    return page(cloud, request, VERSION, _summary, "stateMachineVersions", parent=arn, newest_first=True)


def _summary(version: Resource) -> Body:
    return {"stateMachineVersionArn": version.arn, "creationDate": version.created}

"""Which versions the endpoint serves and is about to serve, and what a rejection does about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipelines import registry
from pipelines.registry import Version
from project import aws

CHANGING = {"Creating", "Updating", "SystemUpdating", "RollingBack"}


@dataclass(frozen=True)
class InService:
    """ARNs of versions: `served` answers on the endpoint, `coming` takes its place when its deployment goes well.

    `let_in` is the one that the deploy workflow wrote down at its end. None for none.
    """

    served: str | None
    coming: str | None
    let_in: str | None

    def uses(self, arn: str) -> bool:
        """Whether the version is live in any of these ways."""
        return arn in {self.served, self.coming, self.let_in}


def found() -> InService:
    """What is in service now."""
    endpoint, let_in = _described("describe_endpoint", EndpointName=aws.names().endpoint), registry.live()
    if endpoint is None:
        return InService(None, None, let_in)
    package = _package_behind(endpoint["EndpointConfigName"])
    if endpoint["EndpointStatus"] == "Creating":
        return InService(None, package, let_in)
    pending = endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    changing = pending and endpoint["EndpointStatus"] in CHANGING
    return InService(package, _package_behind(pending) if changing else None, let_in)


def said(now: InService, group: str) -> str:
    """`version 2 is live`, or `nothing is live`."""
    if now.served is None:
        return f"no version of {group} is live"
    return f"version {_number(now.served)} is live"


def after_rejection(version: Version, there: list[Version], now: InService) -> str:
    """What the deploy workflow will do when the version is rejected, given all versions, newest first."""
    named = f"Version {version.number}"
    if not now.uses(version.arn):
        return f"{named} is neither live nor being deployed: the endpoint stays as it is."
    state = "is live" if version.arn in {now.served, now.let_in} else "is being deployed"
    if version.arn == now.let_in and now.served is None and now.coming is None:
        return f"{named} was live when the endpoint was switched off: it is forgotten, and nothing is started."
    other = next((one for one in there if one.approval == "Approved" and one.arn != version.arn), None)
    if other is None:
        return f"{named} {state}, and no other version is approved: the deploy workflow deletes the endpoint."
    return f"{named} {state}: the deploy workflow puts version {other.number} back."


def after_approval(version: Version, there: list[Version], now: InService) -> str:
    """What the deploy workflow will do when the version is approved, given all versions, newest first."""
    named = f"Version {version.number}"
    newer = next((one for one in there if one.approval == "Approved" and one.number > version.number), None)
    if newer is not None:
        return f"Version {newer.number} is approved and newer: {named.lower()} is not deployed."
    if now.served == now.let_in == version.arn:
        return f"{named} is live already: the endpoint stays as it is."
    if now.served is None and now.coming is None:
        return f"The deploy workflow makes the endpoint with {named.lower()}; it bills by the hour from then on."
    before = _number(now.served or now.coming or "")
    return (
        f"The deploy workflow puts {named.lower()} in the place of version {before}: beside it first, watched for "
        f"server errors and latency, and version {before} comes back if an alarm on them rings."
    )


def _number(arn: str) -> str:
    return arn.rpartition("/")[2]


def _package_behind(config: str) -> str | None:
    found = _described("describe_endpoint_config", EndpointConfigName=config)
    model = _described("describe_model", ModelName=found["ProductionVariants"][0]["ModelName"]) if found else None
    arn: str | None = (model or {}).get("PrimaryContainer", {}).get("ModelPackageName")
    return arn


def _described(operation: str, **named: str) -> dict[str, Any] | None:
    """SageMaker's description of an endpoint, endpoint config or model; None when there is none of this name."""
    kind, [name] = operation.removeprefix("describe_").replace("_", " "), named.values()
    with aws.explained(f"looking for {kind} {name}"):
        try:
            answer: dict[str, Any] = getattr(aws.client("sagemaker"), operation)(**named)
        except ClientError as error:
            if "Could not find" in error.response["Error"].get("Message", ""):
                return None
            raise
    return answer

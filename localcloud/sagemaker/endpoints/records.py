"""Endpoints in the store: the record, its changes of status, and what Describe shows of a deployment under way.

Creating ──► InService ◄──► Updating, RollingBack     a failed update ends InService, with the configuration before it
    │            ▲   └───► OutOfService               no instance stays up; it is InService again when one does
    │            └──────── SystemUpdating             this server was restarted and starts the processes again
    └─────► Failed         Deleting ──► (gone)

The record is what Describe answers, and of our own: Plan (what runs), Next (what an update brings).
"""

from __future__ import annotations

import time
from typing import Any

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.endpoints.plan import EndpointPlan, Variant, from_body
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.models import containers
from localcloud.sagemaker.resources import ResourceType, described, existing
from localcloud.sagemaker.store import Body, Resource

KIND = "Endpoint"
ENDPOINT = ResourceType(KIND, "endpoint", 'Could not find endpoint "{arn}".')
DEPLOYMENT = "EndpointDeployment"
"""The kind of news about the steps of a deployment; its name and body are the endpoint's."""

REASON_CHARACTERS = 1024
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def idle(cloud: Cloud, name: str) -> Resource:
    """The endpoint of that name, if nothing is being done to it.

    Raises:
        ServiceError: ValidationException; there is none, or it is in progress.
    """
    found = existing(cloud, ENDPOINT, name)
    if found.status in IN_PROGRESS:
        raise validation(f'Cannot update in-progress endpoint "{found.arn}".')
    return found


def begin(cloud: Cloud, name: str, status: str, changes: Body | None = None) -> None:
    """Set the status of an endpoint that nothing is being done to: of two that try, the second is refused.

    Raises:
        ServiceError: ValidationException; there is none, or it is in progress.
    """
    with cloud.store.transaction():
        old = idle(cloud, name)
        new = cloud.store.update(KIND, name, {**(changes or {}), "EndpointStatus": status}, status=status)
    cloud.announce(News(KIND, name, status, old.status, described(new)))


def change(cloud: Cloud, name: str, status: str, changes: Body | None = None) -> None:
    """Set an endpoint's status and more of its record, and announce it."""
    changes = {**(changes or {}), "EndpointStatus": status}
    if changes.get("FailureReason"):
        changes["FailureReason"] = changes["FailureReason"][:REASON_CHARACTERS]

    def write() -> tuple[Resource, Resource]:
        with cloud.store.transaction():
            return existing(cloud, ENDPOINT, name), cloud.store.update(KIND, name, changes, status=status)

    old, new = cloud.store.insist(write)
    cloud.announce(News(KIND, name, status, old.status, described(new)))


def pending(
    cloud: Cloud, name: str, plan: EndpointPlan, started: float, status: str, message: str, *, running: int
) -> None:
    """Show what a deployment does now (`status` of its variants and a message), and announce it."""
    now = time.time()
    variants = [
        {
            "VariantName": variant.name,
            "DeployedImages": _images(variant.container, now),
            "CurrentWeight": variant.weight if running else 0.0,
            "DesiredWeight": variant.weight,
            **_capacity(variant, min(running, variant.instances)),
            **({"InstanceType": variant.instance_type} if variant.instance_type else {}),
            "VariantStatus": [{"Status": status, "StatusMessage": message, "StartTime": now}],
        }
        for variant in plan.variants
    ]
    summary = {"EndpointConfigName": plan.config, "StartTime": started, "ProductionVariants": variants}
    new = cloud.store.update(KIND, name, {"PendingDeploymentSummary": summary})
    cloud.announce(News(DEPLOYMENT, name, new.status, new.status, described(new)))


def live(plan: EndpointPlan) -> Body:
    """The members of the record that say what the endpoint runs."""
    now = time.time()
    variants = [
        {
            "VariantName": variant.name,
            "DeployedImages": _images(variant.container, now),
            "CurrentWeight": variant.weight,
            "DesiredWeight": variant.weight,
            **_capacity(variant, variant.instances),
        }
        for variant in plan.variants
    ]
    return {
        "EndpointConfigName": plan.config,
        "ProductionVariants": variants,
        "DataCaptureConfig": _capture(plan.capture),
        "PendingDeploymentSummary": None,
        "Plan": plan.to_body(),
        "Next": None,
    }


def _capacity(variant: Variant, running: int) -> Body:
    """How much of a variant there is and is to be: instances, or the concurrency of a serverless one."""
    if variant.serverless is None:
        return {"CurrentInstanceCount": running, "DesiredInstanceCount": variant.instances}
    current = {"CurrentServerlessConfig": variant.serverless} if running else {}
    return {"CurrentInstanceCount": 0, **current, "DesiredServerlessConfig": variant.serverless}


def running(resource: Resource) -> EndpointPlan:
    """What the endpoint runs, or is to run when it is being created."""
    return from_body(resource.body["Plan"])


def _images(first: Body, now: float) -> list[dict[str, Any]]:
    named = [one["Image"] for one in containers(first)]
    return [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now} for image in named]


def _capture(config: Body) -> Body | None:
    if not config:
        return None
    enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }

"""Step review: an event only wakes us up; what is to be done follows from what is true now.

SageMaker sends an event more than once, late, and in any order. So the package is read again, and the run goes on only
when that leads from what is live, or is coming, to the newest approved version; when none is approved, to none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas import configuration
from lambdas.deploy.approval import coming, configs_in_use, unapproved
from lambdas.deploy.attached import attached_config
from lambdas.deploy.endpoint import approved_versions, described_endpoint, described_package
from lambdas.deploy.plan import (
    IN_FLIGHT,
    DeployPlan,
    DeploySettings,
    deadline,
    expired,
    group_and_version,
    names,
    next_pause,
)
from lambdas.outcomes import FailedError


@dataclass(frozen=True)
class Found:
    """What is true at the moment of a review."""

    package: DeployPlan
    approved: list[str]  # ARNs, newest first
    live: DeployPlan | None
    attached: str | None  # the configuration that the inference workflow was let in to


def review(plan: DeployPlan, sagemaker: Any, ssm: Any, host: DeploySettings) -> DeployPlan:
    """What to do about the package in `plan`: an EventBridge event, `{"model_package_arn"}`, or an earlier answer.

    Raises:
        FailedError: a malformed ARN, a package that does not exist, other classes than the workflow routes, no end to
            waiting for the endpoint.
    """
    arn = str(plan.get("detail", plan).get("ModelPackageArn") or plan.get("model_package_arn"))
    group, _ = group_and_version(arn)
    start: DeployPlan = {
        "model_package_arn": arn,
        "endpoint": host.endpoint,
        "deadline": plan.get("deadline") or deadline(),
        "poll_seconds": next_pause(plan),
        "made": plan.get("made", []),
    }
    if group.lower() != host.group.lower():
        return _nothing(start, f"{arn} belongs to another group than {host.group}.")
    package = described_package(sagemaker, arn)
    if package is None:
        raise FailedError("ModelPackageNotFound", f"{arn} does not exist (any more).")
    found = Found(
        package=package,
        approved=approved_versions(sagemaker, host.group),
        live=described_endpoint(sagemaker, host.endpoint),
        attached=attached_config(ssm),
    )
    decided = start | _decided(sagemaker, host, found, start["deadline"])
    if decided.get("target_arn") != plan.get("target_arn"):  # what the run did for another target is not to be undone
        decided |= {"made": [], "previous_config": None, "created_endpoint": False, "failure": None}
    return decided


def _decided(sagemaker: Any, host: DeploySettings, found: Found, until: int) -> DeployPlan:
    package, approved, live = found.package, found.approved, found.live
    arn = package["ModelPackageArn"]
    unwanted = unapproved(sagemaker, host, approved, configs_in_use(live, found.attached))
    withdrawn = package["ModelApprovalStatus"] != "Approved"
    if withdrawn and not unwanted:
        return _nothing({}, f"{arn} is {package['ModelApprovalStatus']}, and neither live nor being deployed.")
    if not approved and not unwanted:
        return _nothing({}, f"No version of {host.group} is approved; the endpoint stays as it is.")
    target = approved[0] if approved else None
    if target != arn and not unwanted:
        return _nothing({}, f"{target} is approved and newer than {arn}.")
    chosen: DeployPlan = {}
    if target:
        chosen = {"target_arn": target, "version": group_and_version(target)[1], **names(host, target)}
    if live and live["EndpointStatus"] in IN_FLIGHT:
        if target and coming(live) == chosen["config"]:
            return _nothing(chosen, f"Another run is already deploying {target}.")
        if expired(until):
            raise FailedError("EndpointBusy", f"Endpoint {host.endpoint} is still {live['EndpointStatus']}.")
        return {**chosen, "outcome": "busy"}
    serves = live["EndpointConfigName"] if live and live["EndpointStatus"] == "InService" else None
    if target and serves == found.attached == chosen["config"]:
        return _nothing(chosen, f"{target} is live already.")
    switched_off = live is None and withdrawn  # people did that: what may come back is forgotten, nothing is started
    if target is None or switched_off:
        return {"outcome": "remove", "poll_seconds": 0}
    problem = _other_classes(sagemaker, target)
    if problem and unwanted:
        return {"outcome": "remove", "poll_seconds": 0}
    if problem:
        raise FailedError("ClassesDiffer", problem)
    return {**chosen, "outcome": "deploy", "poll_seconds": 0}


def _other_classes(sagemaker: Any, target: str) -> str | None:
    """A model that knows other classes, or the same in another order, would route deliveries to the wrong vehicle."""
    package = described_package(sagemaker, target) or {}
    known = package.get("CustomerMetadataProperties", {}).get("classes")
    routed = " ".join(configuration.classes())  # as RegisterModel writes them: the field's pattern has no comma
    if known is None or known == routed:
        return None
    return f"{target} answers for {known}; the workflow routes {routed}."


def _nothing(plan: DeployPlan, reason: str) -> DeployPlan:
    return {**plan, "outcome": "nothing", "message": reason}

"""Step review: an event only wakes us up; what is to be done follows from what is true now.

SageMaker sends an event more than once, late, and in any order. So the package is read again, and the run goes on only
when that leads from what is live to the newest approved version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas import configuration
from lambdas.deploy.attached import attached_config
from lambdas.deploy.endpoint import approved_versions, described_endpoint, described_package, package_behind
from lambdas.deploy.plan import IN_FLIGHT, Hosting, Plan, deadline, expired, group_and_version, names, next_pause
from lambdas.outcomes import FailedError


@dataclass(frozen=True)
class Found:
    """What is true at the moment of a review."""

    package: Plan
    approved: list[str]  # ARNs, newest first
    live: Plan | None
    attached: str | None  # the configuration that the inference workflow was let in to


def review(plan: Plan, sagemaker: Any, ssm: Any, host: Hosting) -> Plan:
    """What to do about the package in `plan`: an EventBridge event, `{"model_package_arn"}`, or an earlier answer.

    Raises:
        FailedError: a malformed ARN, a package that does not exist, other classes than the workflow routes, no end to
            waiting for the endpoint.
    """
    arn = str(plan.get("detail", plan).get("ModelPackageArn") or plan.get("model_package_arn"))
    group, _ = group_and_version(arn)
    start: Plan = {
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
    return start | _decided(sagemaker, host, found, start["deadline"])


def _decided(sagemaker: Any, host: Hosting, found: Found, until: int) -> Plan:
    package, approved, live = found.package, found.approved, found.live
    arn = package["ModelPackageArn"]
    live_package = package_behind(sagemaker, live) if live else None
    withdrawn = package["ModelApprovalStatus"] != "Approved"
    if withdrawn and live_package != arn:
        return _nothing({}, f"{arn} is {package['ModelApprovalStatus']}, and not live.")
    if not approved:
        return _nothing({}, f"No version of {host.group} is approved; the endpoint stays as it is.")
    target = approved[0]
    if not withdrawn and arn != target:
        return _nothing({}, f"{target} is approved and newer than {arn}.")
    chosen = {"target_arn": target, "version": group_and_version(target)[1], **names(host, target)}
    if live and live["EndpointStatus"] in IN_FLIGHT:
        if _coming(live) == chosen["config"]:
            return _nothing(chosen, f"Another run is already deploying {target}.")
        if expired(until):
            raise FailedError("EndpointBusy", f"Endpoint {host.endpoint} is still {live['EndpointStatus']}.")
        return {**chosen, "outcome": "busy"}
    serves = live["EndpointConfigName"] if live and live["EndpointStatus"] == "InService" else None
    if serves == found.attached == chosen["config"]:
        return _nothing(chosen, f"{target} is live already.")
    _check_classes(sagemaker, target)
    return {**chosen, "outcome": "deploy", "poll_seconds": 0}


def _coming(endpoint: Plan) -> str | None:
    """The configuration that an endpoint in change will have when all goes well."""
    if endpoint["EndpointStatus"] == "Creating":
        return str(endpoint["EndpointConfigName"])
    pending: str | None = endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return pending


def _check_classes(sagemaker: Any, target: str) -> None:
    """A model that knows other classes, or the same in another order, would route deliveries to the wrong vehicle."""
    package = described_package(sagemaker, target) or {}
    known = package.get("CustomerMetadataProperties", {}).get("classes")
    routed = " ".join(configuration.classes())  # as RegisterModel writes them: the field's pattern has no comma
    if known is not None and known != routed:
        raise FailedError("ClassesDiffer", f"{target} answers for {known}; the workflow routes {routed}.")


def _nothing(plan: Plan, reason: str) -> Plan:
    return {**plan, "outcome": "nothing", "message": reason}

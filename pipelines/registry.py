"""The model registry: the versions of the project's model package group, and their approval."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from project import aws, s3
from project.errors import UsageError

Approval = Literal["Approved", "Rejected"]
WAITING = "PendingManualApproval"
BY = re.compile(r"By (?P<who>[^:]+)(?:: (?P<why>.*))?", re.DOTALL)
COMMENT = 1024
"""Characters of ApprovalDescription (UpdateModelPackage)."""


@dataclass(frozen=True)
class Version:
    """One model package of the group; `approval` is Approved, Rejected or PendingManualApproval."""

    arn: str
    number: int
    approval: str
    registered: datetime


def versions(group: str) -> list[Version]:
    """Every version of the group, newest first; none when there is no such group."""
    with aws.explained(f"listing the models of {group}"):
        pages = aws.client("sagemaker").get_paginator("list_model_packages")
        try:
            found = [
                Version(
                    one["ModelPackageArn"],
                    one["ModelPackageVersion"],
                    one["ModelApprovalStatus"],
                    one["CreationTime"],
                )
                for page in pages.paginate(ModelPackageGroupName=group)
                for one in page["ModelPackageSummaryList"]
            ]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return []
            raise
    return sorted(found, key=lambda version: -version.number)


def choose(group: str, wanted: str | None, approval: Approval, again: bool = False) -> Version:
    """The version to be given `approval`: by number or ARN, or the newest that waits for a decision.

    Raises:
        UsageError: there is no such version, none waits, or it has that approval already (and not `again`).
    """
    there = versions(group)
    if not there:
        raise UsageError(f"Group {group} has no model yet.", "Train one: scones start --wait.")
    verb = "approve" if approval == "Approved" else "reject"
    chosen = next((v for v in there if _is(v, wanted)), None)
    listed = ", ".join(f"{v.number} {v.approval}" for v in there[:10])
    if chosen is None and wanted:
        raise UsageError(f"Group {group} has no version {wanted}.", f"It has: {listed}.")
    if chosen is None:
        raise UsageError(f"No version of {group} waits for a decision: {listed}.", f"Name one: scones {verb} VERSION.")
    if chosen.approval == approval and not again:
        fix = f"To start the deploy workflow once more: scones {verb} {chosen.number} --again."
        raise UsageError(f"Version {chosen.number} of {group} is {approval} already.", fix)
    return chosen


def decide(version: Version, approval: Approval, comment: str) -> None:
    """Record the decision; SageMaker tells EventBridge about it, also when it is the same as before."""
    asked = {"ApprovalDescription": comment} if comment else {}
    with aws.explained(f"changing the approval of {version.arn}"):
        aws.client("sagemaker").update_model_package(ModelPackageArn=version.arn, ModelApprovalStatus=approval, **asked)


def signed(who: str, why: str) -> str:
    """The comment of a decision that says who took it, in the form of the threshold's history.

    Raises:
        UsageError: nobody is named.
    """
    who, why = " ".join(who.split()).replace(":", ""), " ".join(why.split())
    if not who:
        raise UsageError("Nothing was decided.", "Say who decides.")
    return (f"By {who}: {why}" if why else f"By {who}")[:COMMENT]


def signature(comment: str) -> tuple[str, str]:
    """Who and why of a decision's comment; nobody is named in one that was written by other means."""
    said = BY.fullmatch(comment)
    return (said["who"], said["why"] or "") if said else ("", comment)


def described(arn: str) -> dict[str, Any]:
    """DescribeModelPackage's answer."""
    with aws.explained(f"describing {arn}"):
        found: dict[str, Any] = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return found


def summary(version: Version) -> str:
    """What a person decides on: `Version 3: accuracy 0.942 (95 % interval 0.917 to 0.960), bicycle motorcycle, …`"""
    package = described(version.arn)
    properties = package.get("CustomerMetadataProperties", {})
    facts = [_accuracy(package), *(properties[name] for name in ("algorithm", "classes") if name in properties)]
    facts += [said] if (said := staging(properties)) else []
    if execution := properties.get("execution"):
        facts.append(f"execution {execution.rpartition('/')[2]}")
    facts.append(f"registered {version.registered:%Y-%m-%d %H:%M}")
    return f"Version {version.number}: {', '.join(facts)}"


def staging(properties: dict[str, str]) -> str:
    """What the staging endpoint found of a version with this metadata; nothing of one from before there was any."""
    wanted, outcome = properties.get("staging"), properties.get("staging_outcome")
    if not wanted:
        return ""
    if wanted == "off":
        return "not tried on a staging endpoint"
    if not outcome:
        return "no result of its staging endpoint"
    facts = [properties.get(f"staging_{name}", "?") for name in ("pictures", "p50_ms", "p95_ms")]
    return f"staging {outcome} ({facts[0]} test pictures, p50 {facts[1]} ms, p95 {facts[2]} ms)"


def untested(version: Version) -> str:
    """A sentence for whoever approves a version that its staging endpoint has told nothing of yet; else nothing."""
    properties = described(version.arn).get("CustomerMetadataProperties", {})
    if properties.get("staging", "off") == "off" or "staging_outcome" in properties:
        return ""
    return (
        f"Version {version.number} has no result of its staging endpoint (yet): scones status "
        f"{properties.get('execution', '').rpartition('/')[2]}. If the test fails, the version is rejected, and does "
        "not stay live."
    )


def live() -> str | None:
    """ARN of the version that answers, as the deploy workflow wrote it down.

    None before the first deployment, and without the project's resources.
    """
    parameter = aws.names().live_parameter
    with aws.explained(f"reading parameter {parameter}"):
        try:
            value = aws.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise
    arn: str | None = json.loads(value).get("model_package_arn")
    return arn


def live_package(version: int | None = None) -> dict[str, Any]:
    """SageMaker's description of the live version, or of another one of its group; {} while nothing is live."""
    arn = live()
    if arn and version is not None:
        arn = f"{arn.rpartition('/')[0]}/{version}"
    return described(arn) if arn else {}


def evaluation_uri(package: Mapping[str, Any]) -> str:
    """Where the evaluation.json of a described version is; "" if it was registered without one."""
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {})
    return str(quality.get("Statistics", {}).get("S3Uri", ""))


def _is(version: Version, wanted: str | None) -> bool:
    return wanted in {str(version.number), version.arn} if wanted else version.approval == WAITING


def _accuracy(package: dict[str, Any]) -> str:
    uri = evaluation_uri(package)
    if not uri:
        return "no evaluation recorded"
    if s3.head(uri) is None:
        return f"evaluation {uri} is missing"
    metrics = s3.read_json(uri).get("metrics", {})
    if not {"accuracy", "accuracy_low", "accuracy_high"} <= set(metrics):
        return f"evaluation {uri}"
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    return f"accuracy {metrics['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f})"

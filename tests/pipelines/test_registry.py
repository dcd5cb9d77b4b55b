"""Choosing a version and recording a decision, against requests and answers in SageMaker's own shapes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from service_stubs import Stubs

from pipelines import registry
from project.errors import UsageError

GROUP = "scones-unlimited"
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}"
EVALUATION = "s3://models/executions/abc/Evaluate/evaluation/evaluation.json"


def listed(stubs: Stubs, *approvals: str) -> None:
    """The group has one version per approval, oldest first."""
    packages = [
        {
            "ModelPackageArn": f"{ARN}/{number}",
            "ModelPackageVersion": number,
            "ModelApprovalStatus": approval,
            "ModelPackageStatus": "Completed",
            "CreationTime": NOW,
        }
        for number, approval in enumerate(approvals, start=1)
    ]
    answer = {"ModelPackageSummaryList": packages}
    stubs["sagemaker"].add_response("list_model_packages", answer, {"ModelPackageGroupName": GROUP})


def described(stubs: Stubs, **facts: Any) -> None:
    answer = {
        "ModelPackageArn": f"{ARN}/3",
        "ModelPackageName": GROUP,
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        **facts,
    }
    stubs["sagemaker"].add_response("describe_model_package", answer, {"ModelPackageName": f"{ARN}/3"})


def version(number: int, approval: str = registry.WAITING) -> registry.Version:
    return registry.Version(f"{ARN}/{number}", number, approval, NOW)


def test_the_newest_version_that_waits_is_chosen(stubs: Stubs) -> None:
    listed(stubs, registry.WAITING, "Approved", registry.WAITING, "Rejected")
    assert registry.choose(GROUP, None, "Approved") == version(3)


@pytest.mark.parametrize("wanted", ["2", f"{ARN}/2"])
def test_a_version_is_chosen_by_number_or_arn(stubs: Stubs, wanted: str) -> None:
    listed(stubs, registry.WAITING, "Approved", registry.WAITING)
    assert registry.choose(GROUP, wanted, "Rejected") == version(2, "Approved")


@pytest.mark.parametrize(
    ("approvals", "wanted", "said"),
    [
        (["Approved"], "9", r"no version 9. It has: 1 Approved\."),
        (["Rejected", "Approved"], None, r"waits for a decision: 2 Approved, 1 Rejected. Name one: scones approve"),
        (["Approved"], "1", r"is Approved already\. .* --again"),
        ([], None, r"has no model yet\. Train one"),
    ],
)
def test_what_cannot_be_approved_is_refused_by_name(
    stubs: Stubs, approvals: list[str], wanted: str | None, said: str
) -> None:
    listed(stubs, *approvals)
    with pytest.raises(UsageError, match=said):
        registry.choose(GROUP, wanted, "Approved")


def test_a_group_that_does_not_exist_is_an_empty_one(stubs: Stubs) -> None:
    stubs["sagemaker"].add_client_error(
        "list_model_packages", "ValidationException", "ModelPackageGroup scones-unlimited does not exist."
    )
    with pytest.raises(UsageError, match="no model yet"):
        registry.choose(GROUP, None, "Approved")


def test_an_approval_may_be_repeated_on_purpose(stubs: Stubs) -> None:
    listed(stubs, "Approved")
    assert registry.choose(GROUP, "1", "Approved", again=True).number == 1


def test_a_decision_says_who_took_it_and_why() -> None:
    assert registry.signature(registry.signed("Ana: M.", "sharp: enough")) == ("Ana M.", "sharp: enough")
    assert registry.signature(registry.signed("ana", "")) == ("ana", "")
    assert registry.signature("looks good") == ("", "looks good"), "written in the console"
    with pytest.raises(UsageError, match="Nothing was decided"):
        registry.signed(" ", "why")


@pytest.mark.parametrize(("comment", "sent"), [("", {}), ("looks good", {"ApprovalDescription": "looks good"})])
def test_the_decision_goes_to_the_registry(stubs: Stubs, comment: str, sent: dict[str, str]) -> None:
    request = {"ModelPackageArn": f"{ARN}/3", "ModelApprovalStatus": "Approved", **sent}
    stubs["sagemaker"].add_response("update_model_package", {"ModelPackageArn": f"{ARN}/3"}, request)
    registry.decide(version(3), "Approved", comment)


def test_a_person_sees_what_the_decision_is_about(stubs: Stubs) -> None:
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": EVALUATION}}}
    properties = {
        "algorithm": "builtin",
        "classes": "bicycle motorcycle",
        "execution": "arn:aws:x:pipeline/p/execution/e1",
    }
    described(stubs, ModelMetrics=metrics, CustomerMetadataProperties=properties)
    where = {"Bucket": "models", "Key": "executions/abc/Evaluate/evaluation/evaluation.json"}
    body = json.dumps({"metrics": {"accuracy": 0.93, "accuracy_low": 0.886, "accuracy_high": 0.958}}).encode()
    stubs["s3"].add_response("head_object", {}, where)
    stubs["s3"].add_response("get_object", {"Body": StreamingBody(io.BytesIO(body), len(body))}, where)
    assert registry.summary(version(3)) == (
        "Version 3: accuracy 0.930 (95 % interval 0.886 to 0.958), builtin, bicycle motorcycle, execution e1, "
        "registered 2026-03-01 12:30"
    )


def test_an_evaluation_that_is_gone_is_said_to_be(stubs: Stubs) -> None:
    described(stubs, ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "x", "S3Uri": EVALUATION}}})
    stubs["s3"].add_client_error("head_object", "404", http_status_code=404)
    assert f"evaluation {EVALUATION} is missing" in registry.summary(version(3))


def test_a_model_registered_by_hand_has_neither_evaluation_nor_execution(stubs: Stubs) -> None:
    described(stubs)
    assert registry.summary(version(3)) == "Version 3: no evaluation recorded, registered 2026-03-01 12:30"

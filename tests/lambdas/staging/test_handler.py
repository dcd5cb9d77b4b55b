"""What the story does not show: endpoints that are being created, a resumed execution, a large test set."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_support import CONTEXT

from lambdas import clients
from lambdas.outcomes import FailedError, OutcomeError
from lambdas.staging import remove, trial
from lambdas.staging.handler import handler
from lambdas.staging.verdict import StagingFailedError

PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited"
NAME = "scones-unlimited-staging-abcdefghijkl"
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/scones-unlimited/1"
EVENT = {
    "step": "test",
    "execution": "abcdefghijkl",
    "staging": "instance",
    "package": PACKAGE,
    "pictures": "s3://b/executions/e/BuildManifests/test",
    "predictions": "s3://b/executions/e/ScoreTestSet/predictions",
    "captures": "s3://b/executions/e/StagingEndpoint/captures",
    "result": "s3://b/executions/e/TestStaging/staging.json",
}
ENDED = {"detail": {"pipelineExecutionArn": f"{PIPELINE}/execution/abcdefghijkl", "currentPipelineExecutionStatus": ""}}
SCORES = [0.75, 0.25]


class Service:
    """SageMaker, its runtime and S3, as far as Staging asks them; the endpoint's next statuses are `statuses`."""

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.deleted: list[str] = []
        self.updated: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.objects: dict[str, bytes] = {}
        self.steps: list[dict[str, Any]] = []
        self.reason = "the container did not answer /ping"
        self.refuses: ClientError | None = None

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803 - boto3's own
        assert EndpointName == NAME
        if not self.statuses:
            raise refusal("Could not find endpoint")
        status = self.statuses[0]
        self.statuses[:] = self.statuses[1:] or self.statuses
        return {"EndpointStatus": status, "FailureReason": self.reason}

    def delete_endpoint(self, EndpointName: str) -> None:  # noqa: N803
        self.deleted.append(EndpointName)

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:  # noqa: N803
        self.deleted.append(EndpointConfigName)
        raise refusal("Could not find endpoint configuration")

    def list_pipeline_execution_steps(self, PipelineExecutionArn: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        assert PipelineExecutionArn == f"{PIPELINE}/execution/abcdefghijkl" and MaxResults == 100
        return {"PipelineExecutionSteps": self.steps}

    def update_model_package(self, **asked: Any) -> None:
        self.updated.append(asked)

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked["InferenceId"])
        if self.refuses:
            raise self.refuses
        if asked["Body"] == trial.BROKEN:
            raise ClientError(
                {"Error": {"Code": "ModelError", "Message": "no picture"}, "OriginalStatusCode": 400}, "InvokeEndpoint"
            )
        if asked["InferenceId"].endswith("/0"):
            record = json.dumps({"eventMetadata": {"inferenceId": asked["InferenceId"]}})
            self.objects["executions/e/StagingEndpoint/captures/n/AllTraffic/1.jsonl"] = record.encode()
        return {"Body": io.BytesIO(json.dumps(SCORES).encode())}

    def get_paginator(self, name: str) -> Service:
        return self

    def paginate(self, **asked: str) -> list[dict[str, Any]]:
        return [self.list_objects_v2(**asked)]

    def list_objects_v2(self, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[Key] = Body


def refusal(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Any")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service(["InService"])
    for name in ("sagemaker", "s3"):
        monkeypatch.setattr(clients, name, lambda: made)
    monkeypatch.setattr(clients, "runtime", lambda attempts: made)
    monkeypatch.setattr(remove.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("STAGING_PREFIX", "scones-unlimited-staging")
    monkeypatch.setenv("PIPELINE_ARN", PIPELINE)
    return made


def call(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = handler(event, CONTEXT)
    return found


def test_an_endpoint_that_is_being_created_is_waited_for_and_its_configurations_stay(service: Service) -> None:
    service.statuses = ["Creating", "Creating", "Failed"]
    assert call(ENDED) == {"removed": NAME}
    assert service.deleted == [NAME]


def test_one_that_never_settles_is_an_error_so_that_lambda_tries_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOVE_SECONDS", "1")
    moments = iter(range(100))
    monkeypatch.setattr(remove.time, "monotonic", lambda: next(moments))
    service.statuses = ["Creating"]
    with pytest.raises(FailedError, match=f"Endpoint {NAME} is still Creating"):
        call(ENDED)
    assert not service.deleted


@pytest.mark.parametrize("statuses", [[], ["Deleting"]])
def test_an_execution_without_an_endpoint_leaves_nothing_to_do(service: Service, statuses: list[str]) -> None:
    service.statuses = statuses
    assert call(ENDED) == {"removed": "nothing"}
    assert not service.deleted


def test_the_step_removes_configurations_too_also_when_they_are_gone(service: Service) -> None:
    assert call({"step": "remove", "execution": "abcdefghijkl"}) == {"removed": NAME}
    assert service.deleted == [NAME, f"{NAME}-instance", f"{NAME}-serverless"]


def test_a_large_test_set_is_asked_for_in_part_from_its_beginning_to_its_end(service: Service) -> None:
    scored = json.dumps({"prediction": SCORES}).encode()
    for number in range(1000):
        service.objects[f"executions/e/ScoreTestSet/predictions/{number:04d}.png.out"] = scored
        service.objects[f"executions/e/BuildManifests/test/{number:04d}.png"] = b"picture"
    found = call(EVENT)
    assert (found["outcome"], found["pictures"], found["captured"]) == ("passed", "200 of 1000", "1")
    assert len(service.asked) == 201
    [updated] = service.updated
    assert "ModelApprovalStatus" not in updated, "to approve is a person's word"
    assert json.loads(service.objects["executions/e/TestStaging/staging.json"]) == found


def test_an_endpoint_that_was_removed_before_the_test_rejects_nobody(service: Service) -> None:
    service.statuses = []
    service.steps = [{"StepName": "StagingEndpoint", "StepStatus": "Succeeded"}]
    with pytest.raises(FailedError, match="StagingGone"):
        call(EVENT)
    assert not service.updated


LIMIT = "ClientError: ResourceLimitExceeded: The account-level service limit is 0 Instances"
CAPACITY = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."


def test_an_endpoint_that_could_not_be_made_rejects_nobody(service: Service) -> None:
    service.statuses = []
    service.steps = [{"StepName": "StagingEndpoint", "StepStatus": "Failed", "FailureReason": LIMIT}]
    with pytest.raises(FailedError, match=f"StagingNotMade: Endpoint {NAME} was not made: {LIMIT}"):
        call(EVENT)
    assert not service.updated


def test_an_endpoint_that_got_no_instance_rejects_nobody(service: Service) -> None:
    service.statuses, service.reason = ["Failed"], CAPACITY
    with pytest.raises(FailedError, match=r"StagingNotMade: .* got no instance"):
        call(EVENT)
    assert not service.updated


def test_an_endpoint_that_failed_rejects_the_version_with_its_reason(service: Service) -> None:
    service.statuses = ["Failed"]
    with pytest.raises(StagingFailedError, match="the endpoint is Failed: the container did not answer /ping"):
        call(EVENT)
    assert service.updated[0]["ModelApprovalStatus"] == "Rejected"


@pytest.fixture
def scored(service: Service) -> Service:
    """The service with one picture in the test set, and its scores."""
    service.objects["executions/e/ScoreTestSet/predictions/1.png.out"] = json.dumps(SCORES).encode()
    service.objects["executions/e/BuildManifests/test/1.png"] = b"picture"
    return service


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDeniedException", 403, "AccessDenied"),
        ("ThrottlingException", 400, "Throttled"),
        ("ServiceUnavailable", 503, "Unavailable"),
        ("ValidationError", 400, "ValidationError"),  # the endpoint is not found
    ],
)
def test_what_sagemaker_says_of_the_endpoint_rejects_nobody(
    scored: Service, code: str, status: int, error: str
) -> None:
    answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    scored.refuses = ClientError(answer, "InvokeEndpoint")  # type: ignore[arg-type]  # as much as is read of it
    with pytest.raises(OutcomeError, match=error):
        call(EVENT)
    assert not scored.updated


def test_a_server_error_of_the_model_rejects_the_version(scored: Service) -> None:
    answer = {"Error": {"Code": "ModelError", "Message": "no weights"}, "OriginalStatusCode": 500}
    scored.refuses = ClientError(answer, "InvokeEndpoint")  # type: ignore[arg-type]  # as above
    with pytest.raises(StagingFailedError, match=r"picture 1 of 1 was not answered: .*no weights"):
        call(EVENT)
    assert scored.updated[0]["ModelApprovalStatus"] == "Rejected"


def test_an_endpoint_that_is_removed_during_its_test_rejects_nobody(
    scored: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_wait_for_records", lambda s3, asked: 0)
    scored.statuses = ["InService", "Deleting"]
    with pytest.raises(FailedError, match=f"StagingGone: Endpoint {NAME} is Deleting"):
        call(EVENT)
    assert not scored.updated


def test_missing_captures_reject_the_version(scored: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_wait_for_records", lambda s3, asked: 0)
    with pytest.raises(StagingFailedError, match="no captured record has arrived"):
        call(EVENT)

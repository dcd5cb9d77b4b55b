"""The doctor's checks, each against what AWS answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.doctor import account, limits, machine
from infra.doctor.finding import Finding, each
from project import aws
from project.errors import SconesError
from project.names import Names
from project.setting_groups import Serving
from project.settings import Settings

NAMES = Names(Settings(), "123456789012")
Stub = Callable[[str], Stubber]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Makes `cloud.client` answer what a test says, request by request."""
    stubbers: dict[str, Stubber] = {}

    def of(service: str) -> Stubber:
        if service not in stubbers:
            session = boto3.Session("test", "test", region_name="us-east-1")
            stubbers[service] = Stubber(session.client(service))
            stubbers[service].activate()
        return stubbers[service]

    monkeypatch.setattr(aws, "client", lambda service: of(service).client)
    yield of
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()


def only(findings: Iterator[Finding]) -> Finding:
    [found] = findings
    return found


def complete(found: Finding) -> bool:
    return found.state == "problem" and bool(found.found and found.why and found.fix)


def test_an_old_interpreter_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(machine.python()).state == "ok"
    monkeypatch.setattr(machine, "OLDEST", (9, 9))
    assert complete(only(machine.python()))


def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    found = only(machine.disk(tmp_path))
    assert complete(found)
    assert found.found.startswith("1.0 GiB free")


def test_a_region_without_sagemaker_and_two_regions_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert only(machine.region(Settings())).state == "ok"
    assert only(machine.region(Settings(region="cn-north-1"))).state == "ok", "its partition has SageMaker there"
    assert complete(only(machine.region(Settings(region="us-iso-west-1"))))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found = only(machine.region(Settings()))
    assert complete(found)
    assert "AWS_DEFAULT_REGION=eu-west-1" in found.found


def test_an_image_that_the_region_does_not_have_is_a_problem() -> None:
    def resolve() -> str:
        raise ValueError("Unsupported region: us-mars-1.")

    assert complete(only(machine.images([("training", resolve)])))
    assert only(machine.images([("training", lambda: "uri")])).found == "uri"


@pytest.mark.parametrize(("code", "status", "says"), [("404", 404, "does not exist"), ("403", 403, "somebody else")])
def test_a_bucket_that_is_missing_or_somebody_elses_is_told_apart(
    stub: Stub, code: str, status: int, says: str
) -> None:
    stub("s3").add_client_error("head_bucket", code, http_status_code=status)
    found = only(account.bucket(NAMES))
    assert complete(found)
    assert says in found.found


def test_a_bucket_in_another_region_is_a_problem(stub: Stub) -> None:
    stub("s3").add_response("head_bucket", {})
    stub("s3").add_response("get_bucket_location", {"LocationConstraint": "eu-west-1"})
    assert complete(only(account.bucket(NAMES)))


def stack_with(stub: Stub, status: str) -> None:
    described = {"StackName": "s", "CreationTime": "2026-11-20T10:00:00Z", "StackStatus": status}
    stub("cloudformation").add_response("describe_stacks", {"Stacks": [described]})


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_cannot_be_updated_now_is_a_problem_with_its_own_fix(stub: Stub, status: str) -> None:
    stack_with(stub, status)
    found = only(account.resources(NAMES))
    assert complete(found)
    assert status in found.found


def test_a_role_that_is_missing_or_trusts_somebody_else_is_a_problem(stub: Stub) -> None:
    stack_with(stub, "UPDATE_COMPLETE")
    trust = '{"Version": "2012-10-17", "Statement": [{"Principal": {"Service": "ec2.amazonaws.com"}}]}'
    role = {"Path": "/", "RoleName": "r", "RoleId": "A" * 16, "Arn": "a" * 20, "CreateDate": "2026-11-20T10:00:00Z"}
    stub("iam").add_response("get_role", {"Role": {**role, "AssumeRolePolicyDocument": trust}})
    stub("iam").add_client_error("get_role", "NoSuchEntity", http_status_code=404)
    findings = account.roles(NAMES)
    wrong, missing = next(findings), next(findings)
    assert complete(wrong)
    assert "not sagemaker.amazonaws.com" in wrong.found
    assert complete(missing)
    assert missing.found == "does not exist"


@pytest.mark.parametrize(("decision", "state"), [("allowed", "ok"), ("implicitDeny", "problem")])
def test_a_missing_pass_role_is_named_with_action_role_and_caller(stub: Stub, decision: str, state: str) -> None:
    caller = "arn:aws:sts::123456789012:assumed-role/Engineer/me"
    stub("sts").add_response("get_caller_identity", {"Arn": caller})
    result = {"EvalActionName": "iam:PassRole", "EvalDecision": decision}
    stub("iam").add_response("simulate_principal_policy", {"EvaluationResults": [result]})
    found = only(account.caller(NAMES))
    assert found.state == state
    assert "arn:aws:iam::123456789012:role/Engineer" in found.found
    assert NAMES.pipeline_role in found.found


def test_root_and_a_simulator_that_is_not_allowed_leave_the_question_open(stub: Stub) -> None:
    stub("sts").add_response("get_caller_identity", {"Arn": "arn:aws:iam::123456789012:root"})
    assert only(account.caller(NAMES)).state == "unknown"
    stub("sts").add_response("get_caller_identity", {"Arn": "arn:aws:iam::123456789012:user/me"})
    stub("iam").add_client_error("simulate_principal_policy", "AccessDenied", http_status_code=403)
    assert only(account.caller(NAMES)).state == "unknown"


def test_a_quota_of_zero_is_a_problem_and_an_endpoint_needs_twice_its_instances(stub: Stub) -> None:
    quotas = [
        {"QuotaName": "ml.g4dn.xlarge for training job usage", "Value": 0.0},
        {"QuotaName": "ml.m5.large for endpoint usage", "Value": 1.0},
        {"QuotaName": "ml.m5.large for processing job usage", "Value": 4.0},
    ]
    stub("service-quotas").add_response("list_service_quotas", {"Quotas": quotas})
    found = {one.subject: one for one in limits.quotas(NAMES)}
    assert complete(found["quota ml.g4dn.xlarge for training job usage"])
    assert complete(found["quota ml.m5.large for endpoint usage"])
    assert found["quota ml.m5.large for processing job usage"].state == "ok"
    assert found["quota ml.m5.large for transform job usage"].state == "unknown"


def test_an_endpoint_that_may_grow_needs_twice_what_it_may_grow_to(stub: Stub) -> None:
    quotas = [{"QuotaName": "ml.m5.large for endpoint usage", "Value": 19.0}]
    stub("service-quotas").add_response("list_service_quotas", {"Quotas": quotas})
    growing = Names(Settings(serving=Serving(max_instances=10)), "123456789012")
    found = {one.subject: one for one in limits.quotas(growing)}
    assert "20 are needed" in found["quota ml.m5.large for endpoint usage"].why


@pytest.mark.parametrize(("allowed", "state"), [(0.0, "problem"), (1.0, "ok"), (None, "unknown")])
def test_an_account_that_builds_needs_codebuilds_quota(stub: Stub, allowed: float | None, state: str) -> None:
    stack_with(stub, "CREATE_COMPLETE")
    quotas = [{"QuotaName": limits.CONCURRENT_BUILDS, "Value": allowed}] if allowed is not None else []
    stub("service-quotas").add_response("list_service_quotas", {"Quotas": quotas}, {"ServiceCode": "codebuild"})
    found = only(limits.builds(NAMES))
    assert (found.state, complete(found)) == (state, state == "problem")


def test_an_account_that_does_not_build_is_not_asked(stub: Stub) -> None:
    stub("cloudformation").add_client_error("describe_stacks", "ValidationError", "Stack with id s does not exist")
    assert list(limits.builds(NAMES)) == []


def test_versions_that_were_not_tested_are_problems_with_the_one_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {one.subject: one.state for one in machine.versions()} == dict.fromkeys(machine.PINNED, "ok")
    monkeypatch.setattr(machine.importlib.metadata, "version", lambda _: "0.1")
    assert all(complete(one) for one in machine.versions())
    assert "==2.13.0" in next(one for one in machine.versions() if one.subject == "torch").fix


def test_an_answer_that_cannot_be_read_is_a_finding_and_no_end(stub: Stub) -> None:
    stub("sts").add_response("get_caller_identity", {"Account": "123456789012"})  # no Arn
    found = only(each("caller", account.caller(NAMES)))
    assert found.state == "unknown"
    assert "KeyError: 'Arn'" in found.found


def test_what_may_not_be_asked_is_a_problem_and_no_end(stub: Stub) -> None:
    stub("sts").add_client_error("get_caller_identity", "AccessDenied", "no", http_status_code=403)
    assert complete(only(each("caller", account.caller(NAMES))))


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_not_valid_end_the_examination(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refused() -> Names:
        raise SconesError(f"asking which account this is: {code}: no", "Refresh the credentials.")

    monkeypatch.setattr(aws, "names", refused)
    names, found = account.identity()
    assert names is None
    assert complete(found)

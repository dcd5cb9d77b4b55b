from __future__ import annotations

import pytest

from localcloud.sagemaker.engine.retries import (
    CAPACITY_ERROR,
    INTERNAL_ERROR,
    RESOURCE_LIMIT,
    SERVICE_FAULT,
    THROTTLING,
    Policy,
    Retries,
    Try,
    failure_type,
    problems,
    read,
    refusal_type,
)
from localcloud.sagemaker.errors import own_fault


def test_waits_grow_until_the_attempts_are_used_up() -> None:
    retries = Retries([Policy((CAPACITY_ERROR,), interval=30, rate=1.5, max_attempts=3)])
    tries = [retries.next(CAPACITY_ERROR, 0.0) for _ in range(4)]
    assert tries == [Try(2, 4, 30), Try(3, 4, 45), Try(4, 4, 67.5), None]
    assert str(tries[2]) == "try 4 of 4 in 67.5 s"


def test_each_policy_counts_its_own_attempts() -> None:
    retries = Retries([Policy((CAPACITY_ERROR,), max_attempts=1), Policy((RESOURCE_LIMIT,), max_attempts=1)])
    tries = [retries.next(kind, 0.0) for kind in (CAPACITY_ERROR, RESOURCE_LIMIT, CAPACITY_ERROR)]
    assert tries == [Try(2, 2, 1), Try(3, 3, 1), None]


def test_throttling_and_service_faults_are_retried_unasked_and_nothing_else_is() -> None:
    retries = Retries([])
    assert retries.next(THROTTLING, 0.0) == Try(2, 6, 1.0)
    assert retries.next(SERVICE_FAULT, 0.0) == Try(3, 6, 2.0)
    assert retries.next(INTERNAL_ERROR, 0.0) is None
    assert retries.next(None, 0.0) is None


def test_a_policy_of_the_step_takes_the_place_of_the_default() -> None:
    assert Retries([Policy((THROTTLING,), max_attempts=0)]).next(THROTTLING, 0.0) is None


def test_retries_end_when_the_time_is_over() -> None:
    policy = read({"ExceptionType": [THROTTLING], "IntervalSeconds": 30, "ExpireAfterMin": 1})
    retries = Retries([policy])
    assert str(retries.next(THROTTLING, 20.0)) == "try 2 in 30 s"
    assert retries.next(THROTTLING, 50.0) is None


def test_a_wait_is_never_longer_than_twelve_hours() -> None:
    retries = Retries([Policy((THROTTLING,), interval=43_000, rate=100)])
    assert [retries.next(THROTTLING, 0.0) for _ in range(2)] == [Try(2, 6, 43_000), Try(3, 6, 43_200)]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, THROTTLING),
        ("Throttling", 400, THROTTLING),
        ("ResourceLimitExceeded", 400, RESOURCE_LIMIT),
        ("InternalFailure", 500, SERVICE_FAULT),
        ("ServiceUnavailable", 503, SERVICE_FAULT),
        ("ValidationException", 400, None),
        ("NotImplementedException", 501, None),
    ],
)
def test_refusals_have_types(code: str, status: int, kind: str | None) -> None:
    assert refusal_type(code, status) == kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("CapacityError: Unable to provision requested ML compute capacity.", CAPACITY_ERROR),
        ("InternalServerError: We encountered an internal error.", INTERNAL_ERROR),
        (own_fault(TypeError("InternalServerError")), None),
        ("AlgorithmError: See job logs for more information", None),
        ("", None),
    ],
)
def test_failures_have_types(reason: str, kind: str | None) -> None:
    assert failure_type(reason) == kind


@pytest.mark.parametrize(
    "policy",
    [
        {"ExceptionType": "Step.THROTTLING"},
        {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21},
        {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2, "ExpireAfterMin": 3},
        {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": -1},
        {"ExceptionType": ["Step.THROTTLING"], "BackoffRate": "2"},
        {"ExceptionType": ["Step.THROTTLING"], "Attempts": 2},
    ],
)
def test_malformed_policies_have_problems(policy: object) -> None:
    assert list(problems(policy, "Training"))


def test_model_steps_retry_only_what_happens_before_a_job() -> None:
    policy = {"ExceptionType": [CAPACITY_ERROR]}
    assert list(problems(policy, "Model"))
    assert not list(problems(policy, "Training"))

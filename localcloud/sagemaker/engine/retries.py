"""Retry policies: which failures are tried again, how often, and after how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
STEP_TYPES = (SERVICE_FAULT, THROTTLING)
JOB_TYPES = (INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)
LONGEST_WAIT = 43_200.0
MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}


@dataclass(frozen=True)
class Policy:
    """Wait `interval` seconds before the first retry and `rate` times longer before each next one.

    Retries end after `max_attempts` of them, or `expire_after` seconds after the step began.
    """

    types: tuple[str, ...]
    interval: float = 1.0
    rate: float = 2.0
    max_attempts: int | None = 5
    expire_after: float | None = None


DEFAULT = Policy(STEP_TYPES)
"""What SageMaker retries unasked."""


@dataclass(frozen=True)
class Try:
    """The next try of a step: its number (the first has 1), the last one's if known, and the seconds until it."""

    number: int
    last: int | None
    seconds: float

    def __str__(self) -> str:
        """`try 2 of 6 in 10 s`."""
        return f"try {self.number}{f' of {self.last}' if self.last else ''} in {self.seconds:g} s"


@dataclass
class Retries:
    """The retries of one step: its policies, and how often each was used."""

    policies: Sequence[Policy]
    used: dict[Policy, int] = field(default_factory=dict)

    def next(self, exception_type: str | None, elapsed: float) -> Try | None:
        """The next try, or None when the failure stands.

        `elapsed` is the time in seconds since the step began.
        """
        policy = next((p for p in (*self.policies, DEFAULT) if exception_type in p.types), None)
        if policy is None:
            return None
        count = self.used.get(policy, 0)
        if policy.max_attempts is not None and count >= policy.max_attempts:
            return None
        wait = min(policy.interval * policy.rate**count, LONGEST_WAIT)
        if policy.expire_after is not None and elapsed + wait > policy.expire_after:
            return None
        self.used[policy] = count + 1
        number = sum(self.used.values()) + 1
        left = None if policy.max_attempts is None else policy.max_attempts - count - 1
        return Try(number, None if left is None else number + left, wait)


def refusal_type(code: str, status: int) -> str | None:
    """The exception type of a Create call that was refused with this error code and HTTP status."""
    if code.startswith("Throttling") or code == "TooManyRequestsException":
        return THROTTLING
    if code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    return SERVICE_FAULT if status >= 500 and code != "NotImplementedException" else None


def failure_type(reason: str) -> str | None:
    """The exception type of a job that failed for this reason; what the job's own code did wrong has none."""
    for word, exception_type in (
        ("CapacityError", CAPACITY_ERROR),
        ("ResourceLimitExceeded", RESOURCE_LIMIT),
        ("InternalServerError", INTERNAL_ERROR),
    ):
        if reason.startswith(word):
            return exception_type
    return None


def problems(declared: Any, step_type: str) -> Iterator[str]:
    """What is wrong with one item of a step's `RetryPolicies`."""
    if not isinstance(declared, dict) or not isinstance(declared.get("ExceptionType"), list):
        yield "a retry policy needs a list ExceptionType"
        return
    accepted = STEP_TYPES if step_type in ("Model", "RegisterModel") else (*STEP_TYPES, *JOB_TYPES)
    for name in declared["ExceptionType"]:
        if name not in accepted:
            yield f"a {step_type} step retries {', '.join(accepted)}, not {name!r}"
    for name in sorted(set(declared) - MEMBERS):
        yield f"a retry policy has no member {name}"
    if "MaxAttempts" in declared and "ExpireAfterMin" in declared:
        yield "a retry policy takes MaxAttempts or ExpireAfterMin, not both"
    limits = {"IntervalSeconds": LONGEST_WAIT, "BackoffRate": float("inf"), "MaxAttempts": 20, "ExpireAfterMin": 14_400}
    for name, most in limits.items():
        value = declared.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            yield f"{name} of a retry policy is {value!r}, not a number from 0 to {most:g}"


def read(declared: dict[str, Any]) -> Policy:
    """A retry policy without problems."""
    minutes = declared.get("ExpireAfterMin")
    return Policy(
        types=tuple(declared["ExceptionType"]),
        interval=float(declared.get("IntervalSeconds", 1.0)),
        rate=float(declared.get("BackoffRate", 2.0)),
        max_attempts=None if minutes is not None else int(declared.get("MaxAttempts", 5)),
        expire_after=None if minutes is None else float(minutes) * 60,
    )

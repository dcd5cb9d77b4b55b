"""What a function can answer besides success, and how the state machines tell the answers apart.

    OutcomeError                outcome          what the state machine does
    ├── BadInputError           bad_input        fails, alerts: the same input would be refused again
    ├── LowConfidenceError      low_confidence   fails loudly, alerts: everything worked, the model is not sure
    ├── UnfamiliarError         unfamiliar       fails loudly, alerts: the picture is unlike what the model learned from
    ├── RetryableError          retry            tries again with back-off and jitter
    └── FailedError             failed           fails, alerts: configuration, permissions, a malformed answer

An expected outcome is data: the function *returns* `{"outcome", "error", "cause", ...}` and a Choice state decides.
Only unexpected failures leave a function as an exception. So an execution never depends on how a Python exception
is named on its way through the Lambda service, and a broken function cannot be mistaken for an unsure model.
"""

from __future__ import annotations

import json
from typing import Literal

Outcome = Literal["ok", "bad_input", "low_confidence", "unfamiliar", "retry", "failed"]
Retryable = Literal["Throttled", "TimedOut", "Unavailable"]


class OutcomeError(Exception):
    """An expected outcome other than success: `error` is its name in CamelCase, `problem` one sentence for people."""

    outcome: Outcome = "failed"

    def __init__(self, error: str, problem: str, **facts: object) -> None:
        self.error = error
        self.problem = problem
        self.facts = facts
        super().__init__(f"{error}: {problem}")

    def cause(self, image: str | None = None) -> str:
        """The JSON text that becomes the execution's cause and the alert: error, problem, image address, numbers."""
        head: dict[str, object] = {"error": self.error, "problem": self.problem}
        if image:
            head["image"] = image
        return json.dumps(head | self.facts, ensure_ascii=False, allow_nan=False)


class BadInputError(OutcomeError):
    """The picture, the event or a number in it cannot be used; trying again would change nothing."""

    outcome: Outcome = "bad_input"


class LowConfidenceError(OutcomeError):
    """The model's best probability is below the threshold."""

    outcome: Outcome = "low_confidence"


class UnfamiliarError(OutcomeError):
    """The picture is unlike what the model learned from, so that its probabilities mean nothing."""

    outcome: Outcome = "unfamiliar"


class RetryableError(OutcomeError):
    """A service was busy, slow or away: `error` is one of Throttled, TimedOut, Unavailable."""

    outcome: Outcome = "retry"

    def __init__(self, error: Retryable, problem: str) -> None:
        super().__init__(error, problem)


class FailedError(OutcomeError):
    """Something other than the input is wrong, and trying again would change nothing."""

"""What does the work of a step, by the step's type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from localcloud.sagemaker.engine.activity import Activity
from localcloud.sagemaker.engine.callback_step import CallbackActivity
from localcloud.sagemaker.engine.definition import RunnableStep
from localcloud.sagemaker.engine.endpoint_step import EndpointActivity
from localcloud.sagemaker.engine.lambda_step import LambdaActivity
from localcloud.sagemaker.engine.outcomes import Outcomes
from localcloud.sagemaker.engine.quality_check import QualityCheckActivity
from localcloud.sagemaker.engine.step_types import KINDS


class StepActivity(Protocol):
    """A step between its start and its end; every method gives the step's last status once there is one.

    Attributes:
        retry_at: when the step is tried again, on the monotonic clock, while it waits for that.
        timed_out: whether its own time was over.
        cut_short: whether it failed because somebody stopped its job.
    """

    retry_at: float | None
    timed_out: bool
    cut_short: bool

    def begin(self) -> str | None:
        """Start the work."""

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on from a record that an earlier run left."""

    def look(self, stopping: bool) -> str | None:
        """See what became of it."""


ACTIVITIES: Mapping[str, Callable[[Outcomes, RunnableStep], StepActivity]] = {
    **dict.fromkeys(KINDS, Activity),
    "QualityCheck": QualityCheckActivity,
    "Endpoint": EndpointActivity,
    "Lambda": LambdaActivity,
    "Callback": CallbackActivity,
}

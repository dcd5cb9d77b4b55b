"""The steps of a blue/green traffic shift, from a DeploymentConfig.

AWS gives the new fleet its traffic at once (ALL_AT_ONCE), first to a canary and then to all (CANARY), or in equal steps
(LINEAR), and lets it bake for WaitIntervalInSeconds after each step, then for TerminationWaitInSeconds before the old
fleet goes. A share there is a number of instances; here it is a share of the requests, so that a fleet of one has one.
Source: "Blue/Green Deployments" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.store import Body

DEFAULT_LIMIT_SECONDS = 1800


@dataclass(frozen=True)
class ShiftStep:
    """Give the new fleet `share` of the requests, then watch it for `seconds`; `waiting` names that time."""

    share: float
    seconds: int
    waiting: str


def check(config: Body, instances: int) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    if not config:
        return
    if "RollingUpdatePolicy" in config:
        raise validation("The local SageMaker does BlueGreenUpdatePolicy only, not RollingUpdatePolicy.")
    if "BlueGreenUpdatePolicy" not in config:
        raise validation("DeploymentConfig needs a BlueGreenUpdatePolicy.")
    routing = config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    kind = routing["Type"]
    size = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    if size is None:
        return
    if size not in routing:
        raise validation(f"TrafficRoutingConfiguration of Type {kind} needs {size}.")
    share = _share(routing[size], instances)
    least = 0.1 if kind == "LINEAR" and routing[size]["Type"] == "CAPACITY_PERCENT" else 0.0
    if not least <= share <= 0.5:
        raise validation(
            f"{size} must be at most 50 percent of the endpoint's {instances} instance(s)"
            + (", and at least 10." if least else ".")
        )


def steps(config: Body, instances: int) -> Iterator[ShiftStep]:
    """The steps in order; the last gives the new fleet everything. No config is all at once without a wait."""
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    seconds = routing["WaitIntervalInSeconds"]
    if routing["Type"] == "CANARY":
        yield ShiftStep(_share(routing["CanarySize"], instances), seconds, "WaitIntervalInSeconds")
    if routing["Type"] == "LINEAR":
        one = _share(routing["LinearStepSize"], instances)
        share = one
        while share < 1.0 - 1e-9:
            yield ShiftStep(share, seconds, "WaitIntervalInSeconds")
            share += one
    yield ShiftStep(1.0, seconds, "WaitIntervalInSeconds")
    yield ShiftStep(1.0, policy.get("TerminationWaitInSeconds", 0), "TerminationWaitInSeconds")


def limit_seconds(config: Body) -> int:
    """How long the whole deployment may take before it is rolled back."""
    policy = config.get("BlueGreenUpdatePolicy", {})
    waits = sum(step.seconds for step in steps(config, 1)) if policy else 0
    return int(policy.get("MaximumExecutionTimeoutInSeconds", max(DEFAULT_LIMIT_SECONDS, 2 * waits)))


def alarms(config: Body) -> list[str]:
    """Names of the alarms that roll the deployment back."""
    return [alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", [])]


def _share(size: Body, instances: int) -> float:
    return float(size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else instances))

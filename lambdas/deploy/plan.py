"""What one run of the deploy workflow knows, handed from step to step as JSON.

model_package_arn   what the event was about          outcome        what the next Choice looks at:
target_arn          the version to make live            deploy        the target is to be made live
model, config       deterministic names, see below      nothing       no work: a logged success
endpoint            the one endpoint of the project     ok            this step is done
previous_config     what the endpoint used before       busy, wait    the endpoint is being updated
created_endpoint    this run created the endpoint       superseded    a later run took over
made                what this run created, for undoing  withdrawn     the approval was: the review decides again
poll_seconds        time until the next look            unwatched     live, and the monitor is not attached
deadline            when to give up, in epoch seconds   failed        error, cause say why
undo_deadline       the same for undoing a failed run   undone, stuck what became of a failed run's traces
scaling             what to say of the instance count
standing_alarms     of the endpoint, before the update
leftover            what could not be cleaned up
removed             versions that were taken away       remove        nothing may stay live; removed: it is done
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from lambdas import configuration
from lambdas.outcomes import FailedError

DeployPlan = dict[str, Any]
PACKAGE_ARN = re.compile(r"arn:aws[\w-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/([A-Za-z0-9-]{1,63})/([1-9]\d{0,8})")
VARIANT = "AllTraffic"  # the same in every configuration: blue/green updates require it
IN_FLIGHT = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass(frozen=True)
class Scaling:
    """How the instance count follows the traffic."""

    max_instances: int
    target_invocations: int
    scale_in_seconds: int


@dataclass(frozen=True)
class DeploySettings:
    """How the endpoint is hosted: from the function's environment, part of the configuration's name."""

    endpoint: str
    group: str
    role_arn: str
    instance_type: str
    instance_count: int
    capture_uri: str
    capture_percentage: int
    scaling: Scaling | None = None


def hosting() -> DeploySettings:
    """The hosting settings.

    Raises:
        FailedError: NotConfigured, with the name of the variable.
    """
    scaling = Scaling(
        max_instances=configuration.whole("MAX_INSTANCES", 0, least=0),
        target_invocations=configuration.whole("TARGET_INVOCATIONS", 6000),
        scale_in_seconds=configuration.whole("SCALE_IN_SECONDS", 300, least=0),
    )
    return DeploySettings(
        endpoint=configuration.endpoint_name(),
        group=configuration.required("MODEL_PACKAGE_GROUP"),
        role_arn=configuration.required("MODEL_ROLE_ARN"),
        instance_type=configuration.required("INSTANCE_TYPE"),
        instance_count=configuration.whole("INSTANCE_COUNT", 1),
        capture_uri=configuration.required("CAPTURE_URI"),
        capture_percentage=configuration.whole("CAPTURE_PERCENTAGE", 100, least=0),
        scaling=scaling if scaling.max_instances else None,
    )


def group_and_version(arn: str) -> tuple[str, int]:
    """Group and version in a model package's ARN.

    Raises:
        FailedError: BadRequest: it is no such ARN.
    """
    match = PACKAGE_ARN.fullmatch(arn)
    if not match:
        raise FailedError("BadRequest", f"{arn[:200]!r} is no ARN of a model package version.")
    return match[1], int(match[2])


def names(host: DeploySettings, target_arn: str) -> dict[str, str]:
    """Names of the target's model and endpoint configuration.

    The same version hosted in the same way has the same names, so that a repeated step finds what it made. At most
    40 + 2 + 9 + 1 + 8 characters, within SageMaker's 63.
    """
    group, version = group_and_version(target_arn)
    stem = f"{group[:40].rstrip('-')}-v{version}"
    how = asdict(host)
    if host.scaling is None:
        del how["scaling"]  # so that what was deployed before there was scaling keeps its name
    made_from = json.dumps([target_arn, how], sort_keys=True)
    return {
        "model": f"{stem}-{_digest(target_arn + host.role_arn)}",
        "config": f"{stem}-{_digest(made_from)}",
    }


def deadline() -> int:
    """When a run that starts now gives up, in epoch seconds."""
    return int(time.time()) + configuration.whole("DEPLOY_LIMIT_SECONDS", 3600)


def next_pause(plan: DeployPlan) -> int:
    """Seconds to the next look: 1, 2, 4, up to POLL_SECONDS. A deployment may take a second or ten minutes."""
    return min(2 * plan.get("poll_seconds", 0) or 1, configuration.whole("POLL_SECONDS", 15))


def expired(moment: int) -> bool:
    """Whether `moment`, in epoch seconds, has passed."""
    return time.time() > moment


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

"""Actions attach and detach: one schedule for the endpoint, with the baseline of the version that is live.

Two schedulers can run it. A SageMaker MonitoringSchedule is tried first: SageMaker shows its executions, and publishes
their metrics. Model Monitor has been closed to new customers since 2026-07-30; where SageMaker refuses, EventBridge
Scheduler starts the same job, and the record says why. Setting `monitor.scheduler` decides it instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lambdas.deploy.endpoint import described_endpoint, described_package
from lambdas.monitor import eventbridge, missing_runs, model_monitor
from lambdas.monitor.program import environment
from lambdas.monitor.watching import Watching, WatchRecord, attached, write_attached
from lambdas.outcomes import FailedError, OutcomeError, RetryableError
from lambdas.service_errors import THROTTLED, calling

MODEL_MONITOR, EVENTBRIDGE, ALARM = "model-monitor", "eventbridge", "alarm"
CHOSEN = "The setting monitor.scheduler says so."


def attach(
    plan: WatchRecord, host: Watching, sagemaker: Any, ssm: Any, scheduler: Any, cloudwatch: Any, function_arn: str
) -> WatchRecord:
    """Watch the version in the plan (target_arn, version, config); the schedule of the one before is its own from now.

    Raises:
        FailedError: SageMaker or EventBridge Scheduler refuses, and there is no other way.
    """
    live = described_endpoint(sagemaker, host.endpoint)
    if live is None or live["EndpointConfigName"] != plan["config"]:
        return {"outcome": "superseded", "message": f"Endpoint {host.endpoint} was changed by a later run."}
    record = {
        "version": plan["version"],
        "model_package_arn": plan["target_arn"],
        "endpoint": host.endpoint,
        "endpoint_config": plan["config"],
        **_baselines(described_package(sagemaker, plan["target_arn"]) or {}),
        "since": int(time.time()),
        "analysed_until": int(time.time()),
    }
    taken, why = _create_schedule(host, record, sagemaker, ssm, scheduler, function_arn)
    missing_runs.create_alarm(host, cloudwatch, only_with_traffic=taken == MODEL_MONITOR)
    write_attached(ssm, {**record, "scheduler": taken, "why": why})
    told = plan.get("message", f"Version {plan['version']} is watched.")
    unjudged = "" if record["statistics"] else " It was registered without a baseline: the monitor cannot judge it."
    return {"outcome": "ok", "monitor": {"scheduler": taken, "why": why}, "message": f"{told}{unjudged}"}


def detach(host: Watching, sagemaker: Any, ssm: Any, scheduler: Any, cloudwatch: Any) -> WatchRecord:
    """Watch nothing: no schedule is left, of either scheduler, and no alarm on its runs.

    One that is refused does not keep the others. What the record says is not there, but could not be asked for, is
    named; Model Monitor refuses the accounts that it is closed to.

    Raises:
        FailedError, RetryableError: what the record says is there could not be deleted, or may be there.
    """
    kept = attached(ssm).get("scheduler")
    deletions: dict[str, Callable[[], bool]] = {
        EVENTBRIDGE: lambda: eventbridge.delete_schedule(host, scheduler),
        MODEL_MONITOR: lambda: model_monitor.delete_schedule(host, sagemaker),
        ALARM: lambda: missing_runs.delete_alarm(host, cloudwatch),
    }
    ended, refused = dict[str, bool](), dict[str, OutcomeError]()
    for kind, delete in deletions.items():
        try:
            ended[kind] = delete()
        except OutcomeError as error:
            refused[kind] = error
    for kind, refusal in refused.items():
        if kind != MODEL_MONITOR or kept == MODEL_MONITOR or isinstance(refusal, RetryableError):
            raise refusal
    write_attached(ssm, {})
    were_there = ended.get(EVENTBRIDGE) or ended.get(MODEL_MONITOR)
    message = f"Schedule {host.schedule} is deleted." if were_there else f"There is no schedule {host.schedule}."
    unasked = "".join(f" Not asked: {refusal.problem}" for refusal in refused.values())
    return {"outcome": "ok", "message": f"{message}{unasked}"}


def detach_withdrawn(host: Watching, sagemaker: Any, ssm: Any, scheduler: Any, cloudwatch: Any) -> WatchRecord:
    """Watch the version no longer that lost its approval; one that a later run attached meanwhile is left alone."""
    watched = attached(ssm).get("model_package_arn")
    package = described_package(sagemaker, watched) if watched else None
    if watched is None or (package or {}).get("ModelApprovalStatus") == "Approved":
        return {"outcome": "superseded", "message": "No version that lost its approval is watched."}
    return detach(host, sagemaker, ssm, scheduler, cloudwatch)


def plan_of_live(ssm_value: WatchRecord, previous: WatchRecord) -> WatchRecord:
    """The plan for what is live, from the deploy workflow's parameter: to attach without a deployment.

    Raises:
        FailedError: NothingLive.
    """
    if "model_package_arn" not in ssm_value:
        raise FailedError("NothingLive", "No version is live; the deploy workflow attaches the monitor by itself.")
    message = f"Version {ssm_value['version']} is watched{' again' if previous else ''}."
    return {
        "target_arn": ssm_value["model_package_arn"],
        "version": ssm_value["version"],
        "config": ssm_value["endpoint_config"],
        "message": message,
    }


def _create_schedule(
    host: Watching, record: WatchRecord, sagemaker: Any, ssm: Any, scheduler: Any, function_arn: str
) -> tuple[str, str]:
    """Which scheduler runs it, and why that one. The other one's schedule is deleted: nothing runs twice."""
    why = CHOSEN
    if host.scheduler != EVENTBRIDGE:
        with calling(f"making monitoring schedule {host.schedule}"):
            try:
                model_monitor.create_schedule(host, sagemaker, record, environment(host, ssm, record))
            except ClientError as error:
                refusal = _refusal(error)
                if host.scheduler == MODEL_MONITOR or refusal is None:
                    raise
                why = refusal
            else:
                eventbridge.delete_schedule(host, scheduler)
                return MODEL_MONITOR, CHOSEN if host.scheduler == MODEL_MONITOR else "This account has Model Monitor."
    eventbridge.create_schedule(host, scheduler, function_arn)
    if attached(ssm).get("scheduler") == MODEL_MONITOR:
        model_monitor.delete_schedule(host, sagemaker)
    return EVENTBRIDGE, why


def _refusal(error: ClientError) -> str | None:
    """Why SageMaker will not make a monitoring schedule; None for trouble that may pass."""
    code = error.response["Error"].get("Code", "Unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLED or status >= 500:
        return None
    return f"SageMaker refused a monitoring schedule: {code}: {error.response['Error'].get('Message', 'no message')}"


def _baselines(package: dict[str, Any]) -> dict[str, str]:
    """Addresses of what the version was registered with: it is compared with itself."""
    baselines = package.get("DriftCheckBaselines", {})

    def uri(kind: str, part: str) -> str:
        return str(baselines.get(kind, {}).get(part, {}).get("S3Uri", ""))

    return {
        "statistics": uri("ModelDataQuality", "Statistics"),
        "constraints": uri("ModelDataQuality", "Constraints"),
        "quality": uri("ModelQuality", "Constraints"),
    }

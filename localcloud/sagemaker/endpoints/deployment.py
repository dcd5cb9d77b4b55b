"""Deployments: create, blue/green update, delete and start after a restart, each in a thread of its own.

An update starts the new (green) fleet beside the live (blue) one. Only when every green instance is healthy is it given
requests, in the steps of the DeploymentConfig; while it bakes, its health and the alarms are watched. Then blue
finishes what it works on and ends. Whatever goes wrong on the way, blue gets all requests back and green ends: the
endpoint is InService with its old configuration, and FailureReason says why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.endpoints import policy, records
from localcloud.sagemaker.endpoints.fleet import Fleet, FleetFailedError
from localcloud.sagemaker.endpoints.hosting import EndpointHosting, HostedEndpoint
from localcloud.sagemaker.endpoints.plan import EndpointPlan, from_body
from localcloud.sagemaker.endpoints.policy import ShiftStep
from localcloud.sagemaker.errors import own_fault
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import Body

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How often alarms are looked at."""

RESTARTED = "The update was cut off by a restart of the local SageMaker."


class StoppingError(Exception):
    """The server shuts down; the next one goes on from the record."""


class RolledBackError(Exception):
    """The update cannot go on; the argument is the FailureReason."""


def create(cloud: Cloud, name: str) -> None:
    """Bring the endpoint's Plan into service for the first time, in the background."""

    def work(hosted: HostedEndpoint) -> None:
        plan = records.running(existing(cloud, records.ENDPOINT, name))
        fleet = Fleet(cloud, name, plan, hosted.fleet_changed)
        try:
            records.pending(cloud, name, plan, time.time(), "Creating", _launching(plan), running=0)
            hosted.begin(fleet)
            fleet.wait_until_started(_stopping(cloud))
        except FleetFailedError as error:
            hosted.finish(fleet)
            never_up = {"ProductionVariants": None, "PendingDeploymentSummary": None}
            failed = {**records.live(plan), **never_up, "FailureReason": str(error)}
            records.change(cloud, name, "Failed", failed)
            return
        hosted.traffic.promote(fleet)
        records.change(cloud, name, "InService", {**records.live(plan), "FailureReason": None})

    _launch(cloud, name, work)


def update(cloud: Cloud, name: str, config: Body) -> None:
    """Bring the record's Next into service in place of its Plan, in the background, as the DeploymentConfig says."""

    def work(hosted: HostedEndpoint) -> None:
        found = existing(cloud, records.ENDPOINT, name)
        plan = from_body(found.body["Next"])
        green = Fleet(cloud, name, plan, hosted.fleet_changed)
        try:
            _bring_in(cloud, hosted, green, config)
        except (RolledBackError, FleetFailedError) as error:
            hosted.traffic.back()
            if green.started:  # it had requests, perhaps
                records.change(cloud, name, "RollingBack")
            green.drain()
            hosted.finish(green)
            reason = {"FailureReason": str(error), "PendingDeploymentSummary": None, "Next": None}
            records.change(cloud, name, "InService", reason)
            hosted.look()
            return
        blue = hosted.traffic.promote(green)
        if blue:
            blue.drain()
            hosted.finish(blue)
        hosted.hosting.capture.flush(name)
        done = {**records.live(plan), "FailureReason": None, "LastDeploymentConfig": config or None}
        records.change(cloud, name, "InService", done)
        hosted.look()

    _launch(cloud, name, work)


def delete(cloud: Cloud, name: str) -> None:
    """Take the endpoint out of service and forget it, in the background."""

    def work(hosted: HostedEndpoint) -> None:
        hosting = cloud.shared(EndpointHosting)
        hosting.retire(hosted)
        if fleet := hosted.traffic.live:
            fleet.drain()
            hosted.finish(fleet)
        hosting.capture.flush(name)
        found = existing(cloud, records.ENDPOINT, name)
        cloud.store.delete(records.KIND, name)
        hosting.forget(hosted)
        cloud.announce(News(records.KIND, name, "Deleted", found.status, described(found)))

    _launch(cloud, name, work)


def resume(cloud: Cloud, name: str, reason: str | None) -> None:
    """Start the processes of an endpoint that was in service when the server ended, in the background.

    `reason` becomes its FailureReason. It is InService when every instance is healthy; while one is not, its supervisor
    goes on trying, and the endpoint is OutOfService as it would be at any other time.
    """

    def work(hosted: HostedEndpoint) -> None:
        plan = records.running(existing(cloud, records.ENDPOINT, name))
        fleet = Fleet(cloud, name, plan, hosted.fleet_changed)
        hosted.traffic.promote(fleet)
        hosted.begin(fleet)
        try:
            fleet.wait_until_started(_stopping(cloud))
        except FleetFailedError as error:
            records.change(cloud, name, "OutOfService", {**records.live(plan), "FailureReason": str(error)})
        else:
            records.change(cloud, name, "InService", {**records.live(plan), "FailureReason": reason})
        hosted.look()

    _launch(cloud, name, work)


def _launch(cloud: Cloud, name: str, work: Callable[[HostedEndpoint], None]) -> None:
    hosted = cloud.shared(EndpointHosting).hosted(name)

    def run() -> None:
        try:
            with hosted.deploying:
                work(hosted)
        except StoppingError:
            log.info("endpoint %s: the server stops, the next one goes on", name)
        except Exception as error:
            log.exception("endpoint %s", name)
            if not cloud.stopping.is_set():  # the next server goes on from the record, whatever happened here
                _give_up(cloud, hosted, name, own_fault(error))

    hosted.thread = threading.Thread(target=run, name=f"deployment of {name}", daemon=True)
    hosted.thread.start()


def _give_up(cloud: Cloud, hosted: HostedEndpoint, name: str, why: str) -> None:
    """This server failed at it (its disk is full, say): nothing of a new fleet stays, and a live one keeps serving."""
    hosted.traffic.back()
    for fleet in hosted.fleets():
        if fleet is not hosted.traffic.live:
            hosted.finish(fleet)
    reason = {"FailureReason": why, "PendingDeploymentSummary": None, "Next": None}
    found = cloud.store.find(records.KIND, name)
    if found and found.status != "Deleting":  # a deletion is completed by the next start
        records.change(cloud, name, "InService" if hosted.traffic.live else "Failed", reason)


def _bring_in(cloud: Cloud, hosted: HostedEndpoint, green: Fleet, config: Body) -> None:
    """Start the green fleet, shift the requests to it step by step, and watch it.

    Raises:
        RolledBackError, FleetFailedError, StoppingError: as said there.
    """
    began, plan = time.time(), green.plan
    deadline = time.monotonic() + policy.limit_seconds(config)
    alarms = policy.alarms(config)

    def show(status: str, message: str, running: int) -> None:
        records.pending(cloud, hosted.name, plan, began, status, message, running=running)

    def in_time() -> None:
        _stopping(cloud)()
        if time.monotonic() > deadline:
            raise RolledBackError(f"The deployment took longer than {policy.limit_seconds(config)} seconds.")

    show("Creating", _launching(plan), 0)
    hosted.begin(green)
    green.wait_until_started(in_time)
    for step in policy.steps(config, plan.instances):
        active = max(1, round(step.share * plan.instances))
        capacity = f"{'full' if step.share >= 1 else 'canary'} capacity of {active} instance(s)"
        show("ActivatingTraffic", f"Activating traffic on {capacity}.", active)
        hosted.traffic.shift(green, step.share)
        if step.seconds:
            show(
                "Baking",
                f"Baking for {step.seconds} seconds ({step.waiting}) with traffic enabled on {capacity}.",
                active,
            )
        _bake(cloud, green, step, alarms, in_time)


def _bake(cloud: Cloud, green: Fleet, step: ShiftStep, alarms: list[str], in_time: Callable[[], None]) -> None:
    end = time.monotonic() + step.seconds
    while True:
        in_time()
        if not green.serving or green.failures:
            raise RolledBackError(f"An instance of the new fleet failed while it was watched: {green.problem}")
        if step.seconds and (tripped := _in_alarm(cloud, alarms)):
            raise RolledBackError(f"Deployment rolled back: alarm(s) in state ALARM: {', '.join(tripped)}")
        left = end - time.monotonic()
        if left <= 0:
            return
        cloud.stopping.wait(min(left, LOOK_SECONDS))


def _in_alarm(cloud: Cloud, names: list[str]) -> list[str]:
    """Those of the alarms that are in ALARM; one that does not exist (any more) or lacks data is not."""
    if not names:
        return []
    try:
        found = cloud.aws("cloudwatch").describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    except (BotoCoreError, ClientError) as error:
        raise RolledBackError(f"The alarms {', '.join(names)} cannot be looked at: {error}") from None
    alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
    return sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")


def _stopping(cloud: Cloud) -> Callable[[], None]:
    def check() -> None:
        if cloud.stopping.is_set():
            raise StoppingError

    return check


def _launching(plan: EndpointPlan) -> str:
    return f"Launching {plan.instances} instance(s)."

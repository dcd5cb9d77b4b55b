"""Monitoring schedules and their executions."""

from __future__ import annotations

import time
from typing import Any

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import in_use, validation
from localcloud.sagemaker.monitoring import cron as schedule_times
from localcloud.sagemaker.monitoring import executions
from localcloud.sagemaker.monitoring.definitions import check, of_schedule
from localcloud.sagemaker.monitoring.executions import SCHEDULE
from localcloud.sagemaker.operations.listing import PAGE_SIZE, page, position, seconds
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body, Resource

MOST_SECONDS_HOURLY = 3600
"""An hourly execution must be over before the next one."""
SORT_KEYS = {
    "ScheduledTime": "ScheduledTime",
    "CreationTime": "CreationTime",
    "Status": "MonitoringExecutionStatus",
}


@operation("CreateMonitoringSchedule")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add a schedule; it is Scheduled at once."""
    name = request["MonitoringScheduleName"]
    arn = cloud.arn(f"monitoring-schedule/{name}")
    body = {
        "MonitoringScheduleName": name,
        "MonitoringScheduleArn": arn,
        "MonitoringScheduleStatus": "Scheduled",
        **_configured(cloud, request["MonitoringScheduleConfig"], time.time()),
    }
    try:
        made = cloud.store.insert(SCHEDULE.name, name, body, arn=arn, status="Scheduled")
    except AlreadyExistsError:
        raise in_use(f"Monitoring schedule names must be unique, and {arn} already exists.") from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    cloud.announce(News(SCHEDULE.name, name, "Scheduled", "", made.body))
    return {"MonitoringScheduleArn": arn}


@operation("DescribeMonitoringSchedule")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The schedule, and its latest execution that has ended."""
    found = existing(cloud, SCHEDULE, request["MonitoringScheduleName"])
    return described(found)


@operation("UpdateMonitoringSchedule")
def update(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Replace what the schedule does and when. An execution under way goes on as it began."""
    found = existing(cloud, SCHEDULE, request["MonitoringScheduleName"])
    changes = _configured(cloud, request["MonitoringScheduleConfig"], time.time())
    if changes["AnalysedUntil"] is not None and found.body.get("AnalysedUntil") is not None:
        del changes["AnalysedUntil"]  # what was not analysed yet still will be, by the new definition
    new = cloud.store.update(SCHEDULE.name, found.name, lambda old: {**old, "Offsets": {}, **changes})
    cloud.announce(News(SCHEDULE.name, found.name, new.status, found.status, new.body))
    return {"MonitoringScheduleArn": found.arn}


@operation("ListMonitoringAlerts")
def list_alerts(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The alerts of a schedule: it has none here; alarms on the metrics of its executions work."""
    existing(cloud, SCHEDULE, request["MonitoringScheduleName"])
    return {"MonitoringAlertSummaries": []}


@operation("StartMonitoringSchedule")
def start(cloud: Cloud, request: dict[str, Any]) -> None:
    """Go on with a stopped schedule, from now: what was captured while it was stopped stays unanalysed."""
    found = existing(cloud, SCHEDULE, request["MonitoringScheduleName"])
    if found.status != "Scheduled":
        config = found.body["MonitoringScheduleConfig"]["ScheduleConfig"]
        _set_status(cloud, found, "Scheduled", _beginning(config["ScheduleExpression"], time.time()))


@operation("StopMonitoringSchedule")
def stop(cloud: Cloud, request: dict[str, Any]) -> None:
    """Begin no more executions."""
    _set_status(cloud, existing(cloud, SCHEDULE, request["MonitoringScheduleName"]), "Stopped", {})


@operation("DeleteMonitoringSchedule")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget the schedule; the history of its executions stays."""
    found = existing(cloud, SCHEDULE, request["MonitoringScheduleName"])
    cloud.store.delete(SCHEDULE.name, found.name)
    cloud.announce(News(SCHEDULE.name, found.name, "Deleted", found.status, found.body))


@operation("ListMonitoringSchedules")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Schedules, newest first unless asked otherwise."""
    wanted = {
        "EndpointName": request.get("EndpointName"),
        "MonitoringJobDefinitionName": request.get("MonitoringJobDefinitionName"),
        "MonitoringType": request.get("MonitoringTypeEquals"),
    }
    answer = page(cloud, request, SCHEDULE.name, _summary, answer="MonitoringScheduleSummaries", descending=True)
    kept = [one for one in answer["MonitoringScheduleSummaries"] if _matches(one, wanted)]
    return {**answer, "MonitoringScheduleSummaries": kept}


@operation("ListMonitoringExecutions")
def list_executions(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Executions, the latest first unless asked otherwise."""
    wanted = {
        "EndpointName": request.get("EndpointName"),
        "MonitoringJobDefinitionName": request.get("MonitoringJobDefinitionName"),
        "MonitoringType": request.get("MonitoringTypeEquals"),
        "MonitoringExecutionStatus": request.get("StatusEquals"),
    }
    everything = cloud.store.page(executions.KIND, parent=request.get("MonitoringScheduleName"))[0]
    found = [executions.summary(one) for one in everything if _matches(one.body, wanted)]
    for member in ("ScheduledTime", "CreationTime", "LastModifiedTime"):
        after, before = (seconds(request.get(f"{member}{edge}")) for edge in ("After", "Before"))
        found = [one for one in found if (after or 0) <= one[member] <= (before or float("inf"))]
    by = SORT_KEYS[request.get("SortBy", "ScheduledTime")]
    descending = request.get("SortOrder", "Descending") == "Descending"
    found.sort(key=lambda one: (one[by], one["CreationTime"]), reverse=descending)
    begin = position(request.get("NextToken", "0"))
    end = begin + request.get("MaxResults", PAGE_SIZE)
    answer: dict[str, Any] = {"MonitoringExecutionSummaries": found[begin:end]}
    return {**answer, "NextToken": str(end)} if end < len(found) else answer


def monitored(cloud: Cloud, endpoint: str) -> list[str]:
    """Names of the schedules that monitor an endpoint."""
    return [one.name for one in cloud.store.page(SCHEDULE.name)[0] if one.body["EndpointName"] == endpoint]


def _configured(cloud: Cloud, config: Body, now: float) -> Body:
    """The members of the record that follow from a MonitoringScheduleConfig.

    Raises:
        ServiceError: what it asks for is refused.
    """
    if "ScheduleConfig" not in config:
        raise validation("MonitoringScheduleConfig must have a ScheduleConfig.")
    expression = config["ScheduleConfig"]["ScheduleExpression"]
    definition = of_schedule(cloud, config)
    check(definition, cloud)
    longest = (definition.body.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", 0)
    if expression == schedule_times.NOW:
        edges = [config["ScheduleConfig"].get(f"DataAnalysis{edge}Time") for edge in ("Start", "End")]
        if None in edges:
            raise validation("The expression NOW needs DataAnalysisStartTime and DataAnalysisEndTime.")
        if schedule_times.offset(edges[0]) >= schedule_times.offset(edges[1]):
            raise validation("DataAnalysisStartTime must be before DataAnalysisEndTime.")
    elif len(schedule_times.hours(expression)) == 24 and longest > MOST_SECONDS_HOURLY:
        raise validation(f"MaxRuntimeInSeconds of an hourly schedule must not exceed {MOST_SECONDS_HOURLY}.")
    return {
        "MonitoringScheduleConfig": config,
        "MonitoringType": definition.kind,
        "EndpointName": definition.endpoint,
        **_offsets(definition.input),
        **_beginning(expression, now),
    }


def _offsets(source: Body) -> Body:
    start, end = source.get("StartTimeOffset"), source.get("EndTimeOffset")
    if not (start and end):
        return {}
    if schedule_times.offset(start) >= schedule_times.offset(end):
        raise validation("StartTimeOffset must be before EndTimeOffset.")
    return {"Offsets": {"start": start, "end": end}}


def _beginning(expression: str, now: float) -> Body:
    """From when on there is something to analyse: the hour that is not over yet, or the one run of NOW."""
    if expression == schedule_times.NOW:
        return {"Since": now, "AnalysedUntil": None}
    return {"Since": now, "AnalysedUntil": schedule_times.latest(expression, now)}


def _set_status(cloud: Cloud, found: Resource, status: str, changes: Body) -> None:
    new = cloud.store.update(SCHEDULE.name, found.name, {**changes, "MonitoringScheduleStatus": status}, status=status)
    cloud.announce(News(SCHEDULE.name, found.name, status, found.status, new.body))


def _summary(resource: Resource) -> Body:
    config = resource.body["MonitoringScheduleConfig"]
    named = {"MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName")}
    return {**described(resource), **named}


def _matches(body: Body, wanted: Body) -> bool:
    return all(value is None or body.get(member) == value for member, value in wanted.items())

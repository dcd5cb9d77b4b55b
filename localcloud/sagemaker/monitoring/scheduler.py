"""One thread that starts the executions that are due and notes how they end.

All it knows is in the store. `AnalysedUntil` of a schedule is the end of the last window that an execution got through;
what lies between it and the latest time at which the schedule runs is due, as one execution. So hours that passed while
this server was off are caught up once, an execution that a crash cut off is done again, and a schedule's executions
never overlap: while one runs, no other begins, and the one after it covers the time that has passed.
"""

from __future__ import annotations

import logging
import threading
import time

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.monitoring import cron, executions
from localcloud.sagemaker.monitoring.cron import DELAY_SECONDS, NOW
from localcloud.sagemaker.monitoring.executions import SCHEDULE
from localcloud.sagemaker.monitoring.request import AnalysisWindow
from localcloud.sagemaker.store import Body, MissingError, Resource

log = logging.getLogger(__name__)
LONGEST_WAIT = 60.0


class Scheduler:
    """The thread. `step` is what it does, for one moment."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first step catches up."""
        self._thread = threading.Thread(target=self._live, name="monitoring schedules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, after `cloud.stopping` is set. Executions under way are the jobs' business."""
        with self._cloud.changed:
            self._cloud.announced += 1
            self._cloud.changed.notify_all()
        if self._thread:
            self._thread.join(LONGEST_WAIT)

    def _live(self) -> None:
        while not self._cloud.stopping.is_set():
            seen = self._cloud.announced
            try:
                wait = step(self._cloud, time.time())
            except Exception:
                log.exception("monitoring schedules; again in %.0f s", LONGEST_WAIT)
                wait = LONGEST_WAIT
            self._cloud.wait_for_news(seen, wait)


def step(cloud: Cloud, now: float) -> float:
    """Settle what has ended and start what is due at `now`; seconds until something may be due again."""
    busy = set()
    for execution in cloud.store.page(executions.KIND, statuses=(executions.RUNNING,))[0]:
        ended = executions.settle(cloud, execution)
        if ended is None:
            busy.add(execution.parent)
        else:
            _note(cloud, ended)
    waits = [
        _attend(cloud, schedule, now)
        for schedule in cloud.store.page(SCHEDULE.name, statuses=("Scheduled",))[0]
        if schedule.name not in busy
    ]
    return min([LONGEST_WAIT, *waits])


def _attend(cloud: Cloud, schedule: Resource, now: float) -> float:
    """Start a schedule's execution if one is due; seconds until the next one is."""
    due = window(schedule, now)
    if due is not None:
        begun = executions.begin(cloud, schedule, *due)
        if begun.status != executions.RUNNING:
            _note(cloud, begun)
        return LONGEST_WAIT
    expression = _expression(schedule)
    return LONGEST_WAIT if expression == NOW else cron.following(expression, now - DELAY_SECONDS) + DELAY_SECONDS - now


def window(schedule: Resource, now: float) -> tuple[float, AnalysisWindow] | None:
    """The time for which an execution is due at `now`, and what it analyses; None when none is due."""
    expression, until = _expression(schedule), schedule.body.get("AnalysedUntil")
    config = schedule.body["MonitoringScheduleConfig"]["ScheduleConfig"]
    if expression == NOW:
        if until is not None:
            return None
        moment = schedule.body["Since"]
        start, end = (cron.offset(config[f"DataAnalysis{edge}Time"]) for edge in ("Start", "End"))
        return moment, AnalysisWindow(moment + start, moment + end)
    moment = cron.latest(expression, now - DELAY_SECONDS)
    if until is None or moment <= until:
        return None
    offsets: Body = schedule.body.get("Offsets", {})
    if offsets:
        return moment, AnalysisWindow(moment + cron.offset(offsets["start"]), moment + cron.offset(offsets["end"]))
    return moment, AnalysisWindow(until, moment)


def _note(cloud: Cloud, ended: Resource) -> None:
    """Keep with its schedule how an execution ended and, unless a crash cut it off, that its window is done."""
    schedule = cloud.store.find(SCHEDULE.name, ended.parent)
    if schedule is None:
        return  # deleted meanwhile; the history stays
    changes: Body = {"LastMonitoringExecutionSummary": executions.summary(ended)}
    once = _expression(schedule) == NOW
    if not executions.cut_off(ended):
        changes["AnalysedUntil"] = ended.body["ScheduledTime"]
        if once:
            changes["MonitoringScheduleStatus"] = "Stopped"
    try:
        status = changes.get("MonitoringScheduleStatus")
        cloud.store.update(SCHEDULE.name, schedule.name, changes, status=status)
    except MissingError:
        log.info("schedule %s was deleted while its execution ended", schedule.name)


def _expression(schedule: Resource) -> str:
    return str(schedule.body["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"])

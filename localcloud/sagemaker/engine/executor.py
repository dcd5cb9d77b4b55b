"""One pipeline execution, from its first step to its last, in a thread of its own.

Steps start in order of their dependencies, as many at once as the execution's parallelism allows. When one fails, those
that run are waited for and no more are started, except for those that follow: run_conditions.py. A Fail step waits for
the running ones too. A step that is never reached has no record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import conditions, graph, parameters, records, run_conditions, selection
from localcloud.sagemaker.engine.activities import ACTIVITIES, StepActivity
from localcloud.sagemaker.engine.definition import RunnableStep
from localcloud.sagemaker.engine.expressions import ExpressionError, as_text, resolve
from localcloud.sagemaker.engine.outcomes import Outcomes
from localcloud.sagemaker.errors import own_fault

log = logging.getLogger(__name__)
PARALLEL_STEPS = 50
"""Without a ParallelismConfiguration."""
LONGEST_PAUSE = 2.0
"""Seconds after which the state of the jobs is looked at even if there were no news."""
FAILURE = "Step failure: One or multiple steps failed."


def launch(cloud: Cloud, execution_id: str, resumed: bool = False) -> None:
    """Run an execution, whose record is Executing, in a thread.

    What has failed is tried again, unless the execution is `resumed` after a restart of the server.
    """
    words = (cloud, execution_id, resumed)
    thread = threading.Thread(target=_live, args=words, name=f"execution {execution_id}", daemon=True)
    cloud.executions[execution_id] = thread
    thread.start()


def _live(cloud: Cloud, execution_id: str, resumed: bool) -> None:
    try:
        PipelineRun(cloud, execution_id, resumed).play()
    except Exception as error:
        log.exception("pipeline execution %s", execution_id)
        if not cloud.stopping.is_set():
            records.interrupt(cloud, execution_id, own_fault(error))
    finally:
        if cloud.executions.get(execution_id) is threading.current_thread():
            del cloud.executions[execution_id]


class PipelineRun:
    """What the thread of an execution knows: which steps run, and how those that have ended did."""

    def __init__(self, cloud: Cloud, execution_id: str, resumed: bool) -> None:
        self.cloud = cloud
        self.resumed = resumed
        self.run = records.execution(cloud, execution_id)
        self.definition = graph.parse(records.definition_text(cloud, self.run))
        self.following = run_conditions.following(self.definition)
        self.selected = selection.names(self.run.body.get("SelectiveExecutionConfig"))
        values = parameters.values(self.definition.parameters, self.run.body["GivenParameters"])
        self.outcomes = Outcomes(cloud, self.run, self.definition, values)
        self.active: dict[str, StepActivity] = {}
        self.failing: list[RunnableStep] = []
        self.ended: dict[str, str] = {}
        self.cut_short: set[str] = set()
        self.timed_out = False

    def play(self) -> None:
        """Run to the end, or until the server stops."""
        self._take_up()
        while not self.cloud.stopping.is_set():
            seen = self.cloud.announced
            stopping = records.execution(self.cloud, self.run.name).status == "Stopping"
            for name, activity in list(self.active.items()):
                self._go_on(name, partial(activity.look, stopping))
            if not stopping:
                self._start_ready()
            if not self.active:
                self._finish(stopping)
                return
            self.cloud.wait_for_news(seen, self._pause())

    def _take_up(self) -> None:
        """Keep what earlier runs of this execution finished, and go on with jobs that still run."""
        for name, record in records.steps(self.cloud, self.run.name).items():
            step = self.definition.steps[name]
            if record.status == "Succeeded" or (self.resumed and record.status == "Failed"):
                self.ended[name] = record.status
            elif step.type in ACTIVITIES:
                activity = ACTIVITIES[step.type](self.outcomes, step)
                status = activity.take_up(record.body)
                if status is None:
                    self.active[name] = activity
                elif status == "Succeeded":
                    self.ended[name] = "Succeeded"
        for name in run_conditions.to_follow_again(self.definition, self.ended):
            del self.ended[name]

    def _start_ready(self) -> None:
        limit = records.execution(self.cloud, self.run.name).body.get("ParallelismConfiguration") or {}
        most = limit.get("MaxParallelExecutionSteps", PARALLEL_STEPS)
        while not self.failing:
            only = self.following if "Failed" in self.ended.values() else self.definition.steps
            ready = [step for step in self.definition.steps.values() if step.name in only and self._is_ready(step)]
            if not ready or len(self.active) >= most:
                return
            self._start(ready[0])

    def _is_ready(self, step: RunnableStep) -> bool:
        if step.name in self.ended or step.name in self.active:
            return False
        if self.selected is not None and step.name not in self.selected:
            return False
        if not run_conditions.let(step, self._ends()):
            return False
        return not step.parent or self.outcomes.properties(step.parent)["Outcome"] == step.branch

    def _start(self, step: RunnableStep) -> None:
        shown = {"StepDisplayName": step.display_name, "StepDescription": step.description, "StepType": step.type}
        records.begin_step(self.cloud, self.run, step.name, shown)
        if step.type == "Fail":
            records.change_step(self.cloud, self.run.name, step.name, "Executing")
            self.failing.append(step)
        elif step.type == "Condition":
            self._go_on(step.name, partial(self._decide, step))
        else:
            activity = ACTIVITIES[step.type](self.outcomes, step)
            self.active[step.name] = activity
            self._go_on(step.name, activity.begin)

    def _decide(self, step: RunnableStep) -> str:
        scope = self.outcomes.scope()
        try:
            outcome = conditions.satisfied(step.arguments["Conditions"], lambda value: resolve(value, scope))
        except ExpressionError as error:
            return self._fail(step.name, str(error))
        metadata = {"Condition": {"Outcome": str(outcome)}}
        return self._end(step.name, "Succeeded", Outcome=outcome, Metadata=metadata)

    def _finish(self, stopping: bool) -> None:
        """Nothing runs any more, and nothing can start."""
        for step in self.failing:
            self._note(step.name, self._end(step.name, "Stopped") if stopping else self._end_fail_step(step))
        ends = self.ended.values()
        status = "Failed" if "Failed" in ends else "Succeeded"
        if status == "Failed" and not self.failing and run_conditions.followed(self.definition, self._ends()):
            status = records.WITH_FAILURES
        if stopping and not self.timed_out:
            status = "Stopped"
        members = {"FailureReason": self._failure()} if "Failed" in ends and status != "Stopped" else {}
        records.change_execution(self.cloud, self.run.name, status, **members)

    def _ends(self) -> dict[str, str]:
        """How the steps ended, as triggers see it: one whose job somebody stopped is Stopped."""
        return {**self.ended, **dict.fromkeys(self.cut_short, "Stopped")}

    def _end_fail_step(self, step: RunnableStep) -> str:
        try:
            message = as_text(resolve(step.arguments.get("ErrorMessage", ""), self.outcomes.scope()))
        except ExpressionError as error:
            message = str(error)
        return self._fail(step.name, message, Metadata={"Fail": {"ErrorMessage": message}})

    def _failure(self) -> str:
        """AWS's sentence, and what the failed steps said."""
        found = records.steps(self.cloud, self.run.name)
        failed = [name for name, status in self.ended.items() if status == "Failed"]
        return " ".join([FAILURE, *(f"{name}: {found[name].body.get('FailureReason') or 'failed'}" for name in failed)])

    def _fail(self, name: str, reason: str, **members: Any) -> str:
        return self._end(name, "Failed", FailureReason=reason or None, **members)

    def _end(self, name: str, status: str, **members: Any) -> str:
        records.change_step(self.cloud, self.run.name, name, status, **members)
        return status

    def _go_on(self, name: str, act: Callable[[], str | None]) -> None:
        """Do the next thing for a step; an error of our own code fails the step, and no other try would help."""
        try:
            status = act()
        except Exception as error:
            if self.cloud.stopping.is_set():  # the store may be closed: the next server goes on
                raise
            log.exception("step %s of pipeline execution %s", name, self.run.name)
            status = self._fail(name, own_fault(error))
        self._note(name, status)

    def _note(self, name: str, status: str | None) -> None:
        if status:
            activity = self.active.pop(name, None)
            self.timed_out |= bool(activity and activity.timed_out)
            if activity and activity.cut_short:
                self.cut_short.add(name)
            self.ended[name] = status

    def _pause(self) -> float:
        waits = [activity.retry_at - time.monotonic() for activity in self.active.values() if activity.retry_at]
        return max(0.0, min([LONGEST_PAUSE, *waits]))

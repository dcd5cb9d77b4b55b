"""Executions that an end of the server cut off.

Steps whose work goes on elsewhere, or goes on with the next server, are taken up again; everything else has ended with
the server. Unfinished steps keep the names of their jobs, so that a retry can tell which of those jobs have finished.
"""

from __future__ import annotations

import logging
import time

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import executor, records
from localcloud.sagemaker.store import Resource

log = logging.getLogger(__name__)
RESTARTED = "the local SageMaker was restarted; retry the execution"
OUTLIVES = ("Callback", "Tuning", "Endpoint", "Condition", "Fail")
"""Types of steps that wait for what a restart does not end."""
_LONGEST_WAIT = 10.0


def recover(cloud: Cloud) -> None:
    """Go on with executions that only wait; mark the others that the last server left running as failed.

    For the server's start, after the jobs were recovered.
    """
    for run in cloud.store.page(records.EXECUTION, statuses=records.UNFINISHED)[0]:
        if _only_waits(cloud, run):
            log.warning("pipeline execution %s goes on after a restart", run.name)
            executor.launch(cloud, run.name, resumed=True)
            continue
        log.warning("pipeline execution %s was cut off by a restart", run.name)
        records.interrupt(cloud, run.name, RESTARTED)


def _only_waits(cloud: Cloud, run: Resource) -> bool:
    """Whether all its unfinished steps, of which there are some, outlive a server."""
    steps = records.steps(cloud, run.name).values()
    unfinished = [step for step in steps if step.status not in records.ENDED]
    return bool(unfinished) and all(step.body["StepType"] in OUTLIVES for step in unfinished)


def shut_down(cloud: Cloud) -> None:
    """Wait until no thread runs an execution. For the server's end, after `cloud.stopping` is set.

    The executions stay as they are in the store, for `recover` at the next start.
    """
    cloud.wake()
    deadline = time.monotonic() + _LONGEST_WAIT
    for thread in list(cloud.executions.values()):
        thread.join(max(0.0, deadline - time.monotonic()))

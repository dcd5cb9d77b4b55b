"""Executions that end before their last step: the server was killed, stopped, or failed.

Their unfinished steps keep the names of their jobs, so that a retry can tell which of those jobs have finished.
"""

from __future__ import annotations

import logging
import time

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import records

log = logging.getLogger(__name__)
RESTARTED = "the local SageMaker was restarted; retry the execution"
_LONGEST_WAIT = 10.0


def recover(cloud: Cloud) -> None:
    """Mark what the last server left running as failed. For the server's start, after the jobs were recovered."""
    for run in cloud.store.page(records.EXECUTION, statuses=records.UNFINISHED)[0]:
        log.warning("pipeline execution %s was cut off by a restart", run.name)
        interrupt(cloud, run.name, RESTARTED)


def interrupt(cloud: Cloud, execution_id: str, reason: str) -> None:
    """End an execution as Failed (as Stopped, if it was stopping), and its unfinished steps likewise."""
    status = "Stopped" if records.execution(cloud, execution_id).status == "Stopping" else "Failed"
    for name, step in records.steps(cloud, execution_id).items():
        if step.status not in records.ENDED:
            records.change_step(cloud, execution_id, name, status, FailureReason=reason)
    records.change_execution(cloud, execution_id, status, FailureReason=reason)


def shut_down(cloud: Cloud) -> None:
    """Wait until no thread runs an execution. For the server's end, after `cloud.stopping` is set.

    The executions stay as they are in the store, for `recover` at the next start.
    """
    with cloud.changed:
        cloud.announced += 1
        cloud.changed.notify_all()
    deadline = time.monotonic() + _LONGEST_WAIT
    for thread in list(cloud.executions.values()):
        thread.join(max(0.0, deadline - time.monotonic()))

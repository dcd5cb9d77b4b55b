"""A training job's RetryStrategy: what the service itself did wrong is tried again, the program's own failures are not.

The API reference: the job is retried "when the job fails due to an InternalServerError", and its SecondaryStatus is
then STARTING. Every `@step` function sends one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from localcloud.sagemaker.cloud import News
from localcloud.sagemaker.jobs.job_types import secondary
from localcloud.sagemaker.jobs.lifecycle import SERVICE_FAULTS, JobFailedError, JobRun
from localcloud.sagemaker.store import Body

log = logging.getLogger(__name__)
BLAME = "InternalServerError"


def _starting(record: Body, message: str) -> Body:
    return {**record, **secondary(record, "Starting", message)}


def run_with_retries(job: JobRun, attempt: Callable[[JobRun], None]) -> None:
    """Make attempts until one succeeds, fails for another reason, or the last one is made; its error is raised.

    Every attempt begins with empty folders; the logs go on.
    """
    left = int(job.request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0))
    while True:
        try:
            attempt(job)
            return
        except (JobFailedError, *SERVICE_FAULTS) as error:
            mine = not isinstance(error, JobFailedError) or str(error).startswith(BLAME)
            if not left or not mine or job.interruption.event.is_set():
                raise
            left -= 1
            log.warning("%s is tried again, %d more times at most: %s", job.name, left, error)
            for host in job.hosts:
                host.make(again=True)
            new = job.record(partial(_starting, message=f"Retrying the training job after: {error}"))
            job.cloud.announce(News(job.kind.name, job.name, new.status, new.status, new.body))

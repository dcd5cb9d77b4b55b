"""A job's record and its thread: begin, change of status, stop, end, and what is left after a crash.

InProgress ──► Completed        everything is uploaded
    │  └─────► Failed           the program, the data or this server failed
    └► Stopping ──► Stopped     somebody stopped it (or, from InProgress, its time was over)
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnectionError

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError, in_use, not_found, own_fault, validation
from localcloud.sagemaker.jobs.child import GRACE_SECONDS, end_leftovers
from localcloud.sagemaker.jobs.failure_reasons import out_of_memory_kills
from localcloud.sagemaker.jobs.folder import FAILURE_CHARACTERS, Folder, folder
from localcloud.sagemaker.jobs.instances import hosts, require_instances
from localcloud.sagemaker.jobs.interruption import MAX_RUNTIME_EXCEEDED, STOPPED, InterruptedJobError, Interruption
from localcloud.sagemaker.jobs.job_types import KINDS, UNFINISHED, JobType
from localcloud.sagemaker.jobs.log_shipping import ship_job_logs
from localcloud.sagemaker.jobs.transfer import DownloadError
from localcloud.sagemaker.models import MODEL
from localcloud.sagemaker.resources import existing
from localcloud.sagemaker.store import AlreadyExistsError, Body, MissingError, Resource

log = logging.getLogger(__name__)
RESTARTED = "InternalServerError: the local SageMaker was restarted while this job ran. Start the job again."

SERVICE_FAULTS = (NoConnectionError, HTTPClientError, IncompleteReadError, OSError)
"""What the machine or a service of the local cloud did, and may not do again. Any other error is our own code's."""


class JobFailedError(Exception):
    """The job ends as Failed; the argument is its FailureReason."""


@dataclass
class JobRun:
    """A job that runs now."""

    cloud: Cloud
    kind: JobType
    name: str
    arn: str
    request: Body
    folder: Folder
    work: Callable[[JobRun], None]
    interruption: Interruption = field(default_factory=Interruption)
    thread: threading.Thread | None = None
    kills_before: int = field(default_factory=out_of_memory_kills)

    @property
    def role(self) -> str:
        """The role of the job, or of a transform job's model."""
        if model := self.request.get("ModelName"):
            found = self.cloud.store.find(MODEL.name, model)
            return str(found.body.get("ExecutionRoleArn", "")) if found else ""
        return str(self.request.get("RoleArn", ""))

    @property
    def hosts(self) -> list[Folder]:
        """The folders of its instances, algo-1's first, which is `folder`."""
        return [self.folder.of_host(host) for host in hosts(self.request)]

    @property
    def s3(self) -> Any:
        """S3, in the name of the job's role."""
        return self.cloud.aws("s3", self.role)

    def record(self, change: Body | Callable[[Body], Body]) -> Resource:
        """Change the job's record, but not its status."""
        return self.cloud.store.update(self.kind.name, self.name, change)

    def say(self, text: str, host: Folder | None = None) -> None:
        """Add a line to the job's log, or that of a further instance, in the form of the service's own lines."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        with (host or self.folder).log.open("a", encoding="utf-8") as log_file:
            log_file.write(f"{now}:[sagemaker logs]: {text}\n")

    def may_use_network(self, isolated: object) -> bool:
        """Whether the job's program has a network: not when it is to be isolated, if this machine can do that."""
        if isolated and not self.folder.private:
            self.say("EnableNetworkIsolation has no effect: this machine gives jobs no view of their own.")
        return not isolated

    @contextmanager
    def limited(self, default_seconds: int) -> Iterator[None]:
        """Interrupt the job if the block lasts longer than its StoppingCondition (or the default) allows."""
        seconds = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", default_seconds)
        timer = threading.Timer(seconds, self.interruption.ask, (MAX_RUNTIME_EXCEEDED,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def begin(cloud: Cloud, kind: JobType, request: Body, work: Callable[[JobRun], None], parent: str = "") -> str:
    """Write the job's record, start its thread and return its ARN.

    `request` is the checked request of the Create operation, which becomes the record; `work` does what the job does
    and returns when everything is uploaded; `parent` is the name of the tuning job that starts it, if one does.

    Raises:
        ServiceError: ResourceInUse; there is a job of that name. ValidationException; it has too many instances.
    """
    require_instances(request, cloud.isolation)
    name = request[f"{kind.name}Name"]
    arn = cloud.arn(f"{kind.arn}/{name}")
    body = {**request, f"{kind.name}Arn": arn, kind.status: "InProgress", **kind.follow({}, "InProgress", {})}
    try:
        resource = cloud.store.insert(kind.name, name, body, arn=arn, parent=parent, status="InProgress")
    except AlreadyExistsError:
        raise in_use(f"{kind.taken} ({arn})") from None
    own = folder(cloud.folder, kind.name, name, cloud.isolation.private)
    job = JobRun(cloud, kind, name, arn, request, own, work)
    job.thread = threading.Thread(target=_live, args=(job,), name=f"{kind.name} {name}", daemon=True)
    cloud.jobs[arn] = job
    cloud.announce(News(kind.name, name, "InProgress", "", resource.body))
    job.thread.start()
    return arn


def _live(job: JobRun) -> None:
    status, reason = "Failed", ""
    try:
        for host in job.hosts:
            host.make()
        job.record({f"{job.kind.stage}StartTime": time.time()})
        with ship_job_logs(job.cloud, job.kind.name, job.name, {host.host: host.log for host in job.hosts}):
            status, reason = _outcome(job)
        if status == "Completed":
            job.folder.remove_all_but_log()
        else:
            job.folder.remove_throwaway()
    except Exception as error:
        log.exception("%s %s", job.kind.name, job.name)
        reason = own_fault(error)
    finally:
        changes: Body = {f"{job.kind.stage}EndTime": time.time()}
        if reason:
            changes["FailureReason"] = reason[:FAILURE_CHARACTERS]
        try:
            job.cloud.store.insist(lambda: change(job.cloud, job.kind, job.name, status, changes))
        finally:
            job.cloud.jobs.pop(job.arn, None)


def _outcome(job: JobRun) -> tuple[str, str]:
    """Do the job's work; its last status and the reason for it."""
    try:
        job.interruption.check()
        job.work(job)
    except InterruptedJobError as interruption:
        if str(interruption) == MAX_RUNTIME_EXCEEDED:
            return "Stopped", f"{MAX_RUNTIME_EXCEEDED}: the job ran longer than its StoppingCondition allows."
        return "Stopped", ""
    except JobFailedError as failure:
        return "Failed", str(failure)
    except DownloadError as error:
        return "Failed", f"ClientError: Data download failed: {error}"
    except ServiceError as error:
        return "Failed", f"ClientError: {error.message}"
    except ClientError as error:
        return "Failed", f"ClientError: {error}"
    except SERVICE_FAULTS as error:
        log.exception("%s %s", job.kind.name, job.name)
        return "Failed", f"InternalServerError: {error}"
    return "Completed", ""


def change(cloud: Cloud, kind: JobType, name: str, status: str, changes: Body) -> None:
    """Set a job's status and more of its record, and tell whoever waits for it."""
    with cloud.store.transaction():
        old = cloud.store.find(kind.name, name)
        if old is None:
            raise MissingError(f"{kind.name} {name}")
        more = kind.follow(old.body, status, changes)
        new = cloud.store.update(kind.name, name, {**changes, **more, kind.status: status}, status=status)
    cloud.announce(News(kind.name, name, status, old.status, new.body))


def stop(cloud: Cloud, kind: JobType, name: str) -> None:
    """Ask a job to end; it is Stopping at once and Stopped when its process has ended.

    Raises:
        ServiceError: there is no such job, or it has ended.
    """
    with cloud.store.transaction():
        found = existing(cloud, kind, name)
        if found.status not in UNFINISHED:
            raise validation(f"The request was rejected because the {kind.words} is in status {found.status}.")
        more = kind.follow(found.body, "Stopping", {})
        new = cloud.store.update(kind.name, name, {**more, kind.status: "Stopping"}, status="Stopping")
    cloud.announce(News(kind.name, name, "Stopping", found.status, new.body))
    if job := cloud.jobs.get(found.arn):
        job.interruption.ask(STOPPED)


def delete(cloud: Cloud, kind: JobType, name: str) -> None:
    """Forget a job that has ended, and remove its folder; its name is free again.

    Raises:
        ServiceError: ResourceNotFound, or ResourceInUse while it runs.
    """
    found = cloud.store.find(kind.name, name)
    if found is None:
        raise not_found(kind.missing.format(name=name))
    if found.status in UNFINISHED:
        raise in_use(f"The {kind.words} {name} is in status {found.status} and cannot be deleted.")
    cloud.store.delete(kind.name, name)
    folder(cloud.folder, kind.name, name).remove()


def recover(cloud: Cloud) -> None:
    """End what jobs left running when the server was killed, and mark those jobs as failed. For the server's start."""
    for kind in KINDS:
        for resource in cloud.store.page(kind.name, statuses=UNFINISHED)[0]:
            own = folder(cloud.folder, kind.name, resource.name)
            left = end_leftovers(own)
            own.remove_throwaway()
            log.warning("%s %s was cut off by a restart; %d processes ended", kind.name, resource.name, left)
            reason = {"FailureReason": RESTARTED, f"{kind.stage}EndTime": time.time()}
            change(cloud, kind, resource.name, "Failed", reason)


def shut_down(cloud: Cloud) -> None:
    """Stop every running job and wait until its processes have ended. For the server's end."""
    running = list(cloud.jobs.values())
    for job in running:
        job.interruption.ask(STOPPED)
    deadline = time.monotonic() + 2 * GRACE_SECONDS
    for job in running:
        if job.thread:
            job.thread.join(max(0.0, deadline - time.monotonic()))

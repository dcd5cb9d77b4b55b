"""One step that makes a job or a resource: from its resolved request to its last status.

The name of the job is written down before the job is created. Whoever finds the record after a crash can therefore ask
what became of the job, and does not run again what has finished.
"""

from __future__ import annotations

import logging
import secrets
import string
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker.engine import caching, records, retries
from localcloud.sagemaker.engine.definition import RunnableStep
from localcloud.sagemaker.engine.expressions import ExpressionError, resolve
from localcloud.sagemaker.engine.outcomes import Outcomes
from localcloud.sagemaker.engine.step_types import DONE, KINDS, StepType, job_name
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.roles import check_step

log = logging.getLogger(__name__)
_LETTERS = string.ascii_letters + string.digits
_SUFFIX_LENGTH = 10


@dataclass
class Activity:
    """A step between its start and its end.

    Its methods write what happens into the step's record, and return the step's last status once there is one:
    Succeeded, Failed or Stopped.
    """

    outcomes: Outcomes
    step: RunnableStep
    retry_at: float | None = None
    timed_out: bool = False
    cut_short: bool = False
    _job: str = ""
    _stop_asked: bool = False
    _began: float = field(default_factory=time.monotonic)
    _retries: retries.Retries = field(init=False)

    def __post_init__(self) -> None:
        self.cloud = self.outcomes.cloud
        self.run = self.outcomes.run
        self._retries = retries.Retries(self.step.policies)

    @property
    def kind(self) -> StepType:
        return KINDS[self.step.type]

    def begin(self) -> str | None:
        """Take the result from the cache, or create the resource."""
        try:
            request = self._new_request()
            if self.step.cache and self._take_from_cache(request, self.step.cache):
                return "Succeeded"
            if self.step.type == "Model" and self._take_made_model(request):
                return "Succeeded"
            return self._create(request)
        except ExpressionError as error:
            return self._write("Failed", FailureReason=str(error))

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on from a record that an earlier run left; "Failed" when there is nothing to go on from.

        A job that has finished, or a model that was made, counts; a job that still runs is waited for.
        """
        self._job = body.get("JobName", "")
        if not self._job:
            return "Failed"
        try:
            answer = self.cloud.call(self.kind.describe, {self.kind.name: self._job})
        except ServiceError:
            return "Failed"
        status = answer.get(self.kind.status, "Completed")
        if status == "Completed":
            return self._succeed(answer[self.kind.arn])
        if status in DONE:
            return "Failed"
        self._write("Executing", FailureReason=None, EndTime=None)
        return None

    def look(self, stopping: bool) -> str | None:
        """See what became of the job, and stop it if the execution is `stopping`."""
        if self.retry_at is not None:
            return self._look_at_clock(stopping)
        answer = self.cloud.call(self.kind.describe, {self.kind.name: self._job})
        status, reason = answer[self.kind.status], answer.get("FailureReason", "")
        if status == "Completed":
            return self._succeed(answer[self.kind.arn])
        if status == "Failed":
            said = answer.get("ExitMessage", "")
            whole = f"{reason}: {said}" if said not in reason else reason
            return self._retry_or_fail(retries.failure_type(reason), whole, stopping)
        if status == "Stopped":
            if stopping:
                return self._write("Stopped")
            self.cut_short = True
            return self._write(
                "Failed", FailureReason=f"{self.kind.metadata} {self._job} was stopped. {reason}".strip()
            )
        if stopping and not self._stop_asked:
            self._stop()
        return None

    def _look_at_clock(self, stopping: bool) -> str | None:
        if stopping:
            return self._write("Stopped", FailureReason=None)
        if self.retry_at is None or time.monotonic() < self.retry_at:
            return None
        self.retry_at = None
        record = self.cloud.store.find(records.STEP, f"{self.run.name}/{self.step.name}")
        self._write("Starting", AttemptCount=record.body["AttemptCount"] + 1 if record else 1, FailureReason=None)
        try:
            return self._create(self._new_request())
        except ExpressionError as error:
            return self._write("Failed", FailureReason=str(error))

    def _new_request(self) -> dict[str, Any]:
        """The Create request without the name of the resource, for which a new one is drawn."""
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX_LENGTH))
        given = resolve(self.step.arguments.get(self.kind.name), self.outcomes.scope())
        prefix = "" if self.kind.named else str(given or "")
        self._job = job_name(self.run.name, self.step.name, suffix, self.kind.longest_name, prefix)
        request: dict[str, Any] = resolve(self.step.arguments, self.outcomes.scope(self._job))
        name = request.pop(self.kind.name, None)
        if self.kind.named:
            self._job = name or self._job
        return request

    def _keyed(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the cache key is made of, and more."""
        return request

    def _metadata(self, arn: str) -> dict[str, Any]:
        """What a step's Metadata holds of its resource."""
        return {"Arn": arn}

    def _create(self, request: dict[str, Any]) -> str | None:
        if self.step.type == "RegisterModel":
            request = self._registration(request)
        else:
            self._write(JobName=self._job)
            request = {**request, self.kind.name: self._job, "Tags": [*request.get("Tags", []), *self._tags()]}
        try:
            if self.step.type == "RegisterModel":
                self._make_group(request)
            role = records.role(self.cloud, self.run)
            check_step(self.cloud.roles, self.cloud.arn(""), role, self.kind.create, request)
            arn = self.cloud.call(self.kind.create, request)[self.kind.arn]
        except ServiceError as error:
            return self._retry_or_fail(retries.refusal_type(error.code, error.status), str(error), stopping=False)
        if self.step.type == "RegisterModel":
            self._job = arn
        if self.step.type == "Model":
            records.remember_model(self.cloud, self.run.parent, _model_digest(request), self._job)
        if not self.kind.stop:
            return self._succeed(arn)
        self._write("Executing", Metadata={self.kind.metadata: self._metadata(arn)})
        return None

    def _tags(self) -> list[dict[str, str]]:
        """What SageMaker tags everything with that a pipeline makes."""
        return [
            {"Key": "sagemaker:pipeline-execution-arn", "Value": self.run.arn},
            {"Key": "sagemaker:pipeline-step-name", "Value": self.step.name},
        ]

    def _registration(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request with where the package comes from, and a token that lets only one package of this step exist."""
        return {
            **request,
            "MetadataProperties": {"GeneratedBy": self.run.arn, **request.get("MetadataProperties", {})},
            "ClientToken": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.run.arn}/{self.step.name}")),
        }

    def _make_group(self, request: dict[str, Any]) -> None:
        """A RegisterModel step creates the model package group that it names, if there is none."""
        group = request.get("ModelPackageGroupName", "")
        if not group or group.startswith("arn:"):
            return
        with self.cloud.store.transaction():  # two executions may come here at the same time
            try:
                self.cloud.call("DescribeModelPackageGroup", {"ModelPackageGroupName": group})
            except ServiceError:
                self.cloud.call("CreateModelPackageGroup", {"ModelPackageGroupName": group})

    def _take_from_cache(self, request: dict[str, Any], config: caching.CacheConfig) -> bool:
        """Look for an earlier success with the same key; write down the hit, or why there was none."""
        key = caching.key(self.step.type, self._keyed(request))
        pipeline, name = self.run.parent, self.step.name
        found = records.success(self.cloud, pipeline, name, key.digest)
        if found and caching.is_fresh(found.body["EndTime"], config, time.time()):
            source = {"SourcePipelineExecutionArn": found.body["PipelineExecutionArn"]}
            if self._take_over(found.body["JobName"], CacheHitResult=source):
                return True
        latest = records.latest_success(self.cloud, pipeline, name)
        why = caching.explanation(latest.body["Values"] if latest else None, key.values)
        log.info("%s of %s %s", name, pipeline, why)
        self._write(CacheKey=key.digest, CacheValues=dict(key.values), CacheMiss=why)
        return False

    def _take_made_model(self, request: dict[str, Any]) -> bool:
        """Whether an earlier Model step of this pipeline made a model from the same request that still exists.

        AWS makes a new model each time. Its new name then changes the key of every transform behind it, which
        therefore never hits the cache. Here the model is taken again.
        """
        found = records.model(self.cloud, self.run.parent, _model_digest(request))
        return bool(found and self._take_over(found))

    def _take_over(self, name: str, **members: Any) -> bool:
        """Take a resource that an earlier execution made, if it still exists."""
        try:
            answer = self.cloud.call(self.kind.describe, {self.kind.name: name})
        except ServiceError:
            return False
        if not self._still(answer):
            return False
        self._job = name
        self._succeed(answer[self.kind.arn], **members)
        return True

    def _still(self, answer: dict[str, Any]) -> bool:
        """Whether a resource of an earlier execution is still what that execution made of it."""
        return True

    def _stop(self) -> None:
        self._stop_asked = True
        self._write("Stopping")
        try:
            self.cloud.call(self.kind.stop, {self.kind.name: self._job})
        except ServiceError as error:
            log.info("%s ended before it could be stopped: %s", self._job, error)

    def _retry_or_fail(self, exception_type: str | None, reason: str, stopping: bool) -> str | None:
        again = None if stopping else self._retries.next(exception_type, time.monotonic() - self._began)
        if again is None:
            return self._write("Failed", FailureReason=reason)
        log.warning("%s of pipeline execution %s: %s: %s", self.step.name, self.run.name, again, reason)
        self._write(FailureReason=f"{again}: {reason}")
        self.retry_at = time.monotonic() + again.seconds
        return None

    def _succeed(self, arn: str, **members: Any) -> str:
        """Keep the success for later executions, then mark the step."""
        record = self.cloud.store.find(records.STEP, f"{self.run.name}/{self.step.name}")
        ended = time.time()
        if record and "CacheKey" in record.body and "CacheHitResult" not in members:
            records.remember_success(
                self.cloud,
                self.run,
                self.step.name,
                record.body["CacheKey"],
                {
                    "JobName": self._job,
                    "Arn": arn,
                    "PipelineExecutionArn": self.run.arn,
                    "EndTime": ended,
                    "Values": record.body["CacheValues"],
                },
            )
        metadata = {self.kind.metadata: self._metadata(arn)}
        return self._write(
            "Succeeded", JobName=self._job, Metadata=metadata, EndTime=ended, FailureReason=None, **members
        )

    def _write(self, status: str = "", **members: Any) -> str:
        records.change_step(self.cloud, self.run.name, self.step.name, status or None, **members)
        return status


def _model_digest(request: dict[str, Any]) -> str:
    """The digest of a CreateModel request without what differs each time."""
    return caching.digest({name: value for name, value in request.items() if name not in ("ModelName", "Tags")})

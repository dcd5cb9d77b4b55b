"""Steps whose work is done outside of SageMaker: what Lambda and Callback steps have in common.

The request is what is sent; the outputs are the step's properties. Both are cached by all that decides what is sent.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.engine import caching, records
from localcloud.sagemaker.engine.definition import RunnableStep
from localcloud.sagemaker.engine.expressions import ExpressionError, resolve
from localcloud.sagemaker.engine.outcomes import Outcomes
from localcloud.sagemaker.engine.step_members import shown, typed

log = logging.getLogger(__name__)


@dataclass
class OutsideActivity:
    """A Lambda or Callback step between its start and its end; see Activity for what its methods mean.

    Attributes:
        timed_out: whether it ended because its time was over.
    """

    outcomes: Outcomes
    step: RunnableStep
    retry_at: float | None = None
    timed_out: bool = False
    cut_short: bool = False

    def __post_init__(self) -> None:
        self.cloud = self.outcomes.cloud
        self.run = self.outcomes.run
        self.metadata: dict[str, Any] = {}

    def begin(self) -> str | None:
        """Take the outputs from the cache, or send the request."""
        try:
            request = resolve({"Arguments": dict(self.step.arguments), **self.step.own}, self.outcomes.scope())
            for name in ("FunctionArn", "SqsQueueUrl"):
                if not isinstance(request.get(name, ""), str):
                    raise ExpressionError(f"ClientError: {name} is {request[name]!r}, not a string.")
            if self.step.cache and self._take_from_cache(request, self.step.cache):
                return "Succeeded"
            return self.send(request)
        except ExpressionError as error:
            return self.fail(str(error))

    def send(self, request: dict[str, Any]) -> str | None:
        """Begin the work with the resolved request."""
        raise NotImplementedError

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on from a record that an earlier run left; "Failed" when there is nothing to go on from."""
        return "Failed"

    def look(self, stopping: bool) -> str | None:
        """See whether the work is done."""
        raise NotImplementedError

    def succeed(self, given: dict[str, Any], **members: Any) -> str:
        """End with the declared outputs out of `given`; the step fails when one is missing or of another type."""
        outputs = {}
        for declared in self.step.own.get("OutputParameters", []):
            name, kind = declared["OutputName"], declared["OutputType"]
            if name not in given:
                has = ", ".join(given) or "nothing"
                return self.fail(f"ClientError: the output {name!r} is missing; what came has {has}.")
            try:
                outputs[name] = typed(kind, given[name])
            except ValueError:
                return self.fail(f"ClientError: the output {name!r} is {given[name]!r}, which is no {kind}.")
        self._remember(outputs, members)
        self.metadata["OutputParameters"] = shown(outputs)
        return self.write("Succeeded", Outputs={"OutputParameters": outputs}, FailureReason=None, **members)

    def fail(self, reason: str) -> str:
        """End as Failed."""
        return self.write("Failed", FailureReason=reason)

    def write(self, status: str, **members: Any) -> str:
        """Write the step's status, its metadata and more into its record."""
        metadata = {"Metadata": {self.step.type: self.metadata}} if self.metadata else {}
        records.change_step(self.cloud, self.run.name, self.step.name, status, **metadata, **members)
        return status

    def _take_from_cache(self, request: dict[str, Any], config: caching.CacheConfig) -> bool:
        key = caching.key(self.step.type, request)
        found = records.success(self.cloud, self.run.parent, self.step.name, key.digest)
        if found and caching.is_fresh(found.body["EndTime"], config, time.time()):
            self.metadata = found.body["Metadata"]
            source = {"SourcePipelineExecutionArn": found.body["PipelineExecutionArn"]}
            self.write("Succeeded", Outputs={"OutputParameters": found.body["Outputs"]}, CacheHitResult=source)
            return True
        latest = records.latest_success(self.cloud, self.run.parent, self.step.name)
        why = caching.explanation(latest.body["Values"] if latest else None, key.values)
        records.change_step(
            self.cloud,
            self.run.name,
            self.step.name,
            CacheKey=key.digest,
            CacheValues=dict(key.values),
            CacheMiss=why,
        )
        return False

    def _remember(self, outputs: dict[str, Any], members: dict[str, Any]) -> None:
        record = self.cloud.store.find(records.STEP, f"{self.run.name}/{self.step.name}")
        if record and "CacheKey" in record.body:
            body = {
                "Outputs": outputs,
                "Metadata": {**self.metadata, "OutputParameters": shown(outputs)},
                "PipelineExecutionArn": self.run.arn,
                "EndTime": time.time(),
                "Values": record.body["CacheValues"],
            }
            records.remember_success(self.cloud, self.run, self.step.name, record.body["CacheKey"], body)

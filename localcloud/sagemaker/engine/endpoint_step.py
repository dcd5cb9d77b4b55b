"""An Endpoint step: the endpoint is created, or updated when it exists, and waited for.

The SDK's EndpointStep says that the pipeline chooses by whether the endpoint exists, and that the step is not retried.
An update that was rolled back leaves the endpoint InService with its old configuration: the step fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.engine import records
from localcloud.sagemaker.engine.activity import Activity
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.roles import check_step

SETTLED = ("InService", "OutOfService", "Failed", "UpdateRollbackFailed")


@dataclass
class EndpointActivity(Activity):
    """An endpoint on its way into service."""

    _wanted: str = ""

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on waiting for an endpoint that an earlier run began to bring into service."""
        self._job, self._wanted = body.get("JobName", ""), body.get("WantedConfig", "")
        if not self._job or body["StepStatus"] in ("Failed", "Stopped"):
            return "Failed"
        return None

    def look(self, stopping: bool) -> str | None:
        """See whether the endpoint is in service; nothing stops it on the way there."""
        answer = self.cloud.call("DescribeEndpoint", {"EndpointName": self._job})
        if answer["EndpointStatus"] not in SETTLED:
            return None
        if answer["EndpointStatus"] == "InService" and answer["EndpointConfigName"] == self._wanted:
            return self._succeed(answer["EndpointArn"])
        reason = answer.get("FailureReason") or f"the endpoint serves {answer['EndpointConfigName']}"
        return self._write("Failed", FailureReason=f"Endpoint {self._job} is {answer['EndpointStatus']}: {reason}")

    def _create(self, request: dict[str, Any]) -> str | None:
        self._write(JobName=self._job, WantedConfig=self._wanted)
        try:
            exists = self._exists()
            kept = ("EndpointConfigName", "DeploymentConfig")
            update = {"EndpointName": self._job, **{name: request[name] for name in kept if name in request}}
            create = {**request, "EndpointName": self._job, "Tags": [*request.get("Tags", []), *self._tags()]}
            operation, sent = ("UpdateEndpoint", update) if exists else ("CreateEndpoint", create)
            check_step(self.cloud.roles, self.cloud.arn(""), records.role(self.cloud, self.run), operation, sent)
            arn = self.cloud.call(operation, sent)
        except ServiceError as error:
            return self._write("Failed", FailureReason=str(error))
        self._write("Executing", Metadata={"Endpoint": {"Arn": arn["EndpointArn"]}})
        return None

    def _still(self, answer: dict[str, Any]) -> bool:
        return bool(answer["EndpointStatus"] == "InService" and answer["EndpointConfigName"] == self._wanted)

    def _new_request(self) -> dict[str, Any]:
        request = super()._new_request()
        self._wanted = request["EndpointConfigName"]
        return request

    def _exists(self) -> bool:
        try:
            self.cloud.call("DescribeEndpoint", {"EndpointName": self._job})
        except ServiceError:
            return False
        return True

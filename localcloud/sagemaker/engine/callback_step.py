"""A Callback step: a message with a token goes to a queue, and whoever has the token says how the work ended.

"Callback step" in the developer guide shows the message; SendPipelineExecutionStepSuccess and …Failure answer it. An
execution that is stopped sends a second message with the status Stopping, and waits on. Token, message and answer are
in the store before anything is done about them: a restart of the server changes nothing.
"""

from __future__ import annotations

import json
import secrets
import string
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.engine import records
from localcloud.sagemaker.engine.outside import OutsideActivity
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.store import Resource

LONGEST_SECONDS = 7 * 86_400.0
"""How long an answer is waited for. AWS documents no figure that we know; a pipeline that nobody answers must end."""
_LETTERS = string.ascii_letters + string.digits
_TOKEN_LENGTH = 10


@dataclass
class CallbackActivity(OutsideActivity):
    """A message that waits for its answer."""

    _token: str = ""

    def send(self, request: dict[str, Any]) -> str | None:
        """Write down the token, then send the message."""
        self._token = "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LENGTH))
        body = {"Execution": self.run.name, "Step": self.step.name, "Request": request}
        self.cloud.store.insert(records.CALLBACK, self._token, body, arn="", parent=self.run.parent)
        self.metadata = {"CallbackToken": self._token, "SqsQueueUrl": request["SqsQueueUrl"]}
        self.write("Executing")
        return self._send("Executing")

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on waiting; a message of which it is not sure that it was sent is sent again, as queues do too."""
        self.metadata = body.get("Metadata", {}).get("Callback", {})
        self._token = self.metadata.get("CallbackToken", "")
        if body["StepStatus"] in records.ENDED or not self._token:
            self.metadata = {}
            return "Failed"
        return None if self._waiting().body.get("Sent") else self._send("Executing")

    def look(self, stopping: bool) -> str | None:
        """See whether somebody has answered."""
        waiting = self._waiting()
        if answer := waiting.body.get("Answer"):
            if answer["Succeeded"]:
                return self.succeed(answer["Outputs"])
            return self.fail(answer["Reason"])
        if time.time() - waiting.created > LONGEST_SECONDS:
            self.timed_out = True
            return self.fail(f"ClientError: nobody answered the callback within {LONGEST_SECONDS:g} seconds.")
        if stopping and waiting.body["Sent"] != "Stopping":
            self.write("Stopping")
            return self._send("Stopping")
        return None

    def _send(self, status: str) -> str | None:
        request = self._waiting().body["Request"]
        message = {
            "token": self._token,
            "pipelineExecutionArn": self.run.arn,
            "arguments": request["Arguments"],
            "status": status,
        }
        try:
            queue = self.cloud.aws("sqs", records.role(self.cloud, self.run))
            queue.send_message(QueueUrl=request["SqsQueueUrl"], MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError, ServiceError) as error:
            return self.fail(f"ClientError: no message can be sent to the queue {request['SqsQueueUrl']}: {error}")
        self.cloud.store.update(records.CALLBACK, self._token, {"Sent": status})
        return None

    def _waiting(self) -> Resource:
        found = self.cloud.store.find(records.CALLBACK, self._token)
        if found is None:
            raise LookupError(f"callback {self._token} is gone")
        return found

"""A Lambda step: a function is invoked with the step's arguments as its event, and its answer holds the outputs.

"Lambda step" in the developer guide: the longest time is ten minutes, after which the step fails while the function
runs on; nothing stops a function. It is called in the name of the pipeline's role. The words of a FailureReason are not
documented: ours name the function's own error.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.engine import records
from localcloud.sagemaker.engine.outside import OutsideActivity
from localcloud.sagemaker.errors import ServiceError, own_fault

log = logging.getLogger(__name__)
LONGEST_SECONDS = 600.0
_GRACE_SECONDS = 30.0
TIMEOUTS = ("Sandbox.Timedout", "Task timed out")
"""How Lambda says that a function used up its own time."""


@dataclass
class LambdaActivity(OutsideActivity):
    """A function that is called in a thread of its own."""

    _began: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)
    _answer: dict[str, Any] = field(default_factory=dict)
    _problem: str = ""

    def send(self, request: dict[str, Any]) -> None:
        """Invoke the function; returns at once."""
        self._began = time.monotonic()
        self.metadata = {"Arn": request["FunctionArn"]}
        self.write("Executing")
        words = (request["FunctionArn"], request["Arguments"])
        threading.Thread(target=self._invoke, args=words, name=f"step {self.step.name}", daemon=True).start()

    def look(self, stopping: bool) -> str | None:
        """See whether the function has answered; an execution that stops waits for that too."""
        if self._ended.is_set():
            if self._problem:
                self.timed_out = any(word in self._problem for word in TIMEOUTS)
                return self.fail(self._problem)
            return self.succeed(self._answer)
        if time.monotonic() - self._began < LONGEST_SECONDS:
            return None
        self.timed_out = True
        return self.fail(
            f"ClientError: Lambda function {self.metadata['Arn']} timed out: it did not answer within "
            f"{LONGEST_SECONDS:g} seconds. The function runs on."
        )

    def _invoke(self, function: str, event: dict[str, Any]) -> None:
        try:
            role = records.role(self.cloud, self.run)
            client = self.cloud.aws("lambda", role, LONGEST_SECONDS + _GRACE_SECONDS)
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
            payload = json.loads(answer["Payload"].read() or "null")
            if answer.get("FunctionError"):
                self._problem = f"ClientError: Lambda function {function} failed: {_words(payload)}"
            elif isinstance(payload, dict):
                self._answer = payload
            elif self.step.own.get("OutputParameters"):
                kind = type(payload).__name__
                self._problem = (
                    f"ClientError: Lambda function {function} returned {kind}, and no object with the outputs."
                )
        except (ValueError, RecursionError) as error:
            self._problem = f"ClientError: the answer of Lambda function {function} cannot be read: {error}"
        except (BotoCoreError, ClientError, ServiceError) as error:
            self._problem = f"ClientError: Lambda function {function} could not be invoked: {error}"
        except Exception as error:  # nobody else sees what ends this thread
            log.exception("step %s of pipeline execution %s", self.step.name, self.run.name)
            self._problem = own_fault(error)
        finally:
            self._ended.set()
            self.cloud.wake()


def _words(payload: Any) -> str:
    """The error that a function ended with: its class and its message."""
    if not isinstance(payload, dict):
        return json.dumps(payload)
    kind, message = payload.get("errorType"), payload.get("errorMessage", "")
    return f"{kind}: {message}" if kind else str(message)

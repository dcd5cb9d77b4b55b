"""Tell EventBridge how executions are: "Step Functions Execution Status Change", as AWS does for STANDARD workflows.

AWS: developer guide, "Automating Step Functions event delivery with EventBridge". Delivery is best effort there and
here: what cannot be delivered is logged. A client may not send events of `aws.states`; MiniStack takes them from this
server on a path of its own (bridge.py).
"""

from __future__ import annotations

import http.client
import json
import logging
import queue
import threading
from itertools import groupby
from urllib.parse import urlsplit

from localcloud.environment import EVENTS_PATH
from localcloud.regions import signed_for
from localcloud.stepfunctions.protocol import Body, Resource
from localcloud.stepfunctions.redrive import redrive

log = logging.getLogger("localcloud.stepfunctions")
LARGEST = 248 * 1024
"""Input and output beyond it are left out of the event."""
TOLD_AT_ONCE = 10
"""As many entries as one PutEvents takes."""


def entry(execution: Resource) -> Body:
    """The entry for PutEvents that tells how an execution is."""
    body, failed = execution.body, execution.status == "FAILED"
    redriven = redrive(execution)
    moment = redriven["redriveDate"]
    detail = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.parent,
        "name": body["name"],
        "status": execution.status,
        "startDate": round(1000 * body["startDate"]),
        "stopDate": round(1000 * body["stopDate"]) if body.get("stopDate") else None,
        "stateMachineVersionArn": body["stateMachineVersionArn"],
        "stateMachineAliasArn": body["stateMachineAliasArn"],
        "redriveStatusReason": None,
        **redriven,
        "redriveDate": round(1000 * moment) if moment else None,
        "error": body.get("error") if failed else None,
        "cause": body.get("cause") if failed else None,
    }
    for name in ("input", "output"):
        text = body.get(name)
        fits = text is None or len(text) <= LARGEST
        detail[name] = text if fits else None
        detail[f"{name}Details"] = None if text is None else {"included": fits}
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [execution.arn],
    }


def _region(told: Body) -> str:
    return str(told["Resources"][0].split(":")[3])


class Courier:
    """Delivers entries in their order, on a thread of its own."""

    def __init__(self, url: str) -> None:
        """Deliver to MiniStack at `url`."""
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        self._waiting: queue.SimpleQueue[Body] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="events", daemon=True).start()

    def tell(self, execution: Resource) -> None:
        """Let EventBridge know how an execution is."""
        self._waiting.put(entry(execution))

    def _work(self) -> None:
        while True:
            told = [self._waiting.get()]
            while len(told) < TOLD_AT_ONCE and not self._waiting.empty():
                told.append(self._waiting.get())
            for region, entries in groupby(told, _region):
                try:
                    status = self._deliver(region, json.dumps({"Entries": list(entries)}))
                    if status != 200:
                        log.warning("EventBridge did not take an event: HTTP %d", status)
                except (OSError, http.client.HTTPException) as error:
                    log.warning("EventBridge cannot be told of an execution: %s", error)

    def _deliver(self, region: str, body: str) -> int:
        """Send it on the connection that is open, or on a new one: MiniStack closes one that is idle; HTTP status."""
        headers = {"Content-Type": "application/json", **signed_for(region, "events")}
        while True:
            used = self._connection.sock is not None
            try:
                self._connection.request("POST", EVENTS_PATH, body, headers)
                answer = self._connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if not used:
                    raise
            else:
                return answer.status

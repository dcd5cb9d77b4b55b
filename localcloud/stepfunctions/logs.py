"""Tell CloudWatch Logs of executions, as a state machine's LoggingConfiguration asks.

AWS: developer guide, "Using CloudWatch Logs to log execution history": the members of a log event, the streams
`states/<machine>/<time>/<id>`, and which events the levels ERROR and FATAL have. Delivery is best effort there and
here: what cannot be delivered is said in this server's log.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.eval.event.logging import is_logging_enabled_for

from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.engine.history import Event
from localcloud.stepfunctions.engine.run import Request

log = logging.getLogger("localcloud.stepfunctions")
DATA = (
    "input",
    "inputDetails",
    "output",
    "outputDetails",
    "parameters",
    "assignedVariables",
    "assignedVariablesDetails",
)
"""What a log event has only with includeExecutionData."""
MOST_EVENTS = 500
"""In one PutLogEvents; AWS takes 10,000, and 1 MiB."""

Line = tuple[str, str, str, dict[str, Any]]


class Scribe:
    """Delivers log events in their order, on a thread of its own, begun with the first."""

    def __init__(self, clients: Clients, region: str) -> None:
        self._clients = clients
        self._region = region
        self._waiting: queue.Queue[Line] = queue.Queue()
        self._streams: dict[tuple[str, str], str] = {}
        self._starting = threading.Lock()
        self._is_running = False

    def tell(self, request: Request, event: Event, redrives: int) -> None:
        """Log an event of an execution, if its state machine asks for that."""
        configuration = request.logging or {}
        if not is_logging_enabled_for(configuration.get("level", "OFF"), event["type"]):
            return
        place = configuration["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"].split(":")
        group, region = place[6], place[3]
        message = json.dumps(_message(request, event, redrives, configuration), ensure_ascii=False)
        line = {"timestamp": int(1000 * event["timestamp"]), "message": message}
        self._waiting.put((region, group, request.machine_name.partition("/")[0], line))
        with self._starting:
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._work, name="logs", daemon=True).start()

    def flush(self) -> None:
        """Return when all that was told before has been delivered, or could not be."""
        if self._is_running:
            self._waiting.join()

    def _work(self) -> None:
        while True:
            lines = [self._waiting.get()]
            while len(lines) < MOST_EVENTS and not self._waiting.empty():
                lines.append(self._waiting.get())
            for target in dict.fromkeys(line[:3] for line in lines):
                try:
                    self._deliver(*target, [line[3] for line in lines if line[:3] == target])
                except (BotoCoreError, ClientError) as error:
                    log.warning("the log group %s did not take events: %s", target[1], error)
            for _ in lines:
                self._waiting.task_done()

    def _deliver(self, region: str, group: str, machine: str, events: list[dict[str, Any]]) -> None:
        client = self._clients.get("logs", region)
        stream = self._streams.get((group, machine))
        if stream is None:
            moment = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M")
            stream = f"states/{machine}/{moment}/{uuid.uuid4().hex[:8]}"
            client.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams[group, machine] = stream
        events.sort(key=lambda event: int(event["timestamp"]))
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def _message(request: Request, event: Event, redrives: int, configuration: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
    if not configuration.get("includeExecutionData"):
        details = {name: value for name, value in details.items() if name not in DATA}
    told = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(redrives),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(int(1000 * event["timestamp"])),
        "execution_arn": request.arn,
    }
    return {**told, "map_run_arn": request.map_run} if request.map_run else told

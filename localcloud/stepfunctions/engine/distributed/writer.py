"""ResultWriter: what the child executions returned, as the output of the state or as files in S3.

AWS: developer guide, "ResultWriter (Map)": manifest.json with FAILED, PENDING and SUCCEEDED files under the map run's
id, and Transformation NONE, COMPACT or FLATTEN. A child that failed is always shown whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.stepfunctions.engine.distributed.fields import WRITER_FAILED, evaluated, failure
from localcloud.stepfunctions.engine.distributed.reader import sdk_cause
from localcloud.stepfunctions.engine.overrides import clients
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str

FILES = {"FAILED": ("FAILED", "TIMED_OUT", "ABORTED"), "PENDING": ("PENDING",), "SUCCEEDED": ("SUCCEEDED",)}


@dataclass(frozen=True)
class MapChild:
    """A child execution as it ended, or as it waits (PENDING); times are epoch seconds, texts are JSON."""

    status: str
    input: str
    machine: str
    arn: str | None = None
    name: str | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    started: float | None = None
    stopped: float | None = None
    redrives: int = 0

    def shown(self) -> dict[str, Any]:
        """The execution as the files have it."""
        told: dict[str, Any] = {}
        if self.status not in ("SUCCEEDED", "PENDING"):
            told |= {name: text for name, text in (("Cause", self.cause), ("Error", self.error)) if text is not None}
        told |= {"ExecutionArn": self.arn, "Input": self.input, "InputDetails": {"Included": True}, "Name": self.name}
        if self.output is not None:
            told |= {"Output": self.output, "OutputDetails": {"Included": True}}
        if self.status == "SUCCEEDED":
            reason = "Execution is SUCCEEDED and cannot be redriven"
            told |= {"RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
        elif self.status != "PENDING":
            told["RedriveStatus"] = "REDRIVABLE"
        told |= {"RedriveCount": self.redrives, "StateMachineArn": self.machine, "Status": self.status}
        told |= {"StartDate": _moment(self.started), "StopDate": _moment(self.stopped)}
        return dict(sorted((name, value) for name, value in told.items() if value is not None))


def state_output(children: list[MapChild], config: dict[str, Any]) -> Any:
    """The output of a state that writes nothing to S3."""
    found = _transformed(children, config.get("Transformation", "COMPACT"))
    return _lines(found) if config.get("OutputType") == "JSONL" else found


def write(env: Any, writer: dict[str, Any], children: list[MapChild], map_run: str, jsonata: bool) -> Any:
    """Write the results to S3 and return the output of the state.

    Raises:
        FailureEventException: States.ResultWriterFailed.
    """
    place = evaluated(env, writer.get("Arguments" if jsonata else "Parameters", {}), jsonata)
    prefix = str(place.get("Prefix", ""))
    folder = f"{prefix}{'/' if prefix and not prefix.endswith('/') else ''}{map_run.rpartition(':')[2]}"
    config = writer.get("WriterConfig", {})
    suffix = "jsonl" if config.get("OutputType") == "JSONL" else "json"
    client = clients.of_machine(env, "s3")
    manifest: dict[str, Any] = {"DestinationBucket": place["Bucket"], "MapRunArn": map_run, "ResultFiles": {}}
    try:
        for file, statuses in FILES.items():
            some = [child for child in children if child.status in statuses]
            manifest["ResultFiles"][file] = []
            if some:
                found = _transformed(some, config.get("Transformation", "NONE"))
                body = (_lines(found) if suffix == "jsonl" else to_json_str(found)).encode()
                key = f"{folder}/{file}_0.{suffix}"
                client.put_object(Bucket=place["Bucket"], Key=key, Body=body)
                manifest["ResultFiles"][file].append({"Key": key, "Size": len(body)})
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=place["Bucket"], Key=key, Body=to_json_str(manifest).encode())
    except ClientError as error:
        raise failure(env, WRITER_FAILED, sdk_cause(error)) from None
    except BotoCoreError as error:
        raise failure(env, WRITER_FAILED, str(error)) from None
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": place["Bucket"], "Key": key}}


def _transformed(children: list[MapChild], transformation: str) -> list[Any]:
    made: list[Any] = []
    for child in children:
        if transformation == "NONE" or child.output is None:
            made.append(child.shown())
            continue
        value = json.loads(child.output)
        if transformation == "FLATTEN" and isinstance(value, list):
            made.extend(value)
        else:
            made.append(value)
    return made


def _lines(values: list[Any]) -> str:
    return "".join(f"{to_json_str(value)}\n" for value in values)


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

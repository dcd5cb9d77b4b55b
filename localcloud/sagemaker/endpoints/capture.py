"""A captured invocation as JSON, and where its file goes: the service's own layout.

Key: `<DestinationS3Uri>/<endpoint>/<variant>/yyyy/mm/dd/hh/MM-SS-mmm-<uuid4>.jsonl`, the UTC time of its first
record. Line: see `line`. Sources: "Capture data from a real-time endpoint" in the developer guide, and files that the
service wrote.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.jobs.transfer import split


@dataclass(frozen=True)
class Options:
    """A DataCaptureConfig that is enabled.

    Attributes:
        percentage: of the requests, 0 to 100.
        input, output: which sides are kept.
        json_types, csv_types: content types whose data is kept as text; any other is base64.
    """

    uri: str
    percentage: int
    input: bool
    output: bool
    json_types: frozenset[str]
    csv_types: frozenset[str]


@dataclass(frozen=True)
class Captured:
    """One request with its answer; `moment` is when it came, in epoch seconds."""

    moment: float
    event_id: str
    input_type: str
    input: bytes
    output_type: str
    output: bytes
    inference_id: str = ""
    custom_attributes: str = ""

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output)


def options(config: Mapping[str, Any]) -> Options | None:
    """What a DataCaptureConfig asks for, or None when it captures nothing."""
    if not config.get("EnableCapture") or not config["InitialSamplingPercentage"]:
        return None
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    types = config.get("CaptureContentTypeHeader", {})
    return Options(
        uri=config["DestinationS3Uri"],
        percentage=config["InitialSamplingPercentage"],
        input=bool(modes & {"Input", "InputAndOutput"}),
        output=bool(modes & {"Output", "InputAndOutput"}),
        json_types=frozenset(kind.lower() for kind in types.get("JsonContentTypes", [])),
        csv_types=frozenset(kind.lower() for kind in types.get("CsvContentTypes", [])),
    )


def line(captured: Captured, wanted: Options) -> bytes:
    """The record as one line of JSON, with its newline."""
    data = {}
    if wanted.input:
        data["endpointInput"] = _side("INPUT", captured.input_type, captured.input, wanted)
    if wanted.output:
        data["endpointOutput"] = _side("OUTPUT", captured.output_type, captured.output, wanted)
    metadata: dict[str, Any] = {"eventId": captured.event_id}
    if captured.inference_id:
        metadata["inferenceId"] = captured.inference_id
    if captured.custom_attributes:
        metadata["customAttributes"] = [captured.custom_attributes]
    moment = datetime.fromtimestamp(captured.moment, UTC)
    metadata["inferenceTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    record = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def place(uri: str, endpoint: str, variant: str, moment: float) -> tuple[str, str]:
    """Bucket and key of a file whose first record is of `moment`."""
    bucket, prefix = split(uri.rstrip("/"))
    first = datetime.fromtimestamp(moment, UTC)
    name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    folder = f"{endpoint}/{variant}/{first:%Y/%m/%d/%H}/{name}"
    return bucket, f"{prefix}/{folder}" if prefix else folder


def _side(mode: str, content_type: str, data: bytes, wanted: Options) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    encoding = "JSON" if kind in wanted.json_types else "CSV" if kind in wanted.csv_types else "BASE64"
    try:
        text = base64.b64encode(data).decode() if encoding == "BASE64" else data.decode()
    except UnicodeDecodeError:  # said to be text, and is not: nothing is lost in base64
        text, encoding = base64.b64encode(data).decode(), "BASE64"
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}

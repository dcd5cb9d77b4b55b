"""The form of a data capture file, for files of the service and for ours."""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import datetime
from typing import Any

FILE = re.compile(r"(\d\d)-(\d\d)-(\d{3})-([0-9a-f-]{36})\.jsonl")
OPTIONAL = {"inferenceId", "customAttributes"}


def check_capture_file(name: str, body: bytes) -> list[dict[str, Any]]:
    """The file's records, if its name and every line of it have the service's form."""
    match = FILE.fullmatch(name)
    assert match, name
    assert uuid.UUID(match[4]).version == 4
    assert body.endswith(b"\n")
    records = [_checked(line) for line in body.decode("ascii").splitlines()]
    first = datetime.fromisoformat(records[0]["eventMetadata"]["inferenceTime"])
    assert (f"{first.minute:02d}", f"{first.second:02d}") == (match[1], match[2])
    return records


def _checked(line: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    assert json.dumps(record, separators=(",", ":")) == line, "compact, in this order of members, nothing else"
    assert list(record) == ["captureData", "eventMetadata", "eventVersion"]
    assert record["eventVersion"] == "0"
    data, metadata = record["captureData"], record["eventMetadata"]
    assert list(data) in (["endpointInput", "endpointOutput"], ["endpointInput"], ["endpointOutput"])
    for name, side in data.items():
        assert list(side) == ["observedContentType", "mode", "data", "encoding"]
        assert side["mode"] == name.removeprefix("endpoint").upper()
        assert isinstance(side["data"], str)
        assert side["encoding"] in {"BASE64", "JSON", "CSV"}
        if side["encoding"] == "BASE64":
            base64.b64decode(side["data"], validate=True)
    assert [key for key in metadata if key not in OPTIONAL] == ["eventId", "inferenceTime"]
    assert uuid.UUID(metadata["eventId"]).version == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    if "inferenceId" in metadata:
        assert metadata["inferenceId"]
    if "customAttributes" in metadata:
        assert all(isinstance(attribute, str) for attribute in metadata["customAttributes"])
    return record

"""Labels that people give to captured requests, in Model Monitor's form: JSON Lines by hour of the labelling.

    <prefix>/yyyy/mm/dd/hh/<any>.jsonl
    {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "..."}, "eventVersion": "0"}

`eventId` is the inference id where the caller gave one, else the event id. `data` is the number of the class.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.analysis import capture
from monitoring.analysis.capture import Tally
from monitoring.analysis.payload import content
from project import json_text
from project.errors import UsageError

NEITHER, NEITHER_NAME = -1, "neither"
"""What people call a picture of none of the classes. It is no ground truth, so its labels lie elsewhere."""


def label_of(name: str, classes: Sequence[str]) -> int:
    """The number of class `name`, which may be a number already.

    Raises:
        UsageError: there is no such class.
    """
    if name in classes:
        return classes.index(name)
    if name.isascii() and name.isdigit() and int(name) < len(classes):
        return int(name)
    raise UsageError(f"There is no class {name!r}.", f"Classes: {', '.join(classes)}.")


def record(event: str, label: int) -> dict[str, Any]:
    """One label; `event` is the inference id of the request, or else its event id."""
    return {
        "groundTruthData": {"data": str(label), "encoding": "CSV"},
        "eventMetadata": {"eventId": event},
        "eventVersion": "0",
    }


def text(labels: Mapping[str, int]) -> str:
    """A file of labels: event to number of the class."""
    return "".join(json.dumps(record(event, label), allow_nan=False) + "\n" for event, label in labels.items())


def key(now: datetime, name: str) -> str:
    """Where a file of labels given at `now` belongs below the prefix; `name` tells it from others of that hour."""
    return f"{now.astimezone(UTC):%Y/%m/%d/%H/%M-%S}-{name}.jsonl"


def read(folder: Path, classes: Sequence[str], tally: Tally) -> dict[str, int]:
    """All labels below `folder`, event to number of the class; of several for one event the last file's counts.

    `tally` counts files, lines and bad lines. Files may be gzip-compressed, as captured ones.

    Raises:
        DataError: there is no such folder.
    """
    labels: dict[str, int] = {}
    for path in capture.files(folder, tally=tally):
        tally.files += 1
        number = 0
        try:
            with capture.opened(path) as stream:
                for number, line in enumerate(stream, start=1):
                    if not line.strip():
                        continue
                    tally.lines += 1
                    try:
                        entry = json_text.parsed(line)
                        event = event_of(entry)
                        labels[event] = label(entry["groundTruthData"], classes)
                    except (ValueError, KeyError, TypeError) as error:
                        tally.bad += 1
                        tally.name(f"{path}:{number}: no label: {type(error).__name__}: {error}")
        except capture.UNREADABLE as error:
            tally.bad += 1
            tally.name(f"{path}:{number + 1}: the file cannot be read on: {error}")
    return labels


def event_of(entry: Any) -> str:
    """The event that a line's label is for.

    Raises:
        ValueError, KeyError, TypeError: it names none.
    """
    event = entry["eventMetadata"]["eventId"]
    if not isinstance(event, str) or not event.strip():
        raise ValueError(f"eventMetadata.eventId is {event!r:.40}")
    return event


def label(side: Mapping[str, Any], classes: Sequence[str]) -> int:
    """The number of the class in a `groundTruthData` side.

    Raises:
        ValueError: it is none.
    """
    found = content(side).decode("utf-8", "replace").strip().strip('"')
    try:
        return label_of(found, classes)
    except UsageError as error:
        raise ValueError(error.problem) from None

"""What people say the pictures show: ground truth in Model Monitor's format, one object in S3 per answer.

Nobody overwrites anybody: two people at once write two objects. A picture of none of the classes has no place in ground
truth, where a quality job would fail on it: the same form under SET_ASIDE remembers that somebody has looked. An
object's key says when the label was given, and by whom. Jobs do not travel with this module.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitoring.analysis import ground_truth
from monitoring.analysis.capture import SUFFIXES, Tally
from monitoring.analysis.ground_truth import NEITHER, NEITHER_NAME
from project import aws, json_text, s3
from project.errors import DataError, UsageError

TRUTH = "ground-truth"
SET_ASIDE = "set-aside"
UNNAMED = "unnamed"
AT_ONCE = 16
_KEY = re.compile(r"/(\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{6})-(.+)-[0-9a-f]{12}\.jsonl$")
"""How a label's object is named: the time of the answer, the reviewer, and what tells it from others."""
_HOUR = re.compile(r"/(\d{4}/\d\d/\d\d/\d\d)/[^/]+$")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Given:
    """A label that was just written; `label` is the number of the class or NEITHER."""

    key: str
    event: str
    label: int


@dataclass(frozen=True)
class Label:
    """A label that was found: where its key names nobody, `by` is UNNAMED and `at` the hour of its folder."""

    event: str
    label: int
    by: str
    at: datetime


def prefixes(endpoint: str) -> tuple[str, str]:
    """Where the labels for one endpoint's records lie: those that are classes, and those that are not."""
    return f"{TRUTH}/{endpoint}/", f"{SET_ASIDE}/{endpoint}/"


def number_of(name: str, classes: Sequence[str]) -> int:
    """The number of a class, by its name or number, or NEITHER.

    Raises:
        UsageError: there is no such class.
    """
    if name == NEITHER_NAME and name not in classes:
        return NEITHER
    try:
        return ground_truth.label_of(name, classes)
    except UsageError as error:
        raise UsageError(error.problem, f"Classes: {', '.join(classes)}, or {NEITHER_NAME}.") from None


def give(bucket: str, endpoint: str, event: str, label: int, by: str, now: datetime | None = None) -> Given:
    """Write one label; `event` is the record's inference id, or else its event id.

    Raises:
        SconesError: S3 refused or did not answer; nothing was written.
    """
    now = now or datetime.now(UTC)
    name = f"{now:%f}-{slug(by)}-{uuid.uuid4().hex[:12]}"
    key = prefixes(endpoint)[label == NEITHER] + ground_truth.key(now, name)
    with aws.explained(f"writing label s3://{bucket}/{key}"):
        aws.client("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=ground_truth.text({event: label}).encode(),
            ContentType="application/x-ndjson",
            IfNoneMatch="*",
        )
    return Given(key, event, label)


def read_all(bucket: str, endpoint: str, classes: Sequence[str], tally: Tally) -> list[Label]:
    """Every label for the endpoint's records, by the time at which it was given; `tally` counts what is none.

    Raises:
        SconesError: S3 refused or did not answer.
    """
    keys = [
        str(entry["Key"])
        for prefix in prefixes(endpoint)
        for entry in s3.list_objects(f"s3://{bucket}/{prefix}")
        if entry["Key"].endswith(SUFFIXES)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        contents = pool.map(lambda key: _content(f"s3://{bucket}/{key}"), keys)
        pairs = [(key, content) for key, content in zip(keys, contents, strict=True) if content is not None]
    found = [label for key, content in pairs for label in _of(key, content, classes, tally)]
    return sorted(found, key=lambda label: (label.at, label.by, label.event))


def read(key: str, content: bytes, classes: Sequence[str], tally: Tally) -> dict[str, int]:
    """The labels in one object: event to number of the class, or NEITHER; `tally` counts lines that are none."""
    if key.startswith(f"{SET_ASIDE}/"):
        return dict(_set_aside(key, content, tally))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "labels.jsonl"
        path.write_bytes(content)
        return ground_truth.read(path, classes, tally)


def reviewer_of(key: str) -> str:
    """Who gave the label, as its key has the name; UNNAMED for one that came by other means."""
    told = _KEY.search(key)
    return told[2] if told else UNNAMED


def given_at(key: str) -> datetime | None:
    """When the label was given; None for one that came by other means."""
    told = _KEY.search(key)
    return _time(told[1], "%Y/%m/%d/%H/%M-%S-%f") if told else None


def slug(by: str) -> str:
    """A person's name as part of a key."""
    return re.sub(r"[^A-Za-z0-9]+", "-", by).strip("-")[:40] or UNNAMED


def _content(uri: str) -> bytes | None:
    """An object's bytes; None for a label that was taken back meanwhile."""
    try:
        return s3.read(uri)
    except DataError:
        return None


def _of(key: str, content: bytes, classes: Sequence[str], tally: Tally) -> Iterator[Label]:
    hour = _HOUR.search(key)
    at = given_at(key) or (_time(hour[1], "%Y/%m/%d/%H") if hour else None) or LONG_AGO
    for event, label in read(key, content, classes, tally).items():
        yield Label(event, label, reviewer_of(key), at)


def _time(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:  # digits that are no time
        return None


def _set_aside(key: str, content: bytes, tally: Tally) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield ground_truth.event_of(json_text.parsed(line)), NEITHER
        except (ValueError, KeyError, TypeError) as error:
            tally.bad += 1
            tally.name(f"{key}:{number}: {error}")

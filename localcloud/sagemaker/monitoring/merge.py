"""Captured records joined with their labels, as AWS's merge job does before a model-quality analysis.

A label is a JSON line with `groundTruthData` whose eventMetadata.eventId is the record's inference id or, where the
caller gave none, its event id. What comes out is the captured line with `groundTruthData` beside its captureData.
Records without a label, and labels without a record, are left out. Of two labels for one record the later
file's counts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs.transfer import objects, split

log = logging.getLogger(__name__)
FORMAT_VERSION = "0"


def write(cloud: Cloud, captures: Iterable[str], truth: str, target: str) -> int:
    """Join what lies under the S3 folders `captures` with the labels under `truth`, into one file under `target`.

    Returns how many records that are; without any there is no file.
    """
    labels = dict(_labels(cloud, truth))
    merged = [line for uri in captures for line in _merged(_lines(cloud, uri), labels)]
    if merged:
        bucket, prefix = split(target.rstrip("/"))
        cloud.s3.put_object(Bucket=bucket, Key=f"{prefix}/merged.jsonl", Body="".join(merged).encode())
    return len(merged)


def _labels(cloud: Cloud, uri: str) -> Iterator[tuple[str, Any]]:
    for entry in _lines(cloud, uri.rstrip("/") + "/"):
        event = _metadata(entry).get("eventId")
        if event and isinstance(entry.get("groundTruthData"), dict):
            yield str(event), entry["groundTruthData"]


def _merged(records: Iterable[dict[str, Any]], labels: dict[str, Any]) -> Iterator[str]:
    for record in records:
        metadata = _metadata(record)
        for event in (metadata.get("inferenceId"), metadata.get("eventId")):
            if event in labels and "captureData" in record:
                joined = {"eventVersion": FORMAT_VERSION, "groundTruthData": labels[event], **record}
                yield json.dumps(joined, separators=(",", ":")) + "\n"
                break


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    found = entry.get("eventMetadata")
    return found if isinstance(found, dict) else {}


def _lines(cloud: Cloud, uri: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in all files under a prefix, in the order of their keys; other lines are said in the log."""
    for found in objects(cloud.s3, uri):
        body: bytes = cloud.s3.get_object(Bucket=found.bucket, Key=found.key)["Body"].read()
        for number, line in enumerate(body.splitlines(), start=1):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError) as error:
                log.warning("%s:%d is left out of the merge: %s", found.uri, number, error)
                continue
            if isinstance(entry, dict):
                yield entry

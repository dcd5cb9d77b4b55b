"""Every object under a prefix, cut into batches, and where a batch run keeps its work and its results.

batches/<run>/work.json               [{"index": 0, "keys": [...]}, ...]: what the distributed Map reads
batches/<run>/results/00000.json      one list of results per batch
batches/<run>/summary.json            counts, decisions, low-confidence keys
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from lambdas.objects import write_json
from lambdas.outcomes import BadInputError
from lambdas.service_errors import calling

ROOT = "batches"
MOST_BATCHES = 4000
"""Results that the summary reads one after the other, some 20 ms each, in a function's four minutes; and children of
one Map run, of which 10,000 run at most."""
MOST_KEYS = 500
"""Pictures that a function gets through in its four minutes with a quarter of a second for each."""
MOST_BYTES = 200_000
"""Of a batch's keys as JSON: a state's input has at most 262,144 bytes (quotas of Step Functions), with the rest of it.
A function's takes 6 MB."""


def work_key(run: str) -> str:
    """Key of a run's work list."""
    return f"{ROOT}/{run}/work.json"


def result_key(run: str, index: int) -> str:
    """Key of the results of batch `index`."""
    return f"{ROOT}/{run}/results/{index:05d}.json"


def summary_key(run: str) -> str:
    """Key of a run's summary."""
    return f"{ROOT}/{run}/summary.json"


def keys_under(s3: Any, bucket: str, prefix: str) -> list[str]:
    """Keys of every object under `prefix`, in S3's order; folder markers are left out.

    Raises:
        BadInputError: NoImages: there is none; BucketNotFound.
    """
    keys: list[str] = []
    with calling(f"listing s3://{bucket}/{prefix}"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys += [item["Key"] for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    if not keys:
        raise BadInputError("NoImages", f"There is nothing under s3://{bucket}/{prefix}.")
    return keys


def batches(keys: list[str], least: int) -> Iterator[list[str]]:
    """The keys in batches of `least`, or more where those would be too many; never longer than a state takes."""
    size = max(least, min(MOST_KEYS, math.ceil(len(keys) / MOST_BATCHES)))
    batch, length = list[str](), 0
    for key in keys:
        more = len(json.dumps(key)) + 2
        if batch and (len(batch) == size or length + more > MOST_BYTES):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += more
    if batch:
        yield batch


def write_work(s3: Any, bucket: str, run: str, keys: list[str], batch_size: int) -> int:
    """Write the work list of a run; returns how many batches it has."""
    work = [{"index": index, "keys": part} for index, part in enumerate(batches(keys, batch_size))]
    write_json(s3, bucket, work_key(run), work)
    return len(work)

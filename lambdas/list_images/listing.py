"""Every object under a prefix, cut into batches, and where a batch run keeps its work and its results.

batches/<run>/work.json               [{"index": 0, "keys": [...]}, ...]: what the distributed Map reads
batches/<run>/results/00000.json      one list of results per batch
batches/<run>/summary.json            counts, decisions, low-confidence keys
"""

from __future__ import annotations

from typing import Any

from lambdas.objects import write_json
from lambdas.outcomes import BadInputError
from lambdas.service_errors import calling

ROOT = "batches"


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


def write_work(s3: Any, bucket: str, run: str, keys: list[str], batch_size: int) -> int:
    """Write the work list of a run; returns how many batches it has."""
    parts = [keys[start : start + batch_size] for start in range(0, len(keys), batch_size)]
    work = [{"index": index, "keys": part} for index, part in enumerate(parts)]
    write_json(s3, bucket, work_key(run), work)
    return len(work)

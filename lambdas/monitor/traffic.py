"""Which captured files belong to a window: their list in S3, as a processing job takes it for an input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.monitor.watching import Watching
from lambdas.service_errors import calling

HOUR = timedelta(hours=1)


def write_manifest(host: Watching, s3: Any, start: datetime, end: datetime, job: str) -> str | None:
    """Write the list of files captured in the hours of the window; its address, or None when there is nothing.

    The hour before is among them: a file begun in one hour may end in the next. The program looks at every record's
    time.
    """
    prefix = f"captures/{host.endpoint}/"
    with calling(f"listing s3://{host.bucket}/{prefix}"):
        keys = sorted(set(_keys(host, s3, prefix, start - HOUR, end)))
    if not keys:
        return None
    key = f"monitor-inputs/{job}.manifest"
    body = json.dumps([{"prefix": f"s3://{host.bucket}/{prefix}"}, *(one.removeprefix(prefix) for one in keys)])
    with calling(f"writing s3://{host.bucket}/{key}"):
        s3.put_object(Bucket=host.bucket, Key=key, Body=body.encode())
    return f"s3://{host.bucket}/{key}"


def _keys(host: Watching, s3: Any, prefix: str, start: datetime, end: datetime) -> Iterator[str]:
    variants = s3.list_objects_v2(Bucket=host.bucket, Prefix=prefix, Delimiter="/").get("CommonPrefixes", [])
    pages = s3.get_paginator("list_objects_v2")
    for variant in (one["Prefix"] for one in variants):
        last = f"{variant}{end.astimezone(UTC):%Y/%m/%d/%H/}\U0010ffff"
        first = f"{variant}{start.astimezone(UTC):%Y/%m/%d/%H}"
        for page in pages.paginate(Bucket=host.bucket, Prefix=variant, StartAfter=first):
            for item in page.get("Contents", []):
                if item["Key"] > last:
                    break
                yield item["Key"]

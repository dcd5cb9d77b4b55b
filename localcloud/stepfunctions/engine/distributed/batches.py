"""ItemBatcher: several items become the input of one child execution.

AWS: developer guide, "ItemBatcher (Map)": `{"BatchInput": …, "Items": […]}`, at most MaxItemsPerBatch items and
MaxInputBytesPerBatch bytes, the BatchInput's own included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from localcloud.stepfunctions.engine.distributed.fields import READER_FAILED, evaluated, number
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str

MOST_BYTES = 256 * 1024
"""The input of a child execution."""

Batch = tuple[Any, int]
"""The input of a child execution, and how many items are in it."""


def batches(env: Any, batcher: dict[str, Any] | None, items: Iterable[Any], jsonata: bool) -> Iterator[Batch]:
    """The inputs of the child executions.

    Raises:
        FailureEventException: a path of the batcher leads to no number.
    """
    if not batcher:
        return ((item, 1) for item in items)
    most_items = number(env, batcher, "MaxItemsPerBatch", jsonata, READER_FAILED)
    most_bytes = number(env, batcher, "MaxInputBytesPerBatch", jsonata, READER_FAILED)
    shared = {"BatchInput": evaluated(env, batcher["BatchInput"], jsonata)} if "BatchInput" in batcher else {}
    return _grouped(items, shared, most_items, min(most_bytes or MOST_BYTES, MOST_BYTES))


def _grouped(items: Iterable[Any], shared: dict[str, Any], most_items: int | None, most_bytes: int) -> Iterator[Batch]:
    """Groups within both limits; an item that is too big by itself is a group."""
    empty = _size({**shared, "Items": []})
    group: list[Any] = []
    size = empty
    for item in items:
        more = _size(item) + bool(group)
        if group and (len(group) == most_items or size + more > most_bytes):
            yield {**shared, "Items": group}, len(group)
            group, size = [], empty
            more = _size(item)
        group.append(item)
        size += more
    if group:
        yield {**shared, "Items": group}, len(group)


def _size(value: Any) -> int:
    return len(to_json_str(value).encode())

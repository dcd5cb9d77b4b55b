"""Capture files as an endpoint writes them, from a few numbers."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from steps import png

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CLASSES = ("bicycle", "motorcycle")


def picture(random: np.random.Generator, *, shade: float = 1.0, noise: float = 0.0, side: int = 16) -> bytes:
    """A PNG of random colours around a random grey, darkened by `shade`."""
    base = (
        random.integers(60, 190, 3)
        + random.normal(0, 30, (side, side, 3))
        + random.normal(0, noise + 1e-9, (side, side, 3))
    )
    return png.encode(np.clip(base * shade, 0, 255).astype(np.uint8))


def entry(
    event: str,
    probabilities: Sequence[float] | None = (0.9, 0.1),
    sent: bytes | None = b"",
    time: datetime = NOON,
    inference_id: str = "",
    unfamiliarity: float | None = None,
) -> dict[str, Any]:
    """One captured request; without `probabilities` or `sent` (None) that side is absent."""
    captured: dict[str, Any] = {}
    if sent is not None:
        captured["endpointInput"] = side(base64.b64encode(sent).decode(), "BASE64", "image/png", "INPUT")
    if probabilities is not None and unfamiliarity is not None:
        line = json.dumps({"prediction": list(probabilities), "unfamiliarity": unfamiliarity}) + "\n"
        captured["endpointOutput"] = side(line, "JSON", "application/jsonlines", "OUTPUT")
    elif probabilities is not None:
        captured["endpointOutput"] = side(json.dumps(list(probabilities)), "JSON", "application/json", "OUTPUT")
    event_metadata = {"eventId": event, "inferenceTime": time.isoformat().replace("+00:00", "Z")}
    if inference_id:
        event_metadata["inferenceId"] = inference_id
    return {"captureData": captured, "eventMetadata": event_metadata, "eventVersion": "0"}


def side(data: str, encoding: str, content_type: str = "application/json", mode: str = "OUTPUT") -> dict[str, Any]:
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def write(file: Path, entries: Iterable[Any]) -> Path:
    """A file of `entries`; texts are written as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return file


def traffic(
    folder: Path,
    n: int,
    seed: int,
    *,
    start: datetime = NOON,
    every: timedelta = timedelta(seconds=10),
    shade: float = 1.0,
    noise: float = 0.0,
    sure: float = 12.0,
    share: float = 0.5,
    strange: float | None = None,
) -> Path:
    """`n` records in the endpoint's layout; `sure` is how confident the model is, `share` that of the first class.

    `strange`: the share of pictures that are unlike any training picture; None for a model that does not say it.
    """
    random = np.random.default_rng(seed)
    entries: dict[str, list[dict[str, Any]]] = {}
    for i in range(n):
        time = start + i * every
        best = 0.5 + 0.5 * random.beta(sure, 1.5)
        answer = (best, 1 - best) if random.random() < share else (1 - best, best)
        sent = picture(random, shade=shade, noise=noise)
        unlike = None if strange is None else 0.99 if random.random() < strange else 0.9 * float(random.random())
        where = f"{time:%Y/%m/%d/%H}/{time:%M}-00-000-{seed:04d}.jsonl"
        entries.setdefault(where, []).append(entry(f"event-{seed}-{i}", answer, sent, time, unfamiliarity=unlike))
    for where, lines in entries.items():
        write(folder / "scones-endpoint" / "AllTraffic" / where, lines)
    return folder


def end_at_once(*_: object) -> Any:
    """In place of a function that reads files in another process: the system ends that process."""
    os._exit(3)

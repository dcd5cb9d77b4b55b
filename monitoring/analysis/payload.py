"""One side of a captured request: the picture that was sent, or the probabilities that were answered.

A side is `{"data": text, "encoding": "JSON" | "CSV" | "BASE64", "observedContentType": ..., "mode": ...}`. Its encoding
is up to the endpoint's CaptureContentTypeHeader, not to its content type, so any side may have any.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from project import json_text

NUMBERS = {int, float}
SUM_TOLERANCE = 1e-3
"""How far from 1 probabilities may add up to: servers round and work in 32 bits."""

ANSWER_KEYS = ("probabilities", "prediction", "predictions", "scores", "inferences")
PICTURE_KEYS = ("image_data", "image", "data", "b64")


_DECODER = json.JSONDecoder()


def parsed(text: str) -> Any:
    """The JSON value in `text`: what json.loads gives, at two thirds of its cost for short texts.

    Raises:
        ValueError: it is not JSON; RecursionError: it is nested too deeply.
    """
    bare = text.strip()
    value, end = _DECODER.raw_decode(bare)
    if end != len(bare):
        raise ValueError(f"something follows the JSON value: {bare[end:]:.40}")
    return value


def is_empty(side: Any) -> bool:
    """Whether there is nothing on this side: it is absent, has no data, or says that it is empty."""
    return not isinstance(side, dict) or side.get("encoding") == "EMPTY" or side.get("data") in (None, "")


def content(side: Mapping[str, Any]) -> bytes:
    """The bytes that were on the wire.

    Raises:
        ValueError: unknown encoding, or data that is not what the encoding says; the text names what was found.
    """
    if not isinstance(side, Mapping):
        raise ValueError(f"{type(side).__name__} where an object must be")
    data, encoding = side.get("data"), side.get("encoding")
    if not isinstance(data, str):
        raise ValueError(f"data is {type(data).__name__}, not text")
    if encoding == "BASE64":
        try:
            return base64.b64decode("".join(data.split()) if "\n" in data else data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"not base64: {error}") from None
    if encoding in ("JSON", "CSV"):
        return data.encode("utf-8", "surrogatepass")
    raise ValueError(f"unknown encoding {encoding!r:.40}")


@dataclass(frozen=True)
class Answer:
    """The probabilities of one answer, in class order, and how unlike the training pictures it says that the picture
    is, 0 to 1; NaN if it does not say it."""

    probabilities: list[float]
    unfamiliarity: float


def answer(side: Mapping[str, Any], classes: int | None = None) -> Answer:
    """What was answered: a JSON list, a list of one such list, an object that holds one under a usual name, or CSV.

    Only an object can say how unfamiliar the picture is.

    Raises:
        ValueError: the answer is not `classes` numbers from 0 to 1 that add up to 1, or its unfamiliarity is no number
            from 0 to 1; the text says what it is.
    """
    if side.get("encoding") == "JSON" and isinstance(side.get("data"), str):
        text = side["data"]  # the usual case, without a detour through bytes
    else:
        text = content(side).decode("utf-8", "replace")
    value = _value(text)
    values = _listed(value, text)
    if not {*map(type, values)} <= NUMBERS:
        raise ValueError(f"not a list of numbers: {text:.60}")
    if classes is not None and len(values) != classes:
        raise ValueError(f"{len(values)} probabilities for {classes} classes")
    if not values or min(values) < 0 or max(values) > 1 or not abs(sum(values) - 1) <= SUM_TOLERANCE:  # of NaN too
        raise ValueError(f"not probabilities that add up to 1: {text:.60}")
    return Answer(values, _unfamiliarity(value))


def _unfamiliarity(value: Any) -> float:
    if not isinstance(value, dict) or "unfamiliarity" not in value:
        return math.nan
    said = value["unfamiliarity"]
    if type(said) not in NUMBERS or not 0 <= said <= 1:  # of NaN too
        raise ValueError(f"its unfamiliarity is {said!r:.40}, not a number from 0 to 1")
    return float(said)


def _value(text: str) -> Any:
    """What the text holds: a JSON value, or numbers with commas between."""
    try:
        value = parsed(text)
    except ValueError:
        return _comma_separated(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _comma_separated(value.strip().strip("[]")) if isinstance(value, str) else value  # JSON written twice


def _listed(value: Any, text: str) -> list[Any]:
    if isinstance(value, dict):
        value = next((value[key] for key in ANSWER_KEYS if key in value), None)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list):
        raise ValueError(f"not a list of numbers: {text:.60}")
    return value


def _comma_separated(text: str) -> list[float]:
    try:
        return [float(cell) for cell in text.strip().split(",")]
    except ValueError:
        raise ValueError(f"neither JSON nor comma-separated numbers: {text:.60}") from None


def picture(side: Mapping[str, Any]) -> bytes:
    """The picture that was sent: the bytes themselves, or base64 inside a JSON string or object.

    Raises:
        ValueError: there is no picture in this request; the text says what there is.
    """
    sent = content(side)
    if side.get("encoding") == "BASE64":
        return sent
    try:
        value = json_text.parsed(sent)
    except ValueError:
        raise ValueError(f"{side.get('encoding')} that holds no picture") from None
    if isinstance(value, dict):
        value = next((value[key] for key in PICTURE_KEYS if key in value), None)
    if not isinstance(value, str):
        raise ValueError("JSON that holds no picture")
    return content({"data": value.rpartition("base64,")[2], "encoding": "BASE64"})

"""The event of the three inference functions: `{image_data, s3_bucket, s3_key, inferences}`.

A model that says how unlike its training pictures a picture is adds `unfamiliarity`, from 0 to 1.

It may arrive bare or wrapped as `{"body": <object or JSON text>}`, and leaves as it arrived. Keys that the contract
does not name (`threshold`, `execution`) travel along untouched. An S3 notification and an EventBridge event about an
object are understood as well: the first has URL-encoded keys, the second has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger

from lambdas.outcomes import BadInputError, Outcome, OutcomeError

Fields = dict[str, Any]
MAX_KEY_BYTES = 1024
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
HTTP_STATUS: dict[Outcome, int] = {
    "ok": 200,
    "bad_input": 400,
    "low_confidence": 422,
    "unfamiliar": 422,
    "failed": 500,
    "retry": 503,
}


def answer(event: object, work: Callable[[Fields], Fields], log: Logger) -> Fields:
    """Run `work` on the event's fields and merge what it returns into them, with `outcome`.

    An OutcomeError becomes data: `outcome`, `error`, `cause`; the image data is left out, as no later step needs it.
    """
    fields: Fields = {}
    try:
        fields = unwrapped(event)
        result: Fields = {**fields, **work(fields), "outcome": "ok"}
    except OutcomeError as stop:
        image = address(fields)
        result = {**fields, "image_data": "", "outcome": stop.outcome, "error": stop.error, "cause": stop.cause(image)}
    log.info("answered", extra={"image": address(fields), "outcome": result["outcome"], "error": result.get("error")})
    return _wrapped_like(event, result)


def outcome_of(result: Fields) -> str:
    """The `outcome` in what `answer` returned, whether wrapped or not."""
    return str(unwrapped(result)["outcome"])


def unwrapped(event: object) -> Fields:
    """The fields of the event.

    Raises:
        BadInputError: it is not an object, or its `body` is neither an object nor JSON text of one.
    """
    if not isinstance(event, dict):
        raise BadInputError("BadEvent", f"The event must be an object, not {_kind(event)}.")
    inner = event.get("body", event)
    if isinstance(inner, str):
        try:
            inner = json.loads(inner, parse_constant=_no_constant)
        except ValueError as error:
            raise BadInputError("BadEvent", f"`body` is text, but not JSON: {error}.") from None
    if not isinstance(inner, dict):
        raise BadInputError("BadEvent", f"`body` must be an object or JSON text of one, not {_kind(inner)}.")
    return {**inner, **_object_of_s3_event(inner)}


def object_location(fields: Fields) -> tuple[str, str]:
    """Bucket and key of the picture, as S3 knows them.

    Raises:
        BadInputError: one is missing, is no text, or cannot name an object.
    """
    bucket, key = text(fields, "s3_bucket"), text(fields, "s3_key")
    if not BUCKET_NAME.fullmatch(bucket):
        raise BadInputError("BadEvent", f"`s3_bucket` is {bucket[:80]!r}, which is no bucket name.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise BadInputError("BadEvent", f"`s3_key` has {len(key.encode())} bytes; S3 allows {MAX_KEY_BYTES}.")
    if key.endswith("/"):
        raise BadInputError("BadEvent", f"`s3_key` {key!r} names a folder, not a picture.")
    return bucket, key


def text(fields: Fields, name: str) -> str:
    """The non-empty text under `name`.

    Raises:
        BadInputError: it is missing, null, empty or something else.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        found = _kind(value) if name in fields else "missing"
        raise BadInputError("BadEvent", f"`{name}` must be text; it is {found}.")
    if not value:
        raise BadInputError("BadEvent", f"`{name}` is empty.")
    return value


def execution_name(fields: Fields, otherwise: str) -> str:
    """The name of the execution that this call belongs to; `otherwise` when it was called by hand."""
    execution = fields.get("execution")
    return text(execution, "name") if isinstance(execution, dict) else otherwise


def address(fields: Fields) -> str | None:
    """`s3://bucket/key` when the event names one, for messages."""
    bucket, key = fields.get("s3_bucket"), fields.get("s3_key")
    return f"s3://{bucket}/{key}"[:1200] if isinstance(bucket, str) and isinstance(key, str) else None


def _object_of_s3_event(event: Fields) -> Fields:
    try:
        if "Records" in event:
            s3 = event["Records"][0]["s3"]
            return {"s3_bucket": s3["bucket"]["name"], "s3_key": unquote_plus(s3["object"]["key"])}
        if event.get("source") == "aws.s3":
            detail = event["detail"]
            return {"s3_bucket": detail["bucket"]["name"], "s3_key": detail["object"]["key"]}
    except (KeyError, IndexError, TypeError) as error:
        raise BadInputError("BadEvent", f"The S3 event lacks the object's place: {error!r}.") from None
    return {}


def _wrapped_like(event: object, result: Fields) -> Fields:
    if not isinstance(event, dict) or "body" not in event:
        return result
    body: object = json.dumps(result, allow_nan=False) if isinstance(event["body"], str) else result
    return {"statusCode": HTTP_STATUS[result["outcome"]], "body": body}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} in it is no JSON value")


def _kind(value: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)

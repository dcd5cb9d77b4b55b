"""The fields of the three inference functions: `{image_data, s3_bucket, s3_key, inferences}`.

A model that says how unlike its training pictures a picture is adds `unfamiliarity`, from 0 to 1.

Fields arrive in any of the forms of `lambdas.event_forms`. What arrived as `{"body": …}` leaves so; keys that the
contract does not name (`threshold`, `execution`) travel along untouched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from lambdas import json_text
from lambdas.event_forms import is_wrapped, kind, pictures
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
WORST_FIRST: tuple[Outcome, ...] = ("retry", "failed", "bad_input", "low_confidence", "unfamiliar", "ok")


def answer(event: object, work: Callable[[Fields], Fields], log: Logger) -> Fields:
    """Run `work` on the event's fields and merge what it returns into them, with `outcome`.

    An OutcomeError becomes data: `outcome`, `error`, `cause`; the image data is left out, as no later step needs it.
    An event of several records has an answer for each under `answers`, and the worst of their outcomes.
    """
    try:
        asked = _read(event)
    except OutcomeError as stop:
        return _wrapped_like(event, _failed({}, stop, log))
    results = [_answered(fields, work, log) for fields in asked]
    return _wrapped_like(event, results[0] if len(results) == 1 else _together(results))


def answered(result: Fields) -> Fields:
    """The fields in what `answer` returned, whether wrapped or not."""
    inner: Any = result["body"] if "statusCode" in result else result
    fields: Fields = json.loads(inner) if isinstance(inner, str) else inner
    return fields


def _read(event: object) -> list[Fields]:
    """What the event asks for.

    Raises:
        BadInputError: it is in none of the forms, cannot be answered in JSON, or is a state machine's with several
            pictures: an execution judges one.
    """
    if problem := json_text.problem(event):
        raise BadInputError("BadEvent", f"The event cannot be used: {problem}.")
    asked = pictures(event)
    if len(asked) > 1 and "execution" in asked[0]:
        raise BadInputError(
            "SeveralPictures",
            f"The request names {len(asked)} pictures, and an execution judges one: start one for each.",
        )
    return asked


def _answered(fields: Fields, work: Callable[[Fields], Fields], log: Logger) -> Fields:
    try:
        result: Fields = {**fields, **work(fields), "outcome": "ok"}
    except OutcomeError as stop:
        return _failed(fields, stop, log)
    log.info("answered", extra={"image": address(fields), "outcome": "ok", "error": None})
    return result


def _failed(fields: Fields, stop: OutcomeError, log: Logger) -> Fields:
    image = address(fields)
    log.info("answered", extra={"image": image, "outcome": stop.outcome, "error": stop.error})
    return {**fields, "image_data": "", "outcome": stop.outcome, "error": stop.error, "cause": stop.cause(image)}


def _together(results: list[Fields]) -> Fields:
    worst = min(results, key=lambda result: WORST_FIRST.index(result["outcome"]))
    told: Fields = {name: worst[name] for name in ("error", "cause") if name in worst}
    return {"answers": results, "outcome": worst["outcome"], **told}


def object_location(fields: Fields) -> tuple[str, str]:
    """Bucket and key of the picture, as S3 knows them.

    Raises:
        BadInputError: one is missing, is no text, or cannot name an object.
    """
    bucket, key = text(fields, "s3_bucket"), text(fields, "s3_key")
    if not BUCKET_NAME.fullmatch(bucket):
        raise BadInputError("BadEvent", f"`s3_bucket` is {json_text.shown(bucket)}, which is no bucket name.")
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
        found = kind(value) if name in fields else "missing"
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


def _wrapped_like(event: object, result: Fields) -> Fields:
    if not is_wrapped(event):
        return result
    as_text = isinstance(event, dict) and isinstance(event["body"], str)
    body: object = json.dumps(result, allow_nan=False) if as_text else result
    return {"statusCode": HTTP_STATUS[result["outcome"]], "body": body}

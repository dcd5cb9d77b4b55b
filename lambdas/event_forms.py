"""The forms in which the event of a function arrives, and the pictures that it names.

    {"s3_bucket": …, "s3_key": …}                      bare; so is whatever names what is to be done itself
    {"body": <object or JSON text>}                    API Gateway, function URLs
    {"source": "aws.s3", "detail": {…}}                EventBridge, about an object; its key is not encoded
    {"Records": [{"s3": {…}}, …]}                      S3; its keys are URL-encoded
    {"Records": [{"Sns": {"Message": …}}, …]}          SNS: the message is JSON text of any of these forms
    {"Records": [{"body": …}, …]}                      SQS: so is the body
    {"Type": "Notification", "Message": …}             SNS by way of SQS

Sources: the developer guides of S3 ("Event message structure"), EventBridge, SNS and SQS, and Lambda's examples.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from lambdas import json_text
from lambdas.outcomes import BadInputError

Fields = dict[str, Any]
NAMING = ("s3_key", "image_data", "inferences", "prefix", "keys")
"""An event with one of these is bare, whatever else it holds: that travels along untouched."""
TRAVELLING = ("execution", "threshold")
"""What may stand beside a wrapping, and counts for what is in it, whatever that says: a state machine notes its
execution there, and whoever sent the rest is not to speak in another one's name."""
DEEPEST = 6
"""Wrappings inside each other; SNS by way of SQS has three."""


def pictures(event: object) -> list[Fields]:
    """What the event asks for, one after the other; a bare event asks for one thing.

    Raises:
        BadInputError: it is not an object, or has none of the forms.
    """
    return _unwrapped(event, "The event", DEEPEST)


def is_wrapped(event: object) -> bool:
    """Whether the caller expects the answer as `{"statusCode", "body"}`; a state machine, which is noted, does not."""
    return isinstance(event, dict) and "body" in event and not {*NAMING, "execution", "Records"} & event.keys()


def kind(value: object) -> str:
    """What a value is, in JSON's words."""
    names: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _unwrapped(event: object, name: str, deepest: int) -> list[Fields]:
    if not isinstance(event, dict):
        raise BadInputError("BadEvent", f"{name} must be an object, not {kind(event)}.")
    if not deepest:
        raise BadInputError("BadEvent", f"The event holds more than {DEEPEST} wrappings inside each other.")
    if not event.keys().isdisjoint(NAMING):
        return [event]
    along = {field: event[field] for field in TRAVELLING if field in event}
    return [{**fields, **along} for fields in _inside(event, deepest)]


def _inside(event: Fields, deepest: int) -> list[Fields]:
    if "Records" in event:
        records = event["Records"]
        if not isinstance(records, list) or not records:
            raise BadInputError("BadEvent", "The event's `Records` must be a list with something in it.")
        return [fields for record in records for fields in _of_record(record, deepest)]
    if event.get("source") == "aws.s3":
        return [_place(event.get("detail"), encoded=False)]
    if event.get("Type") == "Notification" and "Message" in event:
        return _unwrapped(_parsed(event["Message"], "Message"), "`Message`", deepest - 1)
    if "body" in event:
        return _unwrapped(_parsed(event["body"], "body"), "`body`", deepest - 1)
    return [event]


def _of_record(record: object, deepest: int) -> list[Fields]:
    if isinstance(record, dict) and "s3" in record:
        return [_place(record["s3"], encoded=True)]
    if isinstance(record, dict) and isinstance(record.get("Sns"), dict):
        return _unwrapped(_parsed(record["Sns"].get("Message"), "Message"), "`Message`", deepest - 1)
    if isinstance(record, dict) and "body" in record:
        return _unwrapped(_parsed(record["body"], "body"), "`body`", deepest - 1)
    raise BadInputError("BadEvent", "A record in the event is none of S3, SNS or SQS.")


def _place(of_object: object, encoded: bool) -> Fields:
    try:
        bucket, key = of_object["bucket"]["name"], of_object["object"]["key"]  # type: ignore[index]
    except (KeyError, TypeError, IndexError) as error:
        raise BadInputError("BadEvent", f"The S3 event lacks the object's place: {error!r}.") from None
    return {"s3_bucket": bucket, "s3_key": unquote_plus(key) if encoded and isinstance(key, str) else key}


def _parsed(value: object, name: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json_text.parsed(value)
    except ValueError as error:
        raise BadInputError("BadEvent", f"`{name}` is text, but not JSON: {error}.") from None

"""Events that nobody should send to the functions of the inference workflow, and whether their answers are answers."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse
from lambda_support import CONTEXT, ENVIRONMENT, forget, picture
from mutations import mutated

from lambdas import clients
from lambdas.classify_batch.handler import handler as classify_batch
from lambdas.classify_image.handler import handler as classify
from lambdas.filter_inferences.handler import handler as decide
from lambdas.outcomes import Outcome
from lambdas.serialize_image.handler import handler as serialize

PLACE = {"s3_bucket": "scones-test", "s3_key": "incoming/a b+ü.png"}
OF_S3 = {"bucket": {"name": "scones-test"}, "object": {"key": "a+b.png"}}
NOTIFICATION = {"Records": [{"s3": OF_S3}, {"s3": {**OF_S3, "object": {"key": "second.png"}}}]}
ENVELOPE = {"Type": "Notification", "Message": json.dumps(NOTIFICATION)}
EVENTS: tuple[dict[str, Any], ...] = (
    PLACE,
    {**PLACE, "threshold": 0.5, "execution": {"name": "e"}},
    {"body": PLACE},
    {"body": json.dumps(PLACE)},
    {"body": {"body": {"body": json.dumps(PLACE)}}, "execution": {"name": "e"}},
    {**PLACE, "body": "note"},
    NOTIFICATION,
    {"source": "aws.s3", "detail": OF_S3},
    {"Records": [{"Sns": {"Message": json.dumps(NOTIFICATION)}}]},
    {"Records": [{"body": json.dumps(NOTIFICATION)}, {"body": json.dumps(ENVELOPE)}]},
    {"image_data": base64.b64encode(picture()).decode(), "execution": {"name": "e"}},
    {"inferences": [0.96, 0.04], "threshold": 0.93},
    {"body": json.dumps({"inferences": "[0.5, 0.5]"})},
    {"index": 0, "keys": ["a.png", "b.png"], "s3_bucket": "scones-test", "run": "r"},
)
ANSWERS: tuple[bytes, ...] = (
    *(b"[0.96, 0.04]", b"[0.5, 0.5]", b"[NaN, 1]", b"[1e999, 0]", b"", b"\xff\xfe", b'["\\ud800", 1]', b"{}"),
    b"[" * 20_000,
    b"[1" + b"0" * 400 + b", 0]",
    b"x" * 100_000,
)
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "serialize": serialize,
    "classify": classify,
    "filter": decide,
    "batch": classify_batch,
}
OUTCOMES = set(Outcome.__args__)  # type: ignore[attr-defined]
LONGEST_CAUSE = 8_000
"""Characters; a message that repeats what was sent grows with it."""


def faults_of_events(seed: int, count: int) -> Counter[str]:
    """What the functions answer to `count` wrong events, where that is no answer."""
    draw, found = random.Random(seed), Counter[str]()
    with _services(draw):
        for _ in range(count):
            name = draw.choice(list(FUNCTIONS))
            event = _wrong(draw)
            if said := _fault(FUNCTIONS[name], event):
                found[f"{name}: {said}"] += 1
    return found


def answered(event: bytes) -> Any:
    """What SerializeImage answers to an event, as Lambda gives it: JSON that Python's parser takes."""
    try:
        value = json.loads(event)
    except RecursionError:
        raise ValueError("no function is called: Lambda's own client cannot read it") from None
    with _services(random.Random(0)):
        return serialize(value, CONTEXT)


def _wrong(draw: random.Random) -> Any:
    event: Any = copy.deepcopy(draw.choice(EVENTS))
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        event = mutated(event, draw)
    if draw.random() < 0.2:
        event = {"body": json.dumps(event)}
    return event


def _fault(function: Callable[[Any, Any], Any], event: Any) -> str:
    try:
        result = function(event, CONTEXT)
        json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
        inner = result["body"] if "statusCode" in result else result
        answers = [json.loads(inner) if isinstance(inner, str) else inner]
        answers += answers[0].get("answers", [])
        return next(filter(None, map(_fault_of_answer, answers)), "")
    except Exception as error:  # what a fuzzer is for
        return f"{type(error).__name__}: {error}"[:300]


def _fault_of_answer(answer: dict[str, Any]) -> str:
    if answer["outcome"] not in OUTCOMES:
        return f"outcome {answer['outcome']!r}"
    if answer["outcome"] == "ok":
        return ""
    cause = json.loads(answer["cause"])
    if cause["error"] != answer["error"] or not cause["problem"]:
        return "an outcome without its reason"
    return f"a cause of {len(answer['cause'])} characters" if len(answer["cause"]) > LONGEST_CAUSE else ""


@contextlib.contextmanager
def _services(draw: random.Random) -> Iterator[None]:
    """A function's environment, in which services answer without a network; botocore checks requests as ever."""
    png = picture()

    def send(request: Any, **_: Any) -> AWSResponse:
        body = draw.choice(ANSWERS) if "/invocations" in request.url else b'{"Parameter": {"Value": "0.93"}}'
        if "s3" in request.url.partition("/invocations")[0].split("//")[1].split("/")[0]:
            body = png if request.method == "GET" else b""
        headers = {"content-length": str(len(body)), "content-type": "application/json"}
        return AWSResponse(request.url, 200, headers, _Raw(body))

    environment = {**ENVIRONMENT, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    logging.disable(logging.CRITICAL)
    try:
        with (
            mock.patch.dict(os.environ, environment),
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            forget()
            for client in (clients.s3(), clients.runtime(), clients.runtime(4), clients.ssm()):
                client.meta.events.register_first("before-send", send)
            yield
    finally:
        logging.disable(logging.NOTSET)
        forget()


class _Raw:
    """The body of an answer, as urllib3 gives it."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def read(self, amount: int | None = None, **_: Any) -> bytes:
        taken, self.body = self.body[:amount], self.body[amount or len(self.body) :]
        return taken

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()

    def close(self) -> None:
        """Nothing is open."""

"""What is no JSON does not reach a function."""

from __future__ import annotations

import pytest
from local_functions import Functions

SOURCE = "def handler(event, context):\n    return event\n"


@pytest.mark.parametrize("payload", [b"no json", b"{'a': 1}", b"\xff"])
def test_a_payload_that_is_no_json_is_refused(functions: Functions, payload: bytes) -> None:
    name = functions.create(SOURCE)
    with pytest.raises(functions.client.exceptions.InvalidRequestContentException, match="Could not parse"):
        functions.client.invoke(FunctionName=name, Payload=payload)
    assert functions.log(name) == []


@pytest.mark.parametrize(
    ("payload", "event"), [(b"", b"{}"), (b'"text"', b'"text"'), (b"null", b"null"), (b"[1]", b"[1]")]
)
def test_every_kind_of_json_is_an_event(functions: Functions, payload: bytes, event: bytes) -> None:
    name = functions.create(SOURCE)
    assert functions.client.invoke(FunctionName=name, Payload=payload)["Payload"].read() == event

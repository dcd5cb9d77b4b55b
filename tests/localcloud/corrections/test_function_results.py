"""Functions of a real local cloud answer, fail and log as AWS's runtime has them."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest
from cloud_fixtures import eventually
from local_functions import Functions

SOURCE = """
import base64, datetime, decimal, json, logging, os, signal, subprocess, sys, time
import boto3

logging.getLogger().setLevel(logging.INFO)


class TooBlurred(Exception):
    pass


def values(event, context):
    image = base64.b64encode(b"picture")
    return {"image": image, "share": decimal.Decimal("0.5"), "text": "gr\\u00fcn", "event": event}


def raw(event, context):
    return b"\\x00\\xff picture"


def unserializable(event, context):
    return {"when": datetime.datetime.now()}


def fails(event, context):
    raise TooBlurred("no edges")


def talks(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
    logging.info("measured %d", 7)
    logging.getLogger("of.a.library").warning("careful")
    sys.stdout.write("without an end")
    return {"pid": os.getpid(), "request": context.aws_request_id, "zone": time.tzname[0]}


def slow(event, context):
    print("before")
    time.sleep(60)


def leaves(event, context):
    sys.exit(event)


def is_killed(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def context_of(event, context):
    return [context.function_name, context.memory_limit_in_mb, context.get_remaining_time_in_millis() <= 3000]
"""


def test_results_hold_bytes_and_decimals(functions: Functions) -> None:
    kind, payload, _ = functions.call(functions.create(SOURCE, "index.values"), ["a", {"b": None}])
    assert kind is None
    expected = {"image": base64.b64encode(b"picture").decode(), "share": 0.5, "text": "grün"}
    assert json.loads(payload) == {**expected, "event": ["a", {"b": None}]}


def test_returned_bytes_are_the_payload(functions: Functions) -> None:
    assert functions.call(functions.create(SOURCE, "index.raw"))[1] == b"\x00\xff picture"


def test_an_exception_is_named_by_its_class_and_the_function_stays_warm(functions: Functions) -> None:
    name = functions.create(SOURCE, "index.fails")
    first, second = functions.error(name), functions.error(name)
    assert (first["errorType"], first["errorMessage"]) == ("TooBlurred", "no edges")
    assert first["stackTrace"] == ['  File "/var/task/index.py", line 26, in fails\n    raise TooBlurred("no edges")\n']
    assert uuid.UUID(first["requestId"]) != uuid.UUID(second["requestId"])


def test_a_result_that_is_no_json_is_a_marshal_error(functions: Functions) -> None:
    error = functions.error(functions.create(SOURCE, "index.unserializable"))
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == ("Unable to marshal response: Object of type datetime is not JSON serializable")


@pytest.mark.parametrize(
    ("handler", "source", "kind", "message"),
    [
        (
            "index.handler",
            "import no_such_thing",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'no_such_thing'",
        ),
        ("index.other", "", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'index'"),
        ("index.handler", "def", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index': "),
        ("index.handler", "raise LookupError('at import')", "LookupError", "at import"),
    ],
)
def test_what_goes_wrong_before_the_handler_has_aws_name(
    functions: Functions, handler: str, source: str, kind: str, message: str
) -> None:
    name = functions.create(source, handler)
    for error in (functions.error(name), functions.error(name)):
        assert error["errorType"] == kind
        assert error["errorMessage"].startswith(message)


def test_a_function_that_takes_too_long_is_ended(functions: Functions) -> None:
    name = functions.create(SOURCE, "index.slow", Timeout=1)
    kind, payload, log = functions.call(name)
    error = json.loads(payload)
    assert (kind, error["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert error["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    assert "before" in log


@pytest.mark.parametrize(
    ("handler", "event", "reason"),
    [
        ("index.leaves", 3, "Runtime exited with error: exit status 3"),
        ("index.leaves", 0, "Runtime exited without providing a reason"),
        ("index.is_killed", None, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_function_that_ends_its_process_says_how(functions: Functions, handler: str, event: Any, reason: str) -> None:
    name = functions.create(SOURCE, handler)
    for error in (functions.error(name, event), functions.error(name, event)):
        assert error["errorType"] == "Runtime.ExitError"
        assert error["errorMessage"].startswith("RequestId: ")
        assert error["errorMessage"].endswith(f" Error: {reason}")


def test_everything_that_is_said_reaches_the_log_in_order(functions: Functions) -> None:
    name = functions.create(SOURCE, "index.talks")
    _, payload, log = functions.call(name)
    answer = json.loads(payload)
    lines = log.split("\n")
    assert [line for line in lines if line.startswith(("printed", "to stderr", "by a child"))] == lines[:3]
    assert lines[3].startswith("[INFO]\t")
    assert lines[3].endswith(f"Z\t{answer['request']}\tmeasured 7")
    assert lines[4].startswith("[WARNING]\t")
    assert lines[5:] == ["without an end"]
    assert answer["zone"] == "UTC"
    _, again, second = functions.call(name)
    assert json.loads(again)["pid"] == answer["pid"]
    assert second.count("measured 7") == 1
    assert answer["request"] not in second
    eventually(lambda: sum("measured 7" in line for line in functions.log(name)) == 2)


def test_the_context_is_the_runtimes(functions: Functions) -> None:
    name = functions.create(SOURCE, "index.context_of")
    assert json.loads(functions.call(name)[1]) == [name, "128", True]


def test_a_function_that_calls_no_service_does_not_load_botocore(functions: Functions) -> None:
    name = functions.create("import sys\ndef handler(event, context):\n    return 'botocore' in sys.modules\n")
    assert functions.call(name)[1] == b"false"

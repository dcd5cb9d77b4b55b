"""More calls than the machine takes at once: they wait, each gets its answer, and none waits for its own caller."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cloud_fixtures import eventually
from local_functions import Functions

from localcloud import parts

BRIEF = "import time\ndef handler(event, context):\n    time.sleep(0.05)\n    return event\n"
CALLS_ITSELF = """
import json, boto3
client = boto3.client("lambda")

def handler(event, context):
    if event == 0:
        return "deep"
    inner = client.invoke(FunctionName=context.function_name, Payload=json.dumps(event - 1))
    return [json.load(inner["Payload"])]
"""


def test_calls_beyond_the_limit_wait_their_turn(functions: Functions) -> None:
    name, calls = functions.create(BRIEF), 8 * parts.FUNCTIONS_AT_ONCE
    with ThreadPoolExecutor(calls) as pool:
        answers = list(pool.map(lambda number: functions.call(name, number), range(calls)))
    assert [(kind, json.loads(payload)) for kind, payload, _ in answers] == [(None, n) for n in range(calls)]


def test_functions_that_wait_for_functions_do_not_wait_for_each_other(functions: Functions) -> None:
    name = functions.create(CALLS_ITSELF, Timeout=60)
    with ThreadPoolExecutor(parts.FUNCTIONS_AT_ONCE) as pool:
        answers = list(pool.map(lambda _: functions.call(name, 1), range(parts.FUNCTIONS_AT_ONCE)))
    assert {payload for _, payload, _ in answers} == {b'["deep"]'}


def test_asynchronous_events_wait_too_and_none_is_lost(functions: Functions) -> None:
    name, events = functions.create(BRIEF), 8 * parts.FUNCTIONS_AT_ONCE
    for number in range(events):
        functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(number))
    eventually(lambda: sum(line.startswith("REPORT") for line in functions.log(name)) == events)


def test_a_functions_own_reserve_is_a_limit_at_once(functions: Functions) -> None:
    name = functions.create(BRIEF)
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.client.exceptions.TooManyRequestsException) as refused:
        functions.call(name)
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429

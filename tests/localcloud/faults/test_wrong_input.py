"""Requests and definitions that are wrong in any way are refused; none makes the server fail.

A longer search, with seeds of one's own: benchmarks/fuzz/wrong_input.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_support import World, definition, processing, world_on
from mutations import DEEP, fault
from wrong_input import faults_of_definitions, faults_of_requests

from localcloud.sagemaker import operations
from localcloud.sagemaker.errors import ServiceError
from localcloud.service.endpoint import parsed


def test_no_wrong_request_makes_the_server_fail(tmp_path: Path) -> None:
    operations.load()
    with world_on(tmp_path / "state") as world:
        assert faults_of_requests(world, seed=14, count=2_000) == {}


def test_no_wrong_definition_makes_the_server_fail(world: World) -> None:
    found, ran = faults_of_definitions(world, seed=14, count=700, runs=10)
    assert found == {}
    assert ran == 10


@pytest.mark.parametrize(
    "body",
    [
        b'{"NameContains": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"CreationTimeAfter": 1e400}',
        b'{"CreationTimeAfter": 1' + b"0" * 30 + b"}",
        b'{"CreationTimeAfter": "soon"}',
        b'{"MaxResults": 1' + b"0" * 30 + b"}",
        b'{"NameContains": ["a"]}',
        b'{"NameContains": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"NameContains": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"NameContains": NaN}',
        b"[]",
        b"",
    ],
)
def test_what_cannot_be_read_is_a_serialization_exception(world: World, body: bytes) -> None:
    if not body:
        assert world.cloud.call("ListModels", parsed(body)) == {"Models": []}
        return
    with pytest.raises(ServiceError) as refused:
        world.cloud.call("ListModels", parsed(body))
    assert refused.value.code == "SerializationException"
    assert refused.value.message.encode()


def test_what_is_null_is_absent(world: World) -> None:
    body = b'{"NameContains": null, "SortBy": null, "CreationTimeAfter": null, "MaxResults": null, "NextToken": null}'
    assert world.cloud.call("ListModels", parsed(body)) == {"Models": []}
    step = {**processing("a"), "DependsOn": None, "CacheConfig": None, "RetryPolicies": None, "PropertyFiles": None}
    world.create(definition(step, parameters=[{"Name": "P", "Type": "String", "DefaultValue": None}], Metadata=None))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Steps": 3}, "Steps is an integer, and must be a list"),
        ({"Steps": [], "Parameters": {"Name": "P"}}, "Parameters is an object, and must be a list"),
        ({"Steps": [{"Name": "a", "Type": ["Fail"]}]}, r"step 'a' is of type \['Fail'\]"),
        ({"Steps": [{"Name": "a", "Type": "Fail", "DependsOn": "b"}]}, r"DependsOn is a string, and must be a list"),
        ({"Steps": ["a"]}, r"Steps\[0\] is a string, and must be an object"),
    ],
)
def test_a_member_of_the_wrong_type_is_named(world: World, change: dict[str, object], said: str) -> None:
    text = json.dumps({"Version": "2020-12-01", **change})
    with pytest.raises(ServiceError, match=said) as refused:
        world.create(text)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    "text",
    [
        '{"Version": "\\ud800"}',
        '{"Version": 1' + "0" * 400 + "}",
        "[" * DEEP + "]" * DEEP,
        '{"a":' * 150 + "1" + "}" * 150,
    ],
)
def test_a_definition_that_cannot_be_read_is_refused(world: World, text: str) -> None:
    with pytest.raises(ServiceError, match=r"Unable to parse pipeline definition\. it is not JSON"):
        world.create(text)


def test_the_search_sees_a_failure(world: World) -> None:
    def broken(operation: str, request: object) -> None:
        raise KeyError("PipelineName")

    assert fault(broken, "ListModels", b"{}") == "KeyError: 'PipelineName'"

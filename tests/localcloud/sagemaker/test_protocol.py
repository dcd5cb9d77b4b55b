from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.sagemaker import protocol
from localcloud.sagemaker.errors import ServiceError

MODEL = {
    "ModelName": "m",
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/example-role",
    "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://b/k"},
}


def refusal(operation: str, request: object) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        protocol.check_request(operation, request)
    return caught.value


def test_a_good_request_passes_unchanged() -> None:
    assert protocol.check_request("CreateModel", MODEL) == MODEL


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ModelName": None}, "Value null at 'modelName' failed to satisfy constraint: Member must not be null"),
        ({"ModelName": "a b"}, "'modelName' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"ModelName": "a" * 64}, "at 'modelName' failed to satisfy constraint: Member must have length less than"),
        ({"Colour": "red"}, "Unknown parameter in input: 'colour'"),
        ({"PrimaryContainer": {"Mode": "Both"}}, r"Member must satisfy enum value set: \[SingleModel, MultiModel\]"),
        ({"PrimaryContainer": {"Environment": {"a": "x" * 1025}}}, "'primaryContainer.environment.a.member'"),
    ],
)
def test_a_broken_constraint_is_a_validation_exception_that_names_it(change: dict[str, object], text: str) -> None:
    error = refusal("CreateModel", {**MODEL, **change})
    assert error.code == "ValidationException"
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(error.message)


@pytest.mark.parametrize("value", [3, True, ["m"], {"m": 1}])
def test_a_value_of_the_wrong_type_is_a_serialization_exception(value: object) -> None:
    assert refusal("CreateModel", {**MODEL, "ModelName": value}).code == "SerializationException"


def test_a_boolean_is_not_an_integer() -> None:
    request = {"MaxResults": True}
    assert refusal("ListModels", request).code == "SerializationException"


def test_numbers_outside_their_range_are_refused() -> None:
    assert "less than or equal to 100" in refusal("ListModels", {"MaxResults": 101}).message


def test_several_problems_are_counted() -> None:
    assert refusal("CreateModel", {"ModelName": "a b", "ExecutionRoleArn": "r" * 20}).message.startswith("2 v")


def test_an_operation_that_does_not_exist_is_unknown() -> None:
    assert refusal("MakeTea", {}).code == "UnknownOperationException"


def test_an_answer_holds_known_members_only_and_times_as_seconds() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    body = {"ModelName": "m", "CreationTime": moment, "Secret": 1, "PrimaryContainer": {"Image": "i", "Mode": None}}
    assert protocol.response_body("DescribeModel", body) == {
        "ModelName": "m",
        "CreationTime": moment.timestamp(),
        "PrimaryContainer": {"Image": "i"},
    }


def test_an_answer_of_the_wrong_type_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match=r"DescribeModel\.ModelName"):
        protocol.response_body("DescribeModel", {"ModelName": 3})


def test_tags_are_letters_digits_and_some_signs_of_any_script() -> None:
    request = {"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p"}
    protocol.check_request("AddTags", {**request, "Tags": [{"Key": "sagemaker:größe", "Value": "a b@c"}]})
    with pytest.raises(ServiceError, match="regular expression"):
        protocol.check_request("AddTags", {**request, "Tags": [{"Key": "a;b", "Value": ""}]})

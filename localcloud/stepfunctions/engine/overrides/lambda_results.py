"""The result of lambda:invoke has the HTTP metadata of AWS's SDK.

AWS: recorded answers; `SdkHttpMetadata` and `SdkResponseMetadata` beside `Payload`, `StatusCode` and `ExecutedVersion`.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

MEMBERS = ("ExecutedVersion", "FunctionError", "LogResult", "Payload", "StatusCode")


def apply() -> None:
    """Replace what selects the members of the result."""
    lambda_eval_utils.select_from_typed_dict = with_metadata


def with_metadata(typed_dict: Any, obj: dict[str, Any]) -> dict[str, Any]:
    """The result of a function, from boto3's answer."""
    return {**{name: obj[name] for name in MEMBERS if name in obj}, **sdk_metadata(obj["ResponseMetadata"])}


def sdk_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """boto3's metadata of an answer as AWS's SDK shows it."""
    headers = {name.title(): value for name, value in metadata.get("HTTPHeaders", {}).items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": metadata.get("HTTPStatusCode"),
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
    }

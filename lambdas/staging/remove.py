"""Nothing of staging stays behind: the endpoint, which bills, and its configurations, which do not."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from lambdas import configuration
from lambdas.deploy.endpoint import described_endpoint
from lambdas.deploy.plan import IN_FLIGHT
from lambdas.outcomes import FailedError
from lambdas.service_errors import calling
from lambdas.staging.names import config_names

MISSING = "Could not find"
"""How SageMaker begins to say, in a ValidationException, that there is no such thing."""


def everything(sagemaker: Any, name: str) -> dict[str, Any]:
    """Delete the endpoint and its configurations; what is gone already is no error."""
    result = endpoint(sagemaker, name)
    for config in config_names(name):
        with calling(f"deleting endpoint configuration {config}"):
            _delete(sagemaker.delete_endpoint_config, EndpointConfigName=config)
    return result


def endpoint(sagemaker: Any, name: str) -> dict[str, Any]:
    """Delete the endpoint once nothing is under way: SageMaker deletes none that is being created.

    Its configurations stay: an execution that is resumed needs them.

    Raises:
        FailedError: it is still being created when the function's time is almost over. Lambda calls it again.
    """
    until = time.monotonic() + configuration.whole("REMOVE_SECONDS", 540)
    pause = 1.0
    while (found := described_endpoint(sagemaker, name)) and found["EndpointStatus"] in IN_FLIGHT - {"Deleting"}:
        if time.monotonic() > until:
            raise FailedError("EndpointBusy", f"Endpoint {name} is still {found['EndpointStatus']}.")
        time.sleep(pause)
        pause = min(2 * pause, 15.0)
    if found is None or found["EndpointStatus"] == "Deleting":
        return {"removed": "nothing"}
    with calling(f"deleting endpoint {name}"):
        _delete(sagemaker.delete_endpoint, EndpointName=name)
    return {"removed": name}


def _delete(call: Any, **named: str) -> None:
    try:
        call(**named)
    except ClientError as error:
        if MISSING not in error.response["Error"].get("Message", ""):
            raise

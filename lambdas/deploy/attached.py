"""The SSM parameter that names the version in use: written last by a deployment, so it proves the rest."""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from lambdas import configuration, json_text
from lambdas.deploy.plan import DeployPlan
from lambdas.service_errors import calling


def attached_config(ssm: Any) -> str | None:
    """The endpoint configuration of the last run that got to its end; None before the first."""
    config: str | None = attached_version(ssm).get("endpoint_config")
    return config


def attached_version(ssm: Any) -> dict[str, Any]:
    """What the last run that got to its end wrote; empty before the first."""
    parameter = configuration.required("LIVE_PARAMETER")
    with calling(f"reading parameter {parameter}"):
        try:
            value = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return {}
            raise
    try:
        written = json_text.parsed(value)
    except ValueError:
        return {}  # by hand: attaching replaces it
    return written if isinstance(written, dict) else {}


def write_attached(ssm: Any, plan: DeployPlan) -> None:
    """Say that the plan's version is the one in use."""
    parameter = configuration.required("LIVE_PARAMETER")
    with calling(f"writing parameter {parameter}"):
        ssm.put_parameter(Name=parameter, Value=json.dumps(live_version(plan)), Type="String", Overwrite=True)


def forget_attached(ssm: Any) -> None:
    """Say that no version is in use, as before the first deployment."""
    parameter = configuration.required("LIVE_PARAMETER")
    with calling(f"writing parameter {parameter}"):
        ssm.put_parameter(Name=parameter, Value="{}", Type="String", Overwrite=True)


def live_version(plan: DeployPlan) -> dict[str, Any]:
    """What the parameter holds."""
    return {
        "model_package_arn": plan["target_arn"],
        "version": plan["version"],
        "endpoint": plan["endpoint"],
        "endpoint_config": plan["config"],
        "classes": list(configuration.classes()),
        "since": int(time.time()),
        **({"max_instances": plan["max_instances"]} if plan.get("max_instances") else {}),
    }

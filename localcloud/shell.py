"""What `localcloud env` gives a shell beside the addresses: settings of the SageMaker SDK, and the guard.

SDK settings: without them `default_bucket()` asks AWS's own STS for the account, at an address that the SDK names
itself, and telemetry goes to an address of AWS (SDK v2 and v3, `sagemaker.core.config`). In a guarded shell STS is the
local one, and the shell's identity is a role, because `get_execution_role()` takes no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud import guard
from localcloud.environment import ACCOUNT, Addresses, variables

ROLE = "LocalCloudExecutionRole"
SDK_SETTINGS = "sagemaker-sdk.yaml"
AWS_SETTINGS = "aws-config"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SERVICES = ("sagemaker", "lambda", "states", "events", "scheduler", "pipes", "cloudformation")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {
                "AWS": f"arn:aws:iam::{ACCOUNT}:root",
                "Service": [f"{service}.amazonaws.com" for service in _SERVICES],
            },
            "Action": "sts:AssumeRole",
        }
    ],
}
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def write_variables(state: Path, addresses: Addresses) -> dict[str, str]:
    """The variables of a shell that uses the local cloud; the file that one of them names is written."""
    settings = state / SDK_SETTINGS
    bucket = f"sagemaker-{addresses.region}-{ACCOUNT}"
    _write(
        settings,
        "# Settings of the SageMaker SDK, versions 2 and 3: written by `localcloud env`.\n"
        "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n"
        f"      TelemetryOptOut: true\n      Session:\n        DefaultS3Bucket: {bucket}\n",
    )
    return {**variables(addresses), "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings)}


def write_guarded_variables(state: Path, addresses: Addresses, environ: Mapping[str, str]) -> dict[str, str]:
    """The same for a guarded shell; the role that its clients assume is made, if it is not there.

    Instead of keys there is a profile that assumes the role, so that a session which ends is renewed.
    """
    _create_role(addresses)
    profile = state / AWS_SETTINGS
    _write(
        profile,
        "# A guarded shell's identity is the role, as a notebook's is: written by `localcloud env --guard`.\n"
        f"[default]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/{ROLE}\nrole_session_name = shell\n"
        "source_profile = root\n\n[profile root]\naws_access_key_id = test\naws_secret_access_key = test\n",
    )
    folder = str(Path(guard.__file__).parent)
    others = [one for one in environ.get("PYTHONPATH", "").split(os.pathsep) if one and one != folder]
    wanted = write_variables(state, addresses)
    return {
        **{name: value for name, value in wanted.items() if name not in KEYS},
        "AWS_CONFIG_FILE": str(profile),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": os.pathsep.join([folder, *others]),
    }


def _create_role(addresses: Addresses) -> None:
    import boto3  # half a second, which a shell without the guard need not wait

    iam: Any = boto3.Session("test", "test", region_name=addresses.region).client(
        "iam", endpoint_url=addresses.ministack
    )
    try:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
    except iam.exceptions.EntityAlreadyExistsException:
        return
    iam.put_role_policy(RoleName=ROLE, PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

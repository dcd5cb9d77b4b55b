"""Environment variables that point AWS clients at the local cloud, for a shell and for the cloud's own processes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
ACCOUNT = "000000000000"
EVENTS_PATH = "/_localcloud/events"
"""Where MiniStack's port takes events of `aws.states` from the local Step Functions; clients may not send any."""
ROLES_PATH = "/_localcloud/roles"
"""Where MiniStack's port answers the other parts' questions about roles, when they are enforced."""
ROLES_CHECKED = "x-localcloud-roles"
"""Header with which MiniStack tells the local Step Functions that it has looked at the roles in a request."""
UNTRUSTED_BY_STATES = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role."
)
"""AWS's words, as public issues quote them (lumigo-CLI 83)."""
MARK = "LOCALCLOUD_PART_OF"
"""Set, to the state folder, in every process of a local cloud and so in what those start: how leftovers are found.

It is never part of what a user's shell is given.
"""

_KEPT = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES"}
_KEPT |= {"LOCALCLOUD_CAPTURE_SECONDS"}  # how long data capture may hold a record back
_KEPT |= {"LOCALCLOUD_WRITABLE"}  # what jobs and functions may write to beside their own folders
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")


@dataclass(frozen=True)
class Addresses:
    """Where one local cloud listens, always on the loopback interface."""

    ministack_port: int
    sagemaker_port: int
    region: str = "us-east-1"
    stepfunctions_port: int = 4568

    @property
    def ministack(self) -> str:
        return f"http://{HOST}:{self.ministack_port}"

    @property
    def sagemaker(self) -> str:
        return f"http://{HOST}:{self.sagemaker_port}"

    @property
    def stepfunctions(self) -> str:
        return f"http://{HOST}:{self.stepfunctions_port}"


def variables(addresses: Addresses) -> dict[str, str]:
    """What a client needs in its environment: endpoints, credentials that the local cloud takes, the region.

    `AWS_EC2_METADATA_DISABLED` keeps SDKs from asking the network for an instance's credentials, and
    `SAGEMAKER_VALIDATE_ROLE` keeps the SageMaker SDK from simulating policies before each call. Of our own,
    `LOCALCLOUD_LAMBDA_LAYERS` says that Lambda functions run in this interpreter: a layer is made of what is installed.
    """
    return {
        "AWS_ENDPOINT_URL": addresses.ministack,
        "AWS_ENDPOINT_URL_SAGEMAKER": addresses.sagemaker,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": addresses.sagemaker,
        "AWS_ENDPOINT_URL_SFN": _prefixable(addresses.stepfunctions_port),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": addresses.region,
        "AWS_REGION": addresses.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "LOCALCLOUD_LAMBDA_LAYERS": "installed",
    }


def _prefixable(port: int) -> str:
    """An address that bears botocore's host prefixes.

    StartSyncExecution and TestState go to `sync-` before the host, and no such name leads to the loopback interface
    everywhere. Before a user name the prefix changes that name, which nobody reads.
    """
    return f"http://local@{HOST}:{port}"


def in_the_way(environ: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Names of variables in `environ` that would send a client somewhere else in spite of `wanted`.

    A profile or session token left over from real work, and service endpoints such as `AWS_ENDPOINT_URL_S3`, which
    win over `AWS_ENDPOINT_URL`.
    """
    endpoints = [name for name in environ if name.startswith("AWS_ENDPOINT_URL_") and name not in wanted]
    return sorted([*endpoints, *(name for name in _IN_THE_WAY if name in environ)])


def shell_lines(wanted: Mapping[str, str], environ: Mapping[str, str], unwanted: Iterable[str] = ()) -> list[str]:
    """Lines for `eval` in sh or bash; behind a proxy, the loopback interface is excepted from it.

    Args:
        wanted: what is exported.
        environ: the shell's own variables; those in the way are unset, and so are the `unwanted` ones.
    """
    wanted = dict(wanted)
    unset = [*in_the_way(environ, wanted), *sorted(unwanted)]
    if any(environ.get(name) for name in _PROXIES):
        direct = [HOST, *filter(None, (environ.get("no_proxy") or environ.get("NO_PROXY", "")).split(","))]
        wanted |= dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(dict.fromkeys(direct)))
    lines = [f"unset {' '.join(unset)}"] if unset else []
    return lines + [f"export {name}={shlex.quote(value)}" for name, value in wanted.items()]


def for_processes(addresses: Addresses, state: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the cloud's own processes, made from an allow-list.

    MiniStack hands its whole environment to Lambda functions: nothing of the user's shell (credentials, endpoints,
    proxies, PYTHONPATH) may be in it. The SageMaker addresses must be: that is how functions find the local SageMaker.
    Step Functions they reach through MiniStack's port, which holds them to their roles.
    """
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")}
    return {
        **kept,
        **variables(addresses),
        "AWS_ENDPOINT_URL_SFN": _prefixable(addresses.ministack_port),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        MARK: state,
    }

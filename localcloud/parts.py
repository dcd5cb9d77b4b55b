"""The parts of the local cloud: MiniStack, the local SageMaker and the local Step Functions, each with a health check.

MiniStack (`ministack`, pinned, MIT) is driven through its ASGI application, environment variables and HTTP paths, and
served behind our door (door.py) with our corrections applied (corrections/). What matters about it here:

- It asks for no credentials that mean anything, and runs Lambda code: whoever reaches its port acts as this user. It is
  bound to 127.0.0.1 and refuses web pages, but every local user's programs can still reach it. It is a development
  tool, not a boundary.
- S3 objects are on disk at once. Everything else (roles, stacks, functions, rules, metrics) it writes only when it is
  ended by SIGTERM; no public request makes it save. After kill -9 or a power cut those resources are as they were at
  the last clean end, `up` says so. Whoever made them makes them again; buckets that are still there can be adopted.
- A Docker socket would make it look for containers, and IoT, SFTP and SSL would open more ports: all are off.
"""

from __future__ import annotations

import http.client
import os
import sys
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from localcloud import image_table
from localcloud.corrections import ANY_MINISTACK, TESTED_MINISTACK, is_tested
from localcloud.environment import HOST, Addresses, for_processes
from localcloud.errors import LocalCloudError
from localcloud.isolation import offer
from localcloud.isolation.offer import Isolation

MINISTACK = "ministack"
SAGEMAKER = "sagemaker"
STEPFUNCTIONS = "stepfunctions"
ORDER = (MINISTACK, SAGEMAKER, STEPFUNCTIONS)
"""The order of starting; they end in the opposite one, because jobs that end still write to S3."""
FUNCTIONS_AT_ONCE = min(16, max(4, 2 * (os.cpu_count() or 1)))
"""How many Lambda invocations run side by side; more wait (corrections/waiting_for_functions.py).

Each is a process of some 50 MB; idle ones end (corrections/idle_functions.py). MiniStack's own limit would let a
hundred pictures that land at once take more memory than there is. Where functions have no /tmp of their own, one runs
at a time: of two that download to the same name, one would get the other's file.
"""
_SAGEMAKER_SETTINGS = ("LOCALCLOUD_CAPTURE_SECONDS",)
"""Variables of the user's shell that the local SageMaker reads: how long a captured invocation waits for its file."""


@dataclass(frozen=True)
class CloudPart:
    """How to start one part and how to ask it whether it is ready."""

    name: str
    title: str
    command: list[str]
    port: int
    option: str
    health: str
    environment: dict[str, str] = field(repr=False)


def part(
    name: str,
    state: Path,
    addresses: Addresses,
    enforce_roles: bool = False,
    isolation: Isolation | None = None,
) -> CloudPart:
    """The part called `name` for this state folder (absolute) and these addresses.

    `isolation` is what foreign code gets; None is what this machine offers.
    """
    isolation = isolation or offer.offered()
    if name == MINISTACK:
        return ministack(state, addresses, enforce_roles, isolation)
    one = sagemaker(state, addresses, isolation) if name == SAGEMAKER else stepfunctions(state, addresses)
    return replace(one, command=[*one.command, "--enforce-roles"]) if enforce_roles else one


def ministack(
    state: Path, addresses: Addresses, enforce_roles: bool = False, isolation: Isolation | None = None
) -> CloudPart:
    """MiniStack: S3, IAM, Lambda, CloudFormation and everything else but SageMaker.

    With `enforce_roles` a Lambda function gets a session of its role, and MiniStack refuses it what the role's policies
    do not allow. The credentials of `environment.variables` stay those of the account's root user.
    """
    isolation = isolation or offer.offered()
    environment = {
        **for_processes(addresses, str(state), os.environ),
        offer.VARIABLE: isolation.variable,
        "GATEWAY_PORT": str(addresses.ministack_port),
        "MINISTACK_REGION": addresses.region,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "ministack"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "USE_SSL": "0",
        "DOCKER_HOST": f"unix://{state / 'no-docker.sock'}",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(FUNCTIONS_AT_ONCE if isolation.private else 1),
        "AUTH": "true" if enforce_roles else "false",
    }
    command = [sys.executable, "-P", "-m", "localcloud.ministack", "--stepfunctions", addresses.stepfunctions]
    if enforce_roles:
        command += ["--sessions", str(state / "role-sessions.jsonl")]
    return CloudPart(
        MINISTACK, "MiniStack", command, addresses.ministack_port, "--port", "/_ministack/health", environment
    )


def sagemaker(state: Path, addresses: Addresses, isolation: Isolation | None = None) -> CloudPart:
    """The local SageMaker, which keeps its own database and job folders in the state folder."""
    settings = {name: os.environ[name] for name in _SAGEMAKER_SETTINGS if name in os.environ}
    settings[image_table.VARIABLE] = str(image_table.config_file(state))
    environment = {**for_processes(addresses, str(state), os.environ), **settings, "TMPDIR": str(state / "tmp")}
    environment[offer.VARIABLE] = (isolation or offer.offered()).variable
    port = addresses.sagemaker_port
    command = [sys.executable, "-P", "-m", "localcloud.sagemaker", "--state", str(state), "--port", str(port)]
    command += ["--ministack", addresses.ministack, "--region", addresses.region]
    return CloudPart(SAGEMAKER, "SageMaker", command, port, "--sagemaker-port", "/ping", environment)


def stepfunctions(state: Path, addresses: Addresses) -> CloudPart:
    """The local Step Functions, which keeps its own database in the state folder."""
    environment = {**for_processes(addresses, str(state), os.environ), "TMPDIR": str(state / "tmp")}
    port = addresses.stepfunctions_port
    command = [sys.executable, "-P", "-m", "localcloud.stepfunctions", "--state", str(state), "--port", str(port)]
    command += ["--ministack", addresses.ministack, "--sagemaker", addresses.sagemaker]
    command += ["--region", addresses.region, "--events"]
    return CloudPart(STEPFUNCTIONS, "Step Functions", command, port, "--stepfunctions-port", "/ping", environment)


def require_ministack() -> None:
    """Check that MiniStack is installed, in the version that the corrections were tested with.

    Raises:
        LocalCloudError: MiniStack is not installed, or is of another version and `LOCALCLOUD_ANY_MINISTACK` is not set.
    """
    try:
        found = version("ministack")
    except PackageNotFoundError:
        raise LocalCloudError(
            "Starting the local cloud: MiniStack is not installed.", "Install it: pip install ministack"
        ) from None
    if not is_tested(found):
        raise LocalCloudError(
            f"Starting the local cloud: MiniStack {found} is installed, tested is {TESTED_MINISTACK}.",
            f"pip install ministack=={TESTED_MINISTACK}; or set {ANY_MINISTACK}=1 to start it all the same.",
        )


def healthy(port: int, path: str) -> bool:
    """Whether the server on `port` answers `GET path` with 200 within a second."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def saved_since(state: Path, moment: float) -> bool:
    """Whether MiniStack wrote its state to disk after `moment` (seconds since 1970): it was ended in good order."""
    return any(file.stat().st_mtime > moment for file in (state / "ministack").glob("*.json"))

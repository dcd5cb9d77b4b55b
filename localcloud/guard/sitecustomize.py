"""Keep AWS clients of this process on this machine: `localcloud env --guard` puts the folder on PYTHONPATH.

Python imports this module at its start, before anything of the program. It waits until the program itself imports what
is guarded, so that a program without AWS clients pays nothing:

- A call of botocore (boto3, the SDKs and the `aws` command line are made of it) to an AWS host goes to the local cloud,
  before it is signed. That is for clients with an address of their own, such as the SageMaker SDK's for STS: for
  others AWS_ENDPOINT_URL is enough. A call to any other host beyond this machine is refused by name.
- Whatever else botocore sends, for credentials of an instance or after a redirect, is refused beyond this machine.
- Python looks up no name of AWS, whatever library asks it.

It runs in the user's own Python, whichever that is: it imports nothing but the standard library. A sitecustomize that
it hides is run as ever.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ADDRESS = "AWS_ENDPOINT_URL"
_AWS = re.compile(r"(?:^|\.)(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)\.?$", re.IGNORECASE)
_HERE = re.compile(r"^(?:127(?:\.\d+){3}|::1|(?:.*\.)?localhost)$", re.IGNORECASE)
_BUCKET = re.compile(r"^(.+)\.s3(?:express[a-z0-9-]*|-[a-z0-9-]+)?\.(?!.*\bs3\b)", re.IGNORECASE)
"""The bucket in a host such as `bucket.s3.eu-central-1.amazonaws.com`."""


class LocalCloudGuardError(OSError):
    """The process would have reached a host beyond this machine."""


def refusal(what: str, host: str) -> LocalCloudGuardError:
    """The error that says so."""
    return LocalCloudGuardError(
        f"{what}: {host} is beyond this machine, and localcloud's guard lets no AWS client of this shell go there. "
        "In a shell without `localcloud env --guard` it is not held back."
    )


def here(url: str, service: str) -> str:
    """The address on this machine for a request to `url`, of a service by its id ("S3", "SageMaker Runtime").

    Raises:
        LocalCloudGuardError: it goes elsewhere, and the local cloud does not stand in for that.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _HERE.match(host):
        return url
    variable = f"{ADDRESS}_{re.sub(r'[^A-Z0-9]', '_', service.upper())}"
    local = os.environ.get(variable) or os.environ.get(ADDRESS, "")
    address = urlsplit(local)
    if not (_AWS.search(host) and address.hostname and _HERE.match(address.hostname)):
        raise refusal(f"Calling {service}", host)
    path = parts.path
    if service == "S3" and (bucket := _BUCKET.match(host)):
        path = f"/{bucket[1]}{path or '/'}"
    at = address.netloc.rpartition("@")[2]  # a user name is there for host prefixes, which are gone by now
    return urlunsplit((address.scheme, at, path, parts.query, parts.fragment))


def _guard_calls(endpoint: ModuleType) -> None:
    make = endpoint.Endpoint.make_request

    @wraps(make)
    def make_request(self: Any, operation_model: Any, request_dict: dict[str, Any]) -> Any:
        url = here(request_dict["url"], str(operation_model.service_model.service_id))
        if url != request_dict["url"]:
            request_dict = {**request_dict, "url": url}
        return make(self, operation_model, request_dict)

    endpoint.Endpoint.make_request = make_request


def _guard_requests(httpsession: ModuleType) -> None:
    send = httpsession.URLLib3Session.send

    @wraps(send)
    def send_here(self: Any, request: Any) -> Any:
        host = urlsplit(request.url).hostname or ""
        if not _HERE.match(host):
            raise refusal("Sending a request with botocore", host)
        return send(self, request)

    httpsession.URLLib3Session.send = send_here


def _guard_names(socket: ModuleType) -> None:
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, _guarded(getattr(socket, name)))


def _guarded(look_up: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(look_up)
    def look_up_others(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and _AWS.search(name):
            raise refusal("Looking up a host of AWS", name)
        return look_up(host, *rest, **named)

    return look_up_others


HOOKS: dict[str, Callable[[ModuleType], None]] = {
    "botocore.endpoint": _guard_calls,
    "botocore.httpsession": _guard_requests,
    "socket": _guard_names,
}


class AfterImport(MetaPathFinder):
    """Calls a module's hook once it is loaded, so that a program which never imports it does not pay for it."""

    def __init__(self, hooks: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self.hooks = hooks

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        hook = self.hooks.get(name)
        if hook is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            hook(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one instance
        return spec


def run_the_next_one(file: str) -> None:
    """Run the sitecustomize that the one in `file` hides, if there is one, under its own name."""
    folder = os.path.dirname(os.path.realpath(file))  # noqa: PTH120 - pathlib would slow every program's start
    others = [one for one in sys.path if os.path.realpath(one) != folder]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def start() -> None:
    """Guard what the program imports from here on, and what has been imported already."""
    for name, hook in HOOKS.items():
        if name in sys.modules:
            hook(sys.modules[name])
    sys.meta_path.insert(0, AfterImport(HOOKS))


if __name__ == "sitecustomize":
    start()
    run_the_next_one(__file__)

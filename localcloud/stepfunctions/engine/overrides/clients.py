"""Tasks reach the services of the local cloud.

moto's go to its own server. A task's region is kept; its credentials name a role, which is not assumed here.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.utils import boto_client

from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.engine.overrides import put

_CLIENTS: list[Clients] = []


def use(clients: Clients) -> None:
    """Let every task that starts from now on take its clients from `clients`."""
    _CLIENTS[:] = [clients]


def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """The client of `service` in `region`."""
    return _CLIENTS[0].get(service, region)


def apply() -> None:
    """Replace moto's maker of clients."""
    put("boto_client_for", boto_client.boto_client_for, boto_client_for)

"""What every List operation shares: pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.protocol import Body, Resource, ServiceError

PAGE_SIZE = 100
"""maxResults when the request has none, or 0 (API reference)."""


def page(
    cloud: StatesCloud,
    request: Body,
    kind: str,
    summary: Callable[[Resource], Body | None],
    answer: str,
    *,
    parent: str | None = None,
    statuses: tuple[str, ...] = (),
    by_name: bool = False,
    newest_first: bool = False,
) -> Body:
    """The answer of a List operation: `{answer: [summary, …], "nextToken": …}`.

    Raises:
        ServiceError: InvalidToken.
    """
    try:
        found, token = cloud.store.page(
            kind,
            parent=parent,
            statuses=statuses,
            order="name" if by_name else "created",
            descending=newest_first,
            limit=size(request),
            after=decoded(request.get("nextToken")),
        )
    except ValueError:
        raise invalid_token() from None
    return {answer: [summary(resource) for resource in found], **({"nextToken": encoded(token)} if token else {})}


def size(request: Body) -> int:
    """How many entries a page has."""
    return int(request.get("maxResults") or PAGE_SIZE)


def encoded(place: Any) -> str:
    """A token that the client hands back."""
    return base64.urlsafe_b64encode(f"v1|{place}".encode()).decode()


def decoded(token: str | None) -> str:
    """The place that `encoded` was given, "" without a token.

    Raises:
        ServiceError: InvalidToken.
    """
    if not token:
        return ""
    try:
        version, _, place = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
    except (binascii.Error, ValueError):
        raise invalid_token() from None
    if version != "v1":
        raise invalid_token()
    return place


def invalid_token() -> ServiceError:
    """The nextToken is none of ours."""
    return ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")

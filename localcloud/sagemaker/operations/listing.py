"""What every List operation shares: filters, order and pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import bad_token, validation
from localcloud.sagemaker.store import BadTokenError, Column, Resource

PAGE_SIZE = 10
"""MaxResults when the request has none, as on AWS."""
MOST_DIGITS = 9

ORDERS: dict[str, Column] = {"Name": "name", "CreationTime": "created", "Status": "status"}
TIMES = {
    "created_after": "CreationTimeAfter",
    "created_before": "CreationTimeBefore",
    "modified_after": "LastModifiedTimeAfter",
    "modified_before": "LastModifiedTimeBefore",
}


def page(
    cloud: Cloud,
    request: dict[str, Any],
    kind: str,
    summary: Callable[[Resource], dict[str, Any]],
    *,
    answer: str,
    descending: bool,
    status: str = "StatusEquals",
    parent: str | None = None,
) -> dict[str, Any]:
    """The answer of a List operation: `{answer: [summary, …], "NextToken": …}`.

    `descending` is the order when the request has no SortOrder; `status` is the request's member that filters by it.

    Raises:
        ServiceError: ValidationException; the NextToken or a time is not one.
    """
    order = request.get("SortOrder", "Descending" if descending else "Ascending")
    try:
        found, token = cloud.store.page(
            kind,
            parent=parent,
            statuses=(request[status],) if request.get(status) else (),
            name_contains=request.get("NameContains", ""),
            order=ORDERS[request.get("SortBy", "CreationTime")],
            descending=order == "Descending",
            limit=request.get("MaxResults", PAGE_SIZE),
            after=request.get("NextToken", ""),
            **{name: seconds(request.get(member)) for name, member in TIMES.items()},
        )
    except BadTokenError:
        raise bad_token() from None
    except ValueError as error:
        raise validation(f"A time of the request is not valid: {error}.") from None
    result: dict[str, Any] = {answer: [summary(resource) for resource in found]}
    return {**result, "NextToken": token} if token else result


def position(token: str) -> int:
    """The token of a listing that is no page of the store: how many entries are before it.

    Raises:
        ServiceError: ValidationException; it is no such token.
    """
    if not (token.isascii() and token.isdecimal() and len(token) <= MOST_DIGITS):
        raise bad_token()
    return int(token)


def seconds(moment: float | str | None) -> float | None:
    """A time of a request, epoch seconds or ISO 8601, as epoch seconds."""
    return written_time(moment) if isinstance(moment, str) else moment


def written_time(text: str) -> float:
    """A time in ISO 8601 as epoch seconds; without an offset, which is how Search documents times, it is in UTC.

    Raises:
        ValueError, OverflowError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

"""Which region a request is for, and what a server keeps of each region.

AWS's services are regional: a client says which region it means by the host that it calls and by the credential scope
that it signs for (general reference, "Elements of an AWS API request signature": `<key>/<date>/<region>/<service>/
aws4_request`). Here every region has the same address, so the scope decides, as it does in MiniStack.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

FOLDER = "regions"
_SCOPE = re.compile(r"(?:^|Credential=)[^,\s=/]*/\d{8}/([^/,\s]+)/")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")
"""What every region of botocore's endpoints is like (a test holds that); a region names a folder."""

Regional = TypeVar("Regional")


class UnknownRegionError(Exception):
    """The request is signed for what is no region's name."""


def region_of(headers: Mapping[str, str], query: Mapping[str, str], default: str) -> str:
    """The region that a request is signed for, in its header or in its address; `default` for an unsigned one.

    Raises:
        UnknownRegionError: that is no region.
    """
    scope = _SCOPE.search(headers.get("authorization", "")) or _SCOPE.search(query.get("X-Amz-Credential", ""))
    if scope is None:
        return default
    if not _REGION.fullmatch(scope[1]):
        raise UnknownRegionError(f"The request is signed for {scope[1]!r}, which is no region.")
    return scope[1]


def signed_for(region: str, service: str) -> dict[str, str]:
    """The header with which one part of the local cloud tells another which region it means; nobody checks the rest."""
    scope = f"test/20000101/{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


class Regions(Generic[Regional]):
    """What a server has of every region, made when a region is first asked for.

    Other regions know nothing of each other, as on AWS: each has a store, jobs and names of its own.
    """

    def __init__(self, make: Callable[[str], Regional], begin: Callable[[Regional], None]) -> None:
        """`make` gives what there is of a region, and `begin` lets it work."""
        self._make = make
        self._begin = begin
        self._begun: dict[str, Regional] = {}
        self._beginning = threading.RLock()

    def get(self, region: str) -> Regional:
        """What there is of `region`; the first call for it takes as long as its beginning."""
        found = self._begun.get(region)
        if found is not None:
            return found
        with self._beginning:
            if region not in self._begun:
                made = self._make(region)
                self._begin(made)
                self._begun[region] = made
            return self._begun[region]

    def begun(self, region: str) -> Regional | None:
        """What there is of `region` when it has begun."""
        return self._begun.get(region)

    def every(self) -> list[Regional]:
        """What there is of all regions that have begun."""
        return list(self._begun.values())


def kept(state: Path, file: str) -> list[str]:
    """The regions of which `file` is in the state folder."""
    return sorted(
        path.parent.name for path in (state / FOLDER).glob(f"*/{file}") if _REGION.fullmatch(path.parent.name)
    )

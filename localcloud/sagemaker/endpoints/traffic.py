"""Which instance gets a request: blue or green fleet by the share of the shift, variant by weight, the least busy one.

The fleets are switched and the instances' requests counted under one lock, so that a fleet which has lost its traffic
gets no request any more, and is known to be idle when its count is zero.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from localcloud.sagemaker.endpoints.fleet import Fleet
from localcloud.sagemaker.endpoints.instance import Instance
from localcloud.sagemaker.endpoints.plan import Variant

MOST_IN_FLIGHT = 100
"""Requests that one instance works on or has waiting; the next is refused."""


class NoVariantError(Exception):
    """The endpoint has no variant of that name."""


class NotServingError(Exception):
    """No instance is healthy; the argument is `starting` when one will soon be, else `down`."""


class BusyError(Exception):
    """Every healthy instance has as many requests as it takes."""


class ThrottledError(Exception):
    """A serverless variant works on as many requests as its MaxConcurrency."""


@dataclass
class EndpointTraffic:
    """An endpoint's fleets: the live one, and during a blue/green update the next one with its share of requests."""

    chance: random.Random = field(default_factory=random.Random)
    live: Fleet | None = None
    next: Fleet | None = None
    _share: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def shift(self, fleet: Fleet, share: float) -> None:
        """Give a share (0 to 1) of the requests to the next fleet."""
        with self._lock:
            self.next, self._share = fleet, share

    def back(self) -> None:
        """Give all requests to the live fleet."""
        with self._lock:
            self.next, self._share = None, 0.0

    def promote(self, fleet: Fleet) -> Fleet | None:
        """Make a fleet the live one; the one before."""
        with self._lock:
            before, self.live = self.live, fleet
            self.next, self._share = None, 0.0
        return before

    @contextmanager
    def instance(self, variant: str | None, passed_over: set[Instance]) -> Iterator[tuple[Fleet, Variant, Instance]]:
        """Choose an instance for one request, which counts as in flight during the block.

        Args:
            variant: the one that the request asks for, if it does.
            passed_over: instances that have refused this request.

        Raises:
            NoVariantError, NotServingError, BusyError, ThrottledError: as said there.
        """
        with self._lock:
            chosen = self._chosen(variant, passed_over)
            chosen[2].in_flight += 1
        try:
            yield chosen
        finally:
            with self._lock:
                chosen[2].in_flight -= 1

    def _chosen(self, name: str | None, passed_over: set[Instance]) -> tuple[Fleet, Variant, Instance]:
        fleets = [fleet for fleet in (self.live, self.next) if fleet]
        if len(fleets) == 2 and self.chance.random() < self._share:
            fleets.reverse()
        busy = starting = False
        for fleet in fleets:  # if one cannot, the other one serves
            variant = _named(fleet, name) if name else fleet.variant(self.chance)
            instance = fleet.least_busy(variant.name, passed_over, self.chance)
            if instance is None:
                starting = starting or any(one.state == "starting" for one in fleet.instances[variant.name])
            elif variant.serverless and instance.in_flight >= variant.serverless["MaxConcurrency"]:
                raise ThrottledError
            elif instance.in_flight >= MOST_IN_FLIGHT and not variant.serverless:
                busy = True
            else:
                return fleet, variant, instance
        if busy:
            raise BusyError
        raise NotServingError("starting" if starting or not fleets else "down")


def _named(fleet: Fleet, name: str) -> Variant:
    for variant in fleet.plan.variants:
        if variant.name == name:
            return variant
    raise NoVariantError(name)

"""The instances of all variants of one deployment."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import capture
from localcloud.sagemaker.endpoints.instance import Instance
from localcloud.sagemaker.endpoints.plan import EndpointPlan, Variant
from localcloud.sagemaker.jobs.folder import Folder

DRAIN_SECONDS = 65.0
"""A request may take 60 seconds; one that is under way when its fleet is replaced is finished."""


class FleetFailedError(Exception):
    """An instance did not come into service; the argument is the endpoint's FailureReason."""


class Fleet:
    """A deployment's instances by variant. All are started together and ended together.

    Attributes:
        started: whether every instance has been healthy at the same time.
    """

    def __init__(self, cloud: Cloud, endpoint: str, plan: EndpointPlan, changed: Callable[[Fleet], None]) -> None:
        self.plan = plan
        self.capture = capture.options(plan.capture)
        self.started = False
        root = cloud.folder / "endpoints" / endpoint / uuid.uuid4().hex[:8]
        self._root = root
        self._news = threading.Condition()
        self._changed = changed
        private = cloud.isolation.private
        self.instances: dict[str, list[Instance]] = {
            variant.name: [
                Instance(cloud, endpoint, variant, Folder(root / f"{variant.name}-{number}", private), self._tell)
                for number in range(variant.instances)
            ]
            for variant in plan.variants
        }

    def start(self) -> None:
        """Start every process; returns at once."""
        for instance in self._all:
            instance.start()

    def wait_until_started(self, check: Callable[[], None]) -> None:
        """Wait until every instance is healthy; `check` is called now and then and may raise.

        Raises:
            FleetFailedError: one ended, or was not healthy in time.
        """
        with self._news:
            while not self.started:
                for instance in self._all:
                    if instance.failures or instance.state == "ended":
                        raise FleetFailedError(_failure(instance))
                self.started = all(instance.state == "healthy" for instance in self._all)
                check()
                self._news.wait(0.2)

    def healthy(self) -> dict[str, int]:
        """How many instances of each variant are healthy."""
        return {name: sum(one.state == "healthy" for one in group) for name, group in self.instances.items()}

    @property
    def serving(self) -> bool:
        """Whether every variant that gets traffic has a healthy instance."""
        counts = self.healthy()
        return all(counts[variant.name] for variant in self.plan.variants if variant.weight and variant.instances)

    @property
    def problem(self) -> str:
        """Why the latest instance went down, or ""."""
        down = [instance for instance in self._all if instance.failures]
        return max(down, key=lambda one: one.failures).reason if down else ""

    @property
    def failures(self) -> int:
        """The most failures in a row that an instance had."""
        return max((instance.failures for instance in self._all), default=0)

    def variant(self, chance: random.Random) -> Variant:
        """One of the variants, by their weights."""
        if len(self.plan.variants) == 1:
            return self.plan.variants[0]
        weights = [variant.weight for variant in self.plan.variants]
        return chance.choices(self.plan.variants, weights if any(weights) else None)[0]

    def least_busy(self, variant: str, passed_over: set[Instance], chance: random.Random) -> Instance | None:
        """The healthy instance of a variant that works on the fewest requests, none of those `passed_over`.

        Of several, one by chance.
        """
        up = [one for one in self.instances[variant] if one.state == "healthy" and one not in passed_over]
        return min(up, key=lambda one: (one.in_flight, chance.random())) if up else None

    def drain(self) -> None:
        """Wait until no request is under way; the traffic must have been taken off before."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while any(instance.in_flight for instance in self._all) and time.monotonic() < deadline:
            time.sleep(0.02)

    def end(self) -> None:
        """End every process, and wait for that."""
        for instance in self._all:
            instance.end()
        for instance in self._all:
            instance.wait()
        if self._root.is_dir() and not any(self._root.iterdir()):
            self._root.rmdir()

    @property
    def _all(self) -> list[Instance]:
        return [instance for group in self.instances.values() for instance in group]

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
        self._changed(self)


def _failure(instance: Instance) -> str:
    """AWS's words for a container that does not come up, and what is known of it beyond them."""
    if instance.reason.startswith("Failed to download model data"):
        return instance.reason
    return (
        f"The primary container for production variant {instance.variant.name} did not pass the ping health check. "
        f"Please check CloudWatch logs for this endpoint. ({instance.reason})"
    )

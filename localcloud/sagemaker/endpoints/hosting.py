"""All endpoints of one server: what is live, whether it serves, and order at the server's end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import records
from localcloud.sagemaker.endpoints.capture_writer import CaptureWriter
from localcloud.sagemaker.endpoints.fleet import Fleet
from localcloud.sagemaker.endpoints.telemetry import Metrics
from localcloud.sagemaker.endpoints.traffic import EndpointTraffic

FAILURES_TOLERATED = 3
"""So often in a row may every instance of a variant fail before its endpoint is said to be OutOfService."""
STOP_SECONDS = 15.0


@dataclass
class HostedEndpoint:
    """One endpoint that this server serves, or is about to.

    Attributes:
        deploying: held by the deployment under way, which alone changes the endpoint's status meanwhile.
    """

    name: str
    hosting: EndpointHosting
    traffic: EndpointTraffic = field(default_factory=EndpointTraffic)
    deploying: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None
    _fleets: list[Fleet] = field(default_factory=list)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, fleet: Fleet) -> None:
        """Start a fleet; it is ended with the server at the latest."""
        self._fleets.append(fleet)
        fleet.start()

    def finish(self, fleet: Fleet) -> None:
        """End a fleet, and wait for that."""
        fleet.end()
        self._fleets.remove(fleet)

    def fleets(self) -> list[Fleet]:
        """Those that run."""
        return list(self._fleets)

    def fleet_changed(self, fleet: Fleet) -> None:
        """An instance came up or went down: say in the record whether the endpoint serves."""
        if fleet is self.traffic.live and not self.deploying.locked():
            self.look()

    def look(self) -> None:
        """Make the record's status say whether the live fleet serves; nothing while a deployment sets it."""
        cloud, fleet = self.hosting.cloud, self.traffic.live
        if fleet is None or cloud.stopping.is_set():
            return
        with self._looking:
            found = cloud.store.find(records.KIND, self.name)
            if found is None:
                return
            if found.status == "InService" and not fleet.serving and fleet.failures >= FAILURES_TOLERATED:
                records.change(cloud, self.name, "OutOfService", {"FailureReason": fleet.problem})
            elif found.status == "OutOfService" and fleet.serving:
                records.change(cloud, self.name, "InService", {"FailureReason": None})


class EndpointHosting:
    """The endpoints of one server, with what they share: the capture writer and the metrics."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.capture = CaptureWriter(cloud)
        self.metrics = Metrics(cloud)
        self._hosted: dict[str, HostedEndpoint] = {}
        self._retired: list[HostedEndpoint] = []

    def hosted(self, name: str) -> HostedEndpoint:
        """The endpoint of that name, made if there is none."""
        return self._hosted.setdefault(name, HostedEndpoint(name, self))

    def start(self) -> None:
        """Start what works beside the requests."""
        self.capture.start()
        self.metrics.start()

    def find(self, name: str) -> HostedEndpoint | None:
        """The endpoint of that name that is served here, or None."""
        return self._hosted.get(name)

    def retire(self, hosted: HostedEndpoint) -> None:
        """Give the endpoint no more requests; those under way are finished, with the server's end at the latest."""
        self._hosted.pop(hosted.name, None)
        self._retired.append(hosted)

    def forget(self, hosted: HostedEndpoint) -> None:
        """The end of an endpoint that was retired."""
        self._retired.remove(hosted)

    def healthy(self, name: str) -> dict[str, int]:
        """How many instances of each live variant are healthy now."""
        hosted = self.find(name)
        return hosted.traffic.live.healthy() if hosted and hosted.traffic.live else {}

    def shut_down(self) -> None:
        """End every process, write what was captured and counted. The records stay: the next server goes on."""
        every = [*self._hosted.values(), *self._retired]
        for hosted in every:
            if hosted.thread:
                hosted.thread.join(STOP_SECONDS)
        fleets = [fleet for hosted in every for fleet in hosted.fleets()]
        ending = [threading.Thread(target=fleet.end, name="end of a fleet", daemon=True) for fleet in fleets]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(STOP_SECONDS)
        self.capture.close()
        self.metrics.close()

"""One instance of a variant: a serving process that is started again, with back-off, whenever it ends or hangs.

starting ──► healthy        /ping answered 200
   ▲            │
   └── down ◄───┘           the process ended or /ping failed PINGS_MISSED times; after a pause it is started again
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.plan import Variant
from localcloud.sagemaker.endpoints.upstream import Connections
from localcloud.sagemaker.errors import ServiceError, own_fault
from localcloud.sagemaker.jobs.failure_reasons import explained, failure_reason, last_error
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.interruption import STOPPED, InterruptedJobError, Interruption
from localcloud.sagemaker.jobs.lifecycle import JobFailedError
from localcloud.sagemaker.jobs.log_shipping import ship_log
from localcloud.sagemaker.jobs.model_server import Server, fetch_model, healthy, run_server
from localcloud.sagemaker.jobs.transfer import DownloadError

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
PING_SECONDS = 5.0
PINGS_MISSED = 3
STABLE_SECONDS = 60.0
"""Healthy for so long, and earlier failures are forgotten."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
END_SECONDS = 15.0


class Instance:
    """A supervised serving process.

    Attributes:
        state: see above. `failures` in a row, and the `reason` of the last one.
        in_flight: requests that it works on; kept by the traffic, under its lock.
    """

    def __init__(self, cloud: Cloud, endpoint: str, variant: Variant, folder: Folder, changed: Callable[[], None]):
        self.variant = variant
        self.state: Literal["starting", "healthy", "down", "ended"] = "starting"
        self.failures = 0
        self.reason = ""
        self.in_flight = 0
        self.connections: Connections | None = None
        self._cloud, self._endpoint, self._folder, self._changed = cloud, endpoint, folder, changed
        self._interruption = Interruption()
        self._thread = threading.Thread(target=self._live, name=f"instance of {endpoint}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def end(self) -> None:
        """Ask the process to end; returns at once."""
        self._interruption.ask(STOPPED)

    def wait(self) -> None:
        """Wait until the process has ended after `end`."""
        self._thread.join(END_SECONDS)

    def _live(self) -> None:
        group = f"/aws/sagemaker/Endpoints/{self._endpoint}"
        stream = f"{self.variant.name}/i-{uuid.uuid4().hex[:17]}"
        try:
            self._folder.make()
            with ship_log(self._cloud, group, stream, self._folder.log):
                self._keep_up()
        except InterruptedJobError:
            pass  # it was told to end
        except Exception as error:
            log.exception("an instance of endpoint %s", self._endpoint)
            self._turn("down", own_fault(error))
        finally:
            self._folder.remove()
            self._turn("ended")

    def _keep_up(self) -> None:
        """Serve until told to end.

        Raises:
            InterruptedJobError: it was told to.
        """
        fetched = False
        while True:
            began = time.monotonic()
            try:
                if not fetched:
                    s3 = self._cloud.aws("s3", self.variant.role)
                    fetch_model(s3, self.variant.container, self._folder, self._interruption)
                    fetched = True
                self._serve()
            except (JobFailedError, DownloadError, ServiceError, ClientError, BotoCoreError, OSError) as error:
                reason = self._reason(error)
            self._interruption.check()
            self.failures = 1 if time.monotonic() - began > STABLE_SECONDS else self.failures + 1
            log.warning("endpoint %s, variant %s: %s", self._endpoint, self.variant.name, reason)
            self._turn("down", reason)
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1))
            self._interruption.event.wait(pause)
            self._interruption.check()
            self._turn("starting")

    def _serve(self) -> None:
        """Run the process once.

        Raises:
            JobFailedError: it did not come up, ended, or hung.
            InterruptedJobError: it was told to end.
        """
        own = {"SAGEMAKER_REGION": self._cloud.region}
        variant, told_to_end = self.variant, self._interruption
        limit, role, network = variant.startup_seconds, variant.role, variant.network
        with run_server(self._cloud, variant.container, self._folder, own, told_to_end, limit, role, network) as server:
            self.connections = Connections(urlsplit(server.url).port or 0)
            self._turn("healthy")
            self._watch(server)

    def _watch(self, server: Server) -> None:
        missed, next_ping = 0, time.monotonic() + PING_SECONDS
        while not self._interruption.event.wait(LOOK_SECONDS):
            if not server.process.running:
                raise JobFailedError(
                    failure_reason(self._folder, server.process.wait(), self.variant.container["Image"])
                )
            if time.monotonic() >= next_ping:
                missed = 0 if healthy(server) else missed + 1
                next_ping = time.monotonic() + PING_SECONDS
            if missed >= PINGS_MISSED:
                raise JobFailedError(f"AlgorithmError: /ping failed {missed} times in a row")
        self._interruption.check()

    def _turn(self, state: Literal["starting", "healthy", "down", "ended"], reason: str = "") -> None:
        self.state, self.reason = state, reason or self.reason
        self._changed()

    def _reason(self, error: Exception) -> str:
        if isinstance(error, DownloadError | ClientError):
            return f"Failed to download model data: {error}"
        said = explained(last_error(self._folder), self.variant.container["Image"])
        return f"{error}: {said}" if said and said not in str(error) else str(error)

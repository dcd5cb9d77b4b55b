"""CloudWatch metrics of invocations, summed up and sent every few seconds beside the requests.

Namespace AWS/SageMaker, dimensions EndpointName and VariantName: "Monitor SageMaker with CloudWatch" in the developer
guide. Each once more with EndpointConfigName as a third, by which alarms tell the fleets of an update apart:
"Auto-Rollback Configuration and Monitoring" there. Latencies are microseconds. The error metrics are 0 or 1 for each
request, so that their average is a rate.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud

log = logging.getLogger(__name__)
NAMESPACE = "AWS/SageMaker"
INTERVAL_SECONDS = 5.0
MOST_DATA = 500
CLOSE_SECONDS = 5.0
BIN = math.log(1.05)
"""Two latencies that differ by less than five percent may be one value."""
NOTHING = -(10**9)
"""The bin of zero."""
MOST_VALUES = 150
"""Of one datum; API reference of MetricDatum, Values."""


@dataclass
class Distribution:
    """Values of one metric since it was last sent, in bins of equal ratio, so that CloudWatch knows percentiles.

    A bin is sent as the mean of what fell in it: sums and counts are exact, percentiles within half a bin.
    """

    bins: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """Count a value that is not negative."""
        index = round(math.log(value) / BIN) if value > 0 else NOTHING
        count, total = self.bins.get(index, (0, 0.0))
        self.bins[index] = (count + 1, total + value)

    def values(self) -> Iterator[tuple[list[float], list[float]]]:
        """Values and how often each came, in pieces that one datum may hold."""
        listed = [(total / count, float(count)) for _, (count, total) in sorted(self.bins.items())]
        for start in range(0, len(listed), MOST_VALUES):
            part = listed[start : start + MOST_VALUES]
            yield [value for value, _ in part], [count for _, count in part]


Key = tuple[tuple[str, str], ...]
"""Names and values of the dimensions."""


class Metrics:
    """The sums and the thread that sends them. `count` is called from the event loop only."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._sums: dict[Key, dict[str, Distribution]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def count(
        self, endpoint: str, config: str, variant: str, status: int, model_seconds: float, overhead_seconds: float
    ) -> None:
        """Count one request.

        Args:
            config: the endpoint configuration of the fleet that it went to.
            status: the model's answer, 0 for none.
            model_seconds: until the model had answered.
            overhead_seconds: what the request took beside that.
        """
        values = {
            "Invocations": 1,
            "ModelLatency": 1e6 * model_seconds,
            "OverheadLatency": 1e6 * overhead_seconds,
            "Invocation4XXErrors": 400 <= status < 500,
            "Invocation5XXErrors": status >= 500 or status == 0,
            "InvocationModelErrors": not 200 <= status < 300,
        }
        of_variant = (("EndpointName", endpoint), ("VariantName", variant))
        with self._lock:
            for dimensions in (of_variant, (*of_variant, ("EndpointConfigName", config))):
                sums = self._sums.setdefault(dimensions, {name: Distribution() for name in values})
                for name, value in values.items():
                    sums[name].add(float(value))

    def start(self) -> None:
        """Start the thread that sends."""
        self._thread = threading.Thread(target=self._live, name="metrics", daemon=True)
        self._thread.start()

    def send(self) -> None:
        """Send what was counted since the last time. What CloudWatch does not take is lost, and said in the log."""
        with self._lock:
            sums, self._sums = self._sums, {}
        data = list(_data(sums))
        try:
            for start in range(0, len(data), MOST_DATA):
                part = data[start : start + MOST_DATA]
                self._cloud.aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=part)
        except (BotoCoreError, ClientError) as error:
            log.warning("metrics of %d variants and fleets are lost: %s", len(sums), error)

    def close(self) -> None:
        """Send the rest and end."""
        self._closing.set()
        if self._thread:
            self._thread.join(CLOSE_SECONDS)
        self.send()

    def _live(self) -> None:
        while not self._closing.wait(INTERVAL_SECONDS):
            self.send()


def _data(sums: dict[Key, dict[str, Distribution]]) -> Iterator[dict[str, Any]]:
    now = datetime.fromtimestamp(time.time(), UTC)
    for dimensions, statistics in sums.items():
        for name, values in statistics.items():
            for found, counts in values.values():
                yield {
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions],
                    "Timestamp": now,
                    "Values": found,
                    "Counts": counts,
                    "Unit": "Microseconds" if name.endswith("Latency") else "None",
                }

"""A time axis: seconds since 1970, UTC, with ticks at round hours and days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from scones.reports.charts.axes import Axis

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
STEPS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(m * MINUTE for m in (1, 2, 5, 10, 15, 30)),
    *(h * HOUR for h in (1, 2, 3, 6, 12)),
    *(d * DAY for d in (1, 2, 7, 14, 28, 91, 182, 364)),
)
MOST_TICKS = 5


@dataclass(frozen=True)
class Clock(Axis):
    """An axis from `low` to `high` in seconds since 1970."""

    def ticks(self) -> list[float]:
        """Round times: at most MOST_TICKS of them."""
        step = self.step()
        first = math.ceil(self.low / step)
        last = self.high - (0.04 * (self.high - self.low) if step < MINUTE else 0)  # long texts need room on the right
        return [i * step for i in range(first, math.floor(last / step) + 1)]

    def step(self) -> float:
        """Seconds between two ticks."""
        return next((step for step in STEPS if (self.high - self.low) / step <= MOST_TICKS), STEPS[-1])


def clock(low: float, high: float) -> Clock:
    """The axis for times from `low` to `high`; one moment alone gets a minute around it."""
    if high - low < 1:
        low, high = low - MINUTE / 2, high + MINUTE / 2
    start, end = datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)
    one_day = start.date() == end.date()
    label = f"{start:%d %B %Y}, UTC" if one_day else f"{start:%d %B %Y} to {end:%d %B %Y}, UTC"
    bare = Clock(label, low, high)
    form = "%d %b" if bare.step() >= DAY else "%H:%M" if bare.step() >= MINUTE else "%H:%M:%S"

    def write(value: float) -> str:
        moment = datetime.fromtimestamp(value, UTC)
        midnight = not one_day and bare.step() < DAY and (moment.hour, moment.minute) == (0, 0)
        return f"{moment:%d %b}" if midnight else moment.strftime(form)

    return Clock(label, low, high, write)


def written(value: float) -> str:
    """A time in words, for texts beside a mark."""
    return f"{datetime.fromtimestamp(value, UTC):%d %b %H:%M:%S}"

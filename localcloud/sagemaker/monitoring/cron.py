"""When a schedule runs. Source: "Cron expressions for monitoring schedule" in the developer guide; all times are UTC.

Accepted are the forms that SageMaker accepts, and no others:

    cron(0 * ? * * *)        every hour
    cron(0 H ? * * *)        every day at the hour H
    cron(0 H/N ? * * *)      every N hours from the hour H of a day on
    NOW                      once, over the window that DataAnalysisStartTime and DataAnalysisEndTime say

AWS begins up to 20 minutes after the time, so that not everybody does at once. Here it is DELAY_SECONDS, so that the
requests that were under way at the full hour are among those captured.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from localcloud.contract import durations
from localcloud.sagemaker.errors import validation

NOW = "NOW"
HOUR = 3600.0
DELAY_SECONDS = 60.0
FORMS = "cron(0 * ? * * *), cron(0 H ? * * *), cron(0 H/N ? * * *) and NOW"
CRON = re.compile(r"cron\(0 (\*|\d{1,2})(?:/(\d{1,2}))? [?*] \* [?*] \*\)")


def hours(expression: str) -> frozenset[int]:
    """The hours of a day at which a cron expression runs.

    Raises:
        ServiceError: ValidationException; it has none of the accepted forms.
    """
    found = CRON.fullmatch(expression.strip())
    if found is None:
        raise validation(f"The schedule expression {expression!r} is invalid. Accepted: {FORMS}.")
    first = 0 if found[1] == "*" else int(found[1])
    step = int(found[2]) if found[2] else 1 if found[1] == "*" else 24
    if first > 23 or not 1 <= step <= 24:
        raise validation(f"The schedule expression {expression!r} has an hour beyond 23, or a step beyond 24.")
    return frozenset(range(first, 24, step))


def latest(expression: str, moment: float) -> float:
    """The last time at or before `moment`, both in epoch seconds, at which a cron expression runs."""
    return _searched(hours(expression), moment, -1)


def following(expression: str, moment: float) -> float:
    """The first time after `moment`, both in epoch seconds, at which a cron expression runs."""
    return _searched(hours(expression), moment + HOUR, 1)


def _searched(wanted: frozenset[int], moment: float, step: int) -> float:
    hour = moment // HOUR * HOUR  # epoch seconds count no leap seconds: full hours in UTC are multiples
    while datetime.fromtimestamp(hour, UTC).hour not in wanted:
        hour += step * HOUR
    return hour


def offset(text: str) -> float:
    """An offset such as `-PT1H` or `-P8D`, in seconds.

    Raises:
        ServiceError: ValidationException; it is none.
    """
    try:
        length = durations.parse(text.removeprefix("-"), exact=True).total_seconds()
    except ValueError:
        raise validation(f"The offset {text!r} is not an ISO 8601 duration such as -PT1H or -P1D.") from None
    return -length if text.startswith("-") else length


def iso(moment: float) -> str:
    """Epoch seconds as `2026-11-20T10:00:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

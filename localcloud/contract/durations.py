"""ISO 8601 durations, and the loose forms that the documentation of step caching shows."""

from __future__ import annotations

import re
from datetime import timedelta

_ISO = re.compile(
    r"P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"(?P<number>\d+)\s*(?P<unit>[smhdw])", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse(text: str, *, exact: bool = False) -> timedelta:
    """`P30D`, `PT12H`, `P1W`; a month counts 30 days and a year 365; neither is taken for an `exact` length.

    Raises:
        ValueError: not a duration.
    """
    match = _ISO.fullmatch(text)
    if match is None or (exact and (match["years"] or match["months"])):
        raise ValueError(f"'{text}' is not a duration such as P30D or PT12H")
    amounts = {unit: int(amount or 0) for unit, amount in match.groupdict().items()}
    days = amounts.pop("years") * 365 + amounts.pop("months") * 30 + amounts.pop("days")
    return _length(text, days=days, **amounts)


def parse_loosely(text: str) -> timedelta:
    """A duration, also as `30d` or `T12H`.

    Raises:
        ValueError: not a duration.
    """
    loose = _LOOSE.fullmatch(text)
    if loose:
        return _length(text, **{_UNITS[loose["unit"].lower()]: int(loose["number"])})
    return parse(f"P{text}" if text[:1] in ("T", "t") else text)


def _length(text: str, **amounts: int) -> timedelta:
    try:
        return timedelta(**amounts)
    except OverflowError:
        raise ValueError(f"'{text}' is longer than any duration can be") from None

"""What deliveries are held against, in SSM: confidence threshold and unfamiliarity limit; who changed one, when, why.

The command and the dashboard both use this, so that one history tells it all. SSM keeps every version with time and
user; who changed it, and why, stand in the version's description. SSM has no conditional write: a change is refused
when the version is not the one that was looked at, and should two people write in the same moment, both versions are in
the history and the second is told.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from project import aws
from project.errors import CloudError, DataError, UsageError

PATTERN = r"^(0(\.[0-9]+)?|1(\.0+)?)$"
"""What the parameter takes; the template says the same."""
DESCRIPTION = 1024
"""Characters that SSM keeps of a description."""
BY = re.compile(r"By ([^:]+): (.*)", re.DOTALL)
"""How who and why stand in a description."""
DECIMALS = 4


@dataclass(frozen=True)
class Limit:
    """One of the two, as people call it; `verb` is the command that shows and sets it."""

    name: str
    verb: str
    usual: float


THRESHOLD = Limit("threshold", "threshold", 0.93)
UNFAMILIARITY = Limit("unfamiliarity limit", "unfamiliarity", 0.95)


@dataclass(frozen=True)
class Change:
    """One version of the parameter. Written by other means than `change`, `who` is AWS's user and `why` is empty."""

    version: int
    value: float
    when: datetime
    who: str
    why: str


def history(parameter: str) -> list[Change]:
    """Every version that SSM keeps (the last hundred), newest first.

    Raises:
        CloudError: there is no such parameter, or SSM refused or did not answer.
    """
    with aws.explained(f"reading the history of parameter {parameter}"):
        pages = aws.client("ssm").get_paginator("get_parameter_history")
        try:
            found = [one for page in pages.paginate(Name=parameter) for one in page["Parameters"]]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise CloudError(
                f"There is no parameter {parameter}.", "Create the project's resources first: scones infra deploy."
            ) from None
    return sorted((_change(one) for one in found), key=lambda change: -change.version)


def _change(found: dict[str, Any]) -> Change:
    try:
        value = float(found["Value"])
    except ValueError:
        value = math.nan
    value = value if math.isfinite(value) else math.nan
    user = str(found.get("LastModifiedUser", "")).replace(":", "/").rpartition("/")[2] or "unknown"
    said = BY.fullmatch(str(found.get("Description", "")))
    who, why = said.groups() if said else (user, "")
    return Change(found["Version"], value, found["LastModifiedDate"], who, why)


def current(parameter: str, limit: Limit = THRESHOLD) -> Change:
    """The version that counts.

    Raises:
        DataError: its value is no number; every delivery fails until it is one.
        CloudError: as `history`.
    """
    found = history(parameter)[0]
    if math.isnan(found.value):
        raise DataError(
            f"Parameter {parameter} holds no number, written by {found.who}.",
            f"Set it: scones {limit.verb} {limit.usual:g}.",
        )
    return found


def change(parameter: str, value: float, expected: int, who: str, why: str, limit: Limit = THRESHOLD) -> int:
    """Write the parameter; functions use it within seconds. Returns the new version.

    `expected` is the version that the change was decided on.

    Raises:
        UsageError: the value is no fraction, or name or reason is missing.
        CloudError: it was changed meanwhile, or SSM refused or did not answer.
    """
    who, why = " ".join(who.split()).replace(":", ""), " ".join(why.split())
    if not 0 <= value <= 1:
        raise UsageError(f"The {limit.name} cannot be {value:g}.", "It is a number from 0 to 1.")
    if not who or not why:
        raise UsageError(f"The {limit.name} was not changed.", "Say who changes it, and why.")
    now = history(parameter)[0]
    if now.version != expected:
        because = f", because {now.why}" if now.why else ""
        raise CloudError(
            f"The {limit.name} was not changed: {now.who} has set it to {now.value:g} meanwhile{because}.",
            "Look at that first, then apply yours again.",
        )
    with aws.explained(f"writing parameter {parameter}"):
        written: int = aws.client("ssm").put_parameter(
            Name=parameter,
            Value=written_as(value),
            Type="String",
            Overwrite=True,
            AllowedPattern=PATTERN,
            Description=f"By {who}: {why}"[:DESCRIPTION],
        )["Version"]
    if written != expected + 1:
        raise CloudError(
            f"The {limit.name} is {value:g} now, but somebody else changed it in the same moment.",
            "Both changes are in the history: agree on one.",
        )
    return written


def earlier(changes: list[Change], version: int | None = None, limit: Limit = THRESHOLD) -> Change:
    """What to go back to, of a history newest first: `version`, or the last one with another value.

    Raises:
        UsageError: there is none.
    """
    if version is None:
        found = next((one for one in changes if one.value != changes[0].value), None)
        missing = f"The {limit.name} has had no other value yet."
    else:
        found = next((one for one in changes if one.version == version), None)
        missing = f"The {limit.name} has no version {version}, or SSM no longer keeps it."
    if found is None or math.isnan(found.value):
        raise UsageError(f"Nothing to go back to: {missing}", f"See the versions: scones {limit.verb} --history.")
    return found


def back_to(version: int) -> str:
    """The reason that a change back to an earlier version gives."""
    return f"back to version {version}"


def written_as(value: float) -> str:
    """As the parameter takes it: no exponent, no superfluous zeros."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".") or "0"

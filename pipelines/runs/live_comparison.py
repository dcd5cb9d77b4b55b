"""What a version's evaluation says of reviewed deliveries, beside the live version: the words that a person decides on.

Evaluate compares a new model with every version that answered some of the live test set (`steps/live_comparison.py`);
which of them is live is known only when somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines import registry
from pipelines.registry import Version
from project import s3
from project.errors import DataError

Reviewed = Mapping[str, Any]
"""Member `reviewed` of evaluation.json; empty where the version was made without reviewed deliveries."""


def of_version(version: Version) -> Reviewed:
    """What was found of the version; nothing where its evaluation is gone or was never recorded."""
    uri = registry.evaluation_uri(registry.described(version.arn))
    try:
        return s3.read_json(uri).get("reviewed", {}) if uri else {}
    except DataError:  # the summary says so already
        return {}


def beside(reviewed: Reviewed, live: int | None) -> Mapping[str, Any] | None:
    """The entry about the live version; None if it answered none of the pictures."""
    return next((one for one in reviewed.get("versions", []) if one["version"] == live), None)


def words(reviewed: Reviewed, live: int | None) -> str:
    """A sentence or two; nothing where there is nothing to compare on.

    `On 57 reviewed deliveries: new .912, live .842, difference +.070 (95 % interval +.010 to +.130).`
    """
    if not reviewed.get("images"):
        return ""
    one = beside(reviewed, live)
    if one is None:
        low, high = (share(reviewed[name]) for name in ("accuracy_low", "accuracy_high"))
        sentence = f"On {reviewed['images']} reviewed deliveries: new {share(reviewed['accuracy'])} "
        sentence += f"(95 % interval {low} to {high}); the live version answered none of them."
    else:
        sentence = (
            f"On {one['images']} reviewed deliveries: new {share(one['new'])}, live {share(one['accuracy'])}, "
            f"difference {difference(one)}."
        )
    return f"{sentence} {neither(reviewed)}".rstrip()


def difference(one: Mapping[str, Any]) -> str:
    """The difference of an entry of `versions`, with its interval: `+.070 (95 % interval +.010 to +.130)`."""
    value, low, high = bounded(one)
    return f"{value} (95 % interval {low} to {high})"


def bounded(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """The difference of an entry of `versions` and its bounds, each with its sign: `+.070`."""
    names = ("difference", "difference_low", "difference_high")
    value, low, high = (f"{one[name]:+.3f}".replace("0.", ".", 1) for name in names)
    return value, low, high


def neither(reviewed: Reviewed) -> str:
    """What the new model makes of pictures of none of the classes; nothing where there are none."""
    if not (number := reviewed.get("neither")):
        return ""
    return f"Of {number} picture{'s' * (number != 1)} of neither it would route {reviewed['neither_routed']}."


def share(value: float) -> str:
    """A share without the zero before its point: `.912`."""
    return f"{value:.3f}".removeprefix("0")

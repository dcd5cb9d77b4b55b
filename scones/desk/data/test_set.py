"""What a version's confidence was worth on its test set, from the evaluation that was registered with it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipelines import registry
from project.errors import DataError
from project.s3 import split
from scones.desk.data.objects import body


@dataclass(frozen=True)
class Point:
    """At one threshold: how many of the `images` of the test set pass, and how right those are, each with its interval.

    `accuracy` and its bounds are None where none passes.
    """

    threshold: float
    images: int
    share: float
    share_low: float
    share_high: float
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


def threshold_curve(version: int | None) -> tuple[Point, ...]:
    """The curve of a version, the live one's when None is named; empty without an evaluation.

    Raises:
        SconesError: SageMaker or S3 refused or did not answer.
        DataError: the evaluation is not one of ours.
    """
    uri = registry.evaluation_uri(registry.live_package(version))
    content = body(*split(uri)) if uri else None
    if content is None:
        return ()
    try:
        points = json.loads(content).get("threshold_curve", [])
        return tuple(Point(**{name: one[name] for name in Point.__dataclass_fields__}) for one in points)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{uri}: {type(error).__name__}: {error}", "Run the pipeline again.") from None


def nearest(curve: tuple[Point, ...], threshold: float) -> Point | None:
    """The first measured point at or above `threshold`."""
    return next((one for one in curve if one.threshold >= threshold - 1e-9), None)

"""The accuracy that a new model must reach to be no worse than the live one, by more than is allowed.

Worked out when an execution starts and given to it as a parameter: conditions of a pipeline cannot subtract, and what
the live model is must not be part of any step's cache key.
"""

from __future__ import annotations

import math
from typing import Any

from pipelines import registry
from pipelines.definition.gates import MINIMUM_FROM_LIVE
from project import s3
from project.console import say
from project.errors import DataError
from project.settings import Settings


def parameters(settings: Settings, max_drop: float) -> dict[str, str]:
    """MinimumFromLive: the live model's accuracy on its test set less `max_drop`; nothing when there is no live model.

    A live model of other classes solves another problem: it is named, and not compared with.

    Raises:
        DataError: the live model has no evaluation that can be read.
    """
    arn = registry.live()
    if arn is None:
        say("No model is live yet: nothing to compare with.")
        return {}
    package = registry.described(arn)
    classes = package.get("CustomerMetadataProperties", {}).get("classes", "").split()
    if classes != list(settings.classes):
        say(f"The live model {_version(arn)} knows {' '.join(classes) or 'unknown classes'}: not compared with.")
        return {}
    accuracy = _accuracy(arn, package)
    minimum = round(max(0.0, accuracy - max_drop), 6)
    say(f"The live model {_version(arn)} has accuracy {accuracy:.4f}; the new one must reach {minimum:g}.")
    return {MINIMUM_FROM_LIVE: f"{minimum:g}"}


def _accuracy(arn: str, package: dict[str, Any]) -> float:
    uri = registry.evaluation_uri(package)
    fix = f"Start with --parameter {MINIMUM_FROM_LIVE}=0 to go without the comparison."
    if not uri:
        raise DataError(f"The live model {_version(arn)} was registered without an evaluation.", fix)
    try:
        accuracy = float(s3.read_json(uri)["metrics"]["accuracy"])
    except DataError as error:
        raise DataError(f"The live model's evaluation: {error.problem}", fix) from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{uri}: the live model's evaluation has no metrics.accuracy.", fix) from None
    if not math.isfinite(accuracy):
        raise DataError(f"{uri}: the live model's accuracy is {accuracy}.", fix)
    return accuracy


def _version(arn: str) -> str:
    return "/".join(arn.rsplit("/", 2)[-2:])

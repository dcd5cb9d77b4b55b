"""From probabilities to a route: sure enough, or refused loudly."""

from __future__ import annotations

from typing import TypedDict

from lambdas.classify_image.answer import NotProbabilitiesError, parsed, probabilities
from lambdas.outcomes import BadInputError, LowConfidenceError


class Decision(TypedDict):
    """What happens to a delivery and why."""

    vehicle: str
    route: str
    confidence: float
    threshold: float


def decide(vector: list[float], classes: tuple[str, ...], routes: dict[str, str], threshold: float) -> Decision:
    """The route of the most probable class.

    A confidence of exactly `threshold` passes; two classes that share the highest probability never do.

    Raises:
        LowConfidenceError: the best probability is below the threshold, or shared.
    """
    confidence = max(vector)
    vehicle = classes[vector.index(confidence)]
    if confidence < threshold or vector.count(confidence) > 1:
        raise LowConfidenceError(
            "LowConfidence",
            f"THRESHOLD_CONFIDENCE_NOT_MET: best guess {vehicle} at {confidence:.4f}, threshold {threshold}.",
            vehicle=vehicle,
            confidence=confidence,
            threshold=threshold,
            inferences=dict(zip(classes, vector, strict=True)),
        )
    return Decision(vehicle=vehicle, route=routes[vehicle], confidence=confidence, threshold=threshold)


def checked(inferences: object, classes: tuple[str, ...]) -> list[float]:
    """`inferences` of the event, a list or JSON text of one, as one probability per class.

    Raises:
        BadInputError: InferencesRefused, with the reason.
    """
    if inferences is None:
        raise BadInputError("InferencesRefused", "`inferences` is missing or null: nothing has classified the picture.")
    try:
        return probabilities(parsed(inferences) if isinstance(inferences, str) else inferences, len(classes))
    except NotProbabilitiesError as error:
        raise BadInputError("InferencesRefused", f"`inferences` cannot be used: {error}.") from None

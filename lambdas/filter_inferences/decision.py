"""From probabilities to a route: known and sure enough, or refused loudly."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from lambdas.classify_image.answer import NotProbabilitiesError, fraction, parsed, probabilities
from lambdas.outcomes import BadInputError, LowConfidenceError, UnfamiliarError
from lambdas.rounding import beside


class Decision(TypedDict):
    """What happens to a delivery and why."""

    vehicle: str
    route: str
    confidence: float
    threshold: float
    unfamiliarity: NotRequired[float]


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
            f"THRESHOLD_CONFIDENCE_NOT_MET: best guess {vehicle} at {beside(confidence, threshold, 4)}, "
            f"threshold {threshold}.",
            vehicle=vehicle,
            confidence=confidence,
            threshold=threshold,
            inferences=dict(zip(classes, vector, strict=True)),
        )
    return Decision(vehicle=vehicle, route=routes[vehicle], confidence=confidence, threshold=threshold)


def refuse_stranger(vector: list[float], classes: tuple[str, ...], unfamiliarity: float, limit: float) -> None:
    """Nothing for a picture whose unfamiliarity is `limit` or less.

    Raises:
        UnfamiliarError: it is more. However sure the model is, it chose between classes that the picture may not show.
    """
    if unfamiliarity > limit:
        guess = classes[vector.index(max(vector))]
        more, most = beside(unfamiliarity, limit, 1, "%"), beside(limit, unfamiliarity, 1, "%")
        raise UnfamiliarError(
            "Unfamiliar",
            f"UNLIKE_TRAINING_PICTURES: best guess {guess}, and {more} of known pictures are more like those that the "
            f"model learned from; the limit is {most}.",
            vehicle=guess,
            confidence=max(vector),
            unfamiliarity=unfamiliarity,
            limit=limit,
            inferences=dict(zip(classes, vector, strict=True)),
        )


def checked_unfamiliarity(value: object) -> float | None:
    """`unfamiliarity` of the event; None from a model that does not say it.

    Raises:
        BadInputError: InferencesRefused: it is no number from 0 to 1.
    """
    try:
        return None if value is None else fraction(value)
    except NotProbabilitiesError as error:
        raise BadInputError("InferencesRefused", f"`unfamiliarity` cannot be used: {error}.") from None


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

"""The three steps of the inference workflow for every picture of a batch, in one call.

One state-machine execution per picture would cost more time in Step Functions than in the model. So a batch runs the
very functions that the workflow's three Lambda functions run, one picture after the other, and keeps the results in S3:
however many pictures there are, the state carries only counts. Nobody is alerted per picture; the summary lists them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambdas import telemetry
from lambdas.classify_image.encoding import CONTENT_TYPES
from lambdas.classify_image.endpoint import classify, inference_id
from lambdas.contract import object_location
from lambdas.filter_inferences.decision import decide, refuse_stranger
from lambdas.outcomes import OutcomeError
from lambdas.serialize_image.picture import normalised
from lambdas.serialize_image.stored_picture import fetch

Result = dict[str, Any]

log = telemetry.logger("classify-batch")


@dataclass(frozen=True)
class Workflow:
    """What every picture of a run is judged with; `limit` is asked only about models that say how unfamiliar one is."""

    s3: Any
    runtime: Any
    endpoint: str
    classes: tuple[str, ...]
    routes: dict[str, str]
    size: tuple[int, int]
    threshold: float
    limit: Callable[[], float]


def classify_picture(flow: Workflow, run: str, bucket: str, key: str) -> Result:
    """`{"key", "outcome", ...}`: the decision, or the error and its cause. What goes wrong costs no other picture."""
    try:
        object_location({"s3_bucket": bucket, "s3_key": key})
        png = normalised(fetch(flow.s3, bucket, key), flow.size)
        name = inference_id(run, key)
        vector, unfamiliarity = classify(flow.runtime, flow.endpoint, png, CONTENT_TYPES[0][1], name, len(flow.classes))
        if unfamiliarity is not None:
            refuse_stranger(vector, flow.classes, unfamiliarity, flow.limit())
        return {"key": key, "outcome": "ok", **decide(vector, flow.classes, flow.routes, flow.threshold)}
    except OutcomeError as stop:
        return {"key": key, "outcome": stop.outcome, "error": stop.error, "problem": stop.problem, **stop.facts}
    except Exception as error:
        log.exception("unexpected", extra={"key": key})
        return {"key": key, "outcome": "failed", "error": "Unexpected", "problem": f"{type(error).__name__}: {error}"}


def counted(results: list[Result]) -> dict[str, int]:
    """How many results there are of each outcome."""
    return dict(Counter(result["outcome"] for result in results))


def first_to_retry(results: list[Result]) -> Result | None:
    """The first picture that a service was too busy, slow or away for, so that the batch deserves another attempt."""
    return next((result for result in results if result["outcome"] == "retry"), None)

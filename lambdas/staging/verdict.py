"""What the test found, written where people decide: the model package and, for the report, a file of the execution."""

from __future__ import annotations

from typing import Any

from lambdas.objects import split, write_json
from lambdas.service_errors import calling
from lambdas.staging.trial import Findings, Trial

LONGEST_REASON = 1000
"""The registry takes 1024 characters."""


class StagingFailedError(Exception):
    """The test failed, and the version was rejected; the message says why."""


def write(trial: Trial, found: Findings, sagemaker: Any, s3: Any) -> dict[str, Any]:
    """Write the result, and reject the version if there are problems; the result, if there are none.

    Raises:
        StagingFailedError: there are problems.
    """
    passed = not found.problems
    reason = " ".join("; ".join(found.problems).split())
    result: dict[str, Any] = {
        "outcome": "passed" if passed else "failed",
        "staging": trial.staging,
        "pictures": f"{found.asked} of {found.of}",
        "largest_difference": _number(found.largest_difference, ".2g"),
        "p50_ms": _number(found.p50_ms, ".1f"),
        "p95_ms": _number(found.p95_ms, ".1f"),
        "captured": "not on this endpoint" if found.captured is None else str(found.captured),
        "problems": found.problems,
    }
    shown = ("outcome", "pictures", "largest_difference", "p50_ms", "p95_ms", "captured")
    asked: dict[str, Any] = {
        "ModelPackageArn": trial.package,
        "CustomerMetadataProperties": {f"staging_{name}": str(result[name]) for name in shown},
    }
    if not passed:
        said = f"Rejected by the test on staging endpoint {trial.endpoint}: {reason}"
        asked |= {"ModelApprovalStatus": "Rejected", "ApprovalDescription": said[:LONGEST_REASON]}
    with calling(f"writing the result of staging into {trial.package}"):
        sagemaker.update_model_package(**asked)
    write_json(s3, *split(trial.result), result)
    if not passed:
        raise StagingFailedError(reason[:LONGEST_REASON])
    return result


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

"""One summary of a batch run, from its work list and the results of its batches."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lambdas.list_images.listing import result_key, work_key
from lambdas.objects import read_json
from lambdas.outcomes import FailedError

Result = dict[str, Any]
FAILED_OUTCOMES = {"bad_input", "failed", "retry"}


def gathered(s3: Any, bucket: str, run: str) -> tuple[list[Result], list[str]]:
    """Every result of the run, and the keys of batches that left none (their function never got to writing it)."""
    work = read_json(s3, bucket, work_key(run))
    if work is None:
        raise FailedError("NoWorkList", f"Batch run {run} has no work list {work_key(run)}.")
    results: list[Result] = []
    missing: list[str] = []
    for batch in work:
        part = read_json(s3, bucket, result_key(run, batch["index"]))
        if part is None:
            missing += batch["keys"]
        else:
            results += part
    return results, missing


def summary(run: str, source: str, results: list[Result], missing: list[str]) -> dict[str, Any]:
    """Counts, decisions and the keys that need a look; every picture of the work list is in exactly one of them.

    `low_confidence`, `unfamiliar` and `failed` list key and reason; `not_processed` lists keys.
    """
    ok = [result for result in results if result["outcome"] == "ok"]
    unsure = [result for result in results if result["outcome"] == "low_confidence"]
    strange = [result for result in results if result["outcome"] == "unfamiliar"]
    failed = [result for result in results if result["outcome"] in FAILED_OUTCOMES]
    images = len(results) + len(missing)
    return {
        "run": run,
        "source": source,
        "images": images,
        "routed": len(ok),
        "routes": dict(sorted(Counter(result["route"] for result in ok).items())),
        "vehicles": dict(sorted(Counter(result["vehicle"] for result in ok).items())),
        "failed_percentage": round(100 * (len(failed) + len(missing)) / images, 2),
        "low_confidence": [{name: result[name] for name in ("key", "vehicle", "confidence")} for result in unsure],
        "unfamiliar": [{name: result[name] for name in ("key", "vehicle", "unfamiliarity")} for result in strange],
        "failed": [{name: result[name] for name in ("key", "error", "problem")} for result in failed],
        "not_processed": missing,
        "decisions": {result["key"]: result["route"] for result in ok},
    }


def most_often(report: dict[str, Any]) -> str:
    """The error that most pictures failed with, and what one of them said: `ImageRefused 3 times, first: …`."""
    [(error, times)] = Counter(one["error"] for one in report["failed"]).most_common(1)
    first = next(one for one in report["failed"] if one["error"] == error)
    return f"Most often {error}, {times} time{'s' if times > 1 else ''}, first {first['key']}: {first['problem']}"[:600]

"""The monitoring job in Model Monitor's container contract: environment variables in, three files and a message out.

Written to `output_path`: statistics.json, constraints.json, constraint_violations.json, and our summary.json. Below
/opt/ml/output: `message`, and with publish_cloudwatch_metrics `metrics/cloudwatch/cloudwatch_metrics.jsonl`. A run that
saw too little ends with exit code 0 and a message of its own; only a run that could not be done fails.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from monitoring.analysis import cloudwatch, constraints
from monitoring.analysis.analyze import Analysis, analyze, read_baseline, read_json, summary
from monitoring.analysis.checks import Violation
from monitoring.analysis.environment import Job, job
from monitoring.analysis.live_quality import Quality, judge
from monitoring.analysis.profile import to_statistics
from project.errors import UsageError
from project.files import write_folder, write_json, write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Run the analysis that the environment asks for; what it found is printed too.

    Raises:
        SconesError: the environment is wrong, a baseline cannot be used, or reading broke off.
    """
    if argv:
        raise UsageError(f"The job monitor takes no arguments, found {' '.join(argv)}.", "It reads its environment.")
    asked = job()
    now = datetime.now(UTC)
    found = run_model_quality(asked, now) if asked.model_quality else run_data_quality(asked, now)
    for line in (*found.tally.problems, *map(str, found.violations), found.message):
        print(line, flush=True)
    write_text(asked.base / "output" / "message", found.message)
    return 0


def run_data_quality(asked: Job, now: datetime) -> Analysis:
    """Analyse the traffic, and write the files."""
    baseline = read_baseline(asked.statistics, asked.constraints)
    found = analyze(asked, baseline)
    rules = baseline.constraints if baseline else {}
    metrics = cloudwatch.data_metrics(found.profile, found.drifts, found.outcome, rules)
    documents = {
        "statistics.json": to_statistics(found.profile),
        "constraints.json": constraints.suggested(found.profile, found.classes),
        "summary.json": summary(found, asked, baseline),
    }
    _write(asked, documents, found.violations, metrics, now)
    return found


def run_model_quality(asked: Job, now: datetime) -> Quality:
    """Join the traffic with its labels, and write the files."""
    rules = read_json(asked.constraints) if asked.constraints and asked.constraints.is_file() else None
    found = judge(asked, rules, now)
    documents = {
        "statistics.json": found.statistics or {"version": 0.0, "dataset": {"item_count": found.labelled}},
        "constraints.json": rules or {"version": 0.0},
        "summary.json": {
            "outcome": found.outcome.value,
            "message": found.message,
            "endpoint": asked.endpoint,
            "schedule": asked.schedule,
            "labelled": found.labelled,
            "unlabelled": found.unlabelled,
            "unmatched_labels": found.unmatched,
            "reading": asdict(found.tally),
            "violations": len(found.violations),
        },
    }
    _write(asked, documents, found.violations, _model_metrics(found), now)
    return found


def _model_metrics(found: Quality) -> list[dict[str, Any]]:
    kinds = ("binary_classification_metrics", "multiclass_classification_metrics")
    values: dict[str, Any] = next((found.statistics[kind] for kind in kinds if kind in found.statistics), {})
    return [cloudwatch.value("accuracy", values["accuracy"]["value"])] if "accuracy" in values else []


def _write(
    asked: Job,
    documents: dict[str, dict[str, Any]],
    violations: Sequence[Violation],
    metrics: list[dict[str, Any]],
    now: datetime,
) -> None:
    stamped = cloudwatch.lines(metrics, now, asked.endpoint, asked.schedule)
    documents["summary.json"] |= {"analysed_at": now.isoformat(), "metrics": stamped}
    documents["constraint_violations.json"] = {"violations": [v.to_json() for v in violations]}
    with write_folder(asked.output) as scratch:
        for name, document in documents.items():
            write_json(scratch / name, document)
    if asked.publish:
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in stamped)
        write_text(asked.base / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl", text)

"""The files of the monitor against Model Monitor's schemas, and read by the SageMaker SDK's own classes.

The schemas are written from Model Monitor's developer guide: "Schema for Statistics", "Schema for Constraints", "Schema
for Violations", and "Container Contract Outputs" for the metrics.
"""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from capture_files import traffic, write
from monitor_support import Monitor

from infra.costs import custom_metrics
from monitoring.analysis import constraints, ground_truth
from pipelines.definition.bundle import bundle

NUMBER = {"type": "number"}
COUNT = {"type": "number", "minimum": 0}


def obj(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def array(items: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {"type": "array", "items": items, **limits}


COMMON = obj({"num_present": COUNT, "num_missing": COUNT})
KLL = obj(
    {
        "buckets": array(obj({"lower_bound": NUMBER, "upper_bound": NUMBER, "count": COUNT}), minItems=10, maxItems=10),
        "sketch": obj({"parameters": obj({"c": NUMBER, "k": NUMBER}), "data": array(array(NUMBER))}),
    }
)
NUMERICAL = obj(
    {
        "common": COMMON,
        **dict.fromkeys(("mean", "sum", "std_dev", "min", "max"), NUMBER),
        "distribution": obj({"kll": KLL}),
    }
)
TEXTS = obj(
    {
        "common": COMMON,
        "distinct_count": COUNT,
        "distribution": obj(
            {"categorical": obj({"buckets": array(obj({"value": {"type": "string"}, "count": COUNT}))})}
        ),
    }
)
TYPE = {"enum": ["Integral", "Fractional", "String", "Unknown"]}
STATISTICS = obj(
    {
        "version": NUMBER,
        "dataset": obj({"item_count": COUNT}),
        "features": array(
            obj(
                {"name": {"type": "string"}, "inferred_type": TYPE},
                {"numerical_statistics": NUMERICAL, "string_statistics": TEXTS},
            )
        ),
    }
)
SWITCH = {"enum": ["Enabled", "Disabled"]}
DISTRIBUTION = obj(
    {},
    {
        "perform_comparison": SWITCH,
        "comparison_threshold": NUMBER,
        "comparison_method": {"enum": ["Simple", "Robust"]},
        "categorical_comparison_threshold": NUMBER,
        "categorical_drift_method": {"enum": ["LInfinity", "ChiSquared"]},
    },
)
CONFIG = {
    "evaluate_constraints": SWITCH,
    "emit_metrics": SWITCH,
    "datatype_check_threshold": NUMBER,
    "domain_content_threshold": NUMBER,
    "distribution_constraints": DISTRIBUTION,
}
CONSTRAINTS = obj(
    {
        "version": NUMBER,
        "features": array(
            obj(
                {
                    "name": {"type": "string"},
                    "inferred_type": TYPE,
                    "completeness": {"type": "number", "minimum": 0, "maximum": 1},
                },
                {
                    "num_constraints": obj({"is_non_negative": {"type": "boolean"}}),
                    "string_constraints": obj({"domains": array({"type": "string"})}),
                    "monitoringConfigOverrides": obj({}, CONFIG),
                },
            )
        ),
        "monitoring_config": obj(CONFIG),
    }
)
CHECKS = [
    *("data_type_check", "completeness_check", "baseline_drift_check", "missing_column_check"),
    *("extra_column_check", "categorical_values_check"),
]
VIOLATIONS = obj(
    {
        "violations": array(
            obj(
                {
                    "feature_name": {"type": "string"},
                    "constraint_check_type": {"enum": CHECKS},
                    "description": {"type": "string"},
                }
            )
        )
    }
)
STATISTIC_VALUES = obj(dict.fromkeys(("SampleCount", "Sum", "Minimum", "Maximum"), NUMBER))
METRIC = {
    **obj(
        {
            "MetricName": {"type": "string", "pattern": "^[a-z0-9_]{1,255}$"},
            "Timestamp": {"type": "string", "pattern": "^2[0-9]{3}-.*Z$"},
            "Dimensions": {
                "const": [
                    {"Name": "Endpoint", "Value": "scones-endpoint"},
                    {"Name": "MonitoringSchedule", "Value": "scones-schedule"},
                ]
            },
            "Unit": {"enum": ["None", "Count"]},
        },
        {"Value": NUMBER, "StatisticValues": STATISTIC_VALUES},
    ),
    "oneOf": [{"required": ["Value"]}, {"required": ["StatisticValues"]}],
}


@pytest.mark.parametrize(
    ("records", "shade", "with_baseline"),
    [(0, 1.0, True), (5, 1.0, True), (60, 1.0, False), (200, 1.0, True), (200, 0.5, True)],
)
def test_every_outcome_writes_files_of_the_schema(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path, records: int, shade: float, with_baseline: bool
) -> None:
    source = traffic(tmp_path / "capture", records, seed=1, shade=shade)
    monitor.run(source, baseline_folder if with_baseline else None, start_time="2026-05-04T00:00:00Z")
    jsonschema.validate(monitor.wrote("statistics.json"), STATISTICS)
    jsonschema.validate(monitor.wrote("constraints.json"), CONSTRAINTS)
    jsonschema.validate(monitor.wrote("constraint_violations.json"), VIOLATIONS)
    for metric in monitor.metrics():
        jsonschema.validate(metric, METRIC)


def test_the_baseline_is_of_the_same_schema(baseline_folder: Path) -> None:
    jsonschema.validate(json.loads((baseline_folder / "statistics.json").read_text()), STATISTICS)
    jsonschema.validate(json.loads((baseline_folder / "constraints.json").read_text()), CONSTRAINTS)


def test_traffic_that_is_all_garbage_has_files_of_the_schema(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    write(tmp_path / "capture" / "a.jsonl", ["garbage"] * 50)
    monitor.run(tmp_path / "capture", baseline_folder)
    jsonschema.validate(monitor.wrote("statistics.json"), STATISTICS)
    jsonschema.validate(monitor.wrote("constraint_violations.json"), VIOLATIONS)


def test_only_metrics_that_somebody_looks_at_are_published(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    """Each bills by the month; the alarms and the dashboard of infra/ look at these."""
    monitor.run(traffic(tmp_path / "capture", 60, seed=1, strange=0.1), baseline_folder)
    names = {metric["MetricName"]: metric for metric in monitor.metrics()}
    assert set(names) == {"feature_data_low_confidence", "feature_data_unfamiliar", "drift_severity"}
    looked_at = {name for space, name in custom_metrics() if space == "aws/sagemaker/Endpoints/data-metrics"}
    assert set(names) == looked_at
    assert names["feature_data_low_confidence"]["StatisticValues"]["Maximum"] == 1.0  # its average is the share
    assert monitor.wrote("summary.json")["metrics"] == monitor.metrics()


def test_metrics_of_features_have_model_monitors_names_where_the_constraints_ask_for_them(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    asking = tmp_path / "baseline"
    shutil.copytree(baseline_folder, asking)
    file = next(asking.rglob("constraints.json"))
    file.write_text(file.read_text().replace('"emit_metrics": "Disabled"', '"emit_metrics": "Enabled"'))
    monitor.run(traffic(tmp_path / "capture", 60, seed=1), asking)
    names = {metric["MetricName"]: metric for metric in monitor.metrics()}
    assert {"feature_baseline_drift_confidence", "feature_non_null_confidence"} <= set(names)
    assert names["feature_data_confidence"]["StatisticValues"]["SampleCount"] == 60


def test_no_metrics_file_is_written_unless_asked_for(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    source = traffic(tmp_path / "capture", 40, seed=1)
    monitor.run(source, baseline_folder, publish_cloudwatch_metrics="Disabled")
    assert not (monitor.base / "output" / "metrics").exists()
    assert monitor.wrote("summary.json")["metrics"]


def test_bucket_counts_and_sketches_add_up(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    monitor.run(traffic(tmp_path / "capture", 120, seed=1), baseline_folder)
    for feature in monitor.wrote("statistics.json")["features"]:
        if "numerical_statistics" in feature:
            kll = feature["numerical_statistics"]["distribution"]["kll"]
            assert sum(bucket["count"] for bucket in kll["buckets"]) == 120
            assert sum(len(level) << i for i, level in enumerate(kll["sketch"]["data"])) == 120


def test_the_sdks_own_classes_read_and_change_the_files(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    from sagemaker.core.model_monitor import Constraints, ConstraintViolations, Statistics

    source = traffic(tmp_path / "capture", 200, seed=2, shade=0.5)
    monitor.run(source, baseline_folder)
    uri, session = "s3://bucket/file.json", object()
    found = ConstraintViolations(monitor.wrote("constraint_violations.json"), uri, sagemaker_session=session)
    assert found.body_dict["violations"]
    assert Statistics(monitor.wrote("statistics.json"), uri, sagemaker_session=session).body_dict["features"]

    rules = json.loads((baseline_folder / "constraints.json").read_text())
    mine = Constraints(rules, uri, sagemaker_session=session)
    mine.set_monitoring(False, "brightness")
    parsed = constraints.parse(mine.body_dict, "changed")
    assert not parsed["brightness"].config.evaluate and parsed["contrast"].config.evaluate
    mine.set_monitoring(False)
    assert not constraints.parse(mine.body_dict, "changed")["contrast"].config.evaluate


@pytest.mark.parametrize(
    ("written", "read"),
    [("Simple", "Simple"), ("Robust", "Robust"), ("linf_simple", "Simple"), ("linf_robust", "Robust")],
)
def test_both_spellings_of_a_distance_are_read(written: str, read: str) -> None:
    document = {
        "features": [{"name": "a", "inferred_type": "Fractional"}],
        "monitoring_config": {"distribution_constraints": {"comparison_method": written}},
    }
    assert constraints.parse(document, "test")["a"].config.method == read


def test_constraints_without_our_additions_have_model_monitors_defaults() -> None:
    config = constraints.parse({"features": [{"name": "a", "inferred_type": "Fractional"}]}, "test")["a"].config
    assert (config.evaluate, config.compare, config.comparison_threshold, config.datatype_threshold) == (
        True,
        True,
        0.1,
        1,
    )
    assert config.categorical_method == "LInfinity"


def test_ground_truth_is_in_model_monitors_form() -> None:
    (line,) = ground_truth.text({"3f1c": 1}).splitlines()
    assert json.loads(line) == {
        "groundTruthData": {"data": "1", "encoding": "CSV"},
        "eventMetadata": {"eventId": "3f1c"},
        "eventVersion": "0",
    }


def test_what_travels_to_the_job_needs_no_aws_library_and_no_module_of_the_clients() -> None:
    allowed = {"numpy", "PIL", "pandas", "scipy", "project", "monitoring", "steps", "__future__"}
    for path, content in bundle("monitor").files:
        assert not path.startswith("scones/")
        if not path.endswith(".py") or path == "run.py":
            continue
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.ImportFrom | ast.Import):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                name = str(module).partition(".")[0]
                assert name in allowed or name in __import__("sys").stdlib_module_names, f"{path} imports {name}"

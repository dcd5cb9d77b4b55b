"""What statistics, constraints and violations of a table say, by the schemas of the developer guide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localcloud.programs.model_monitor import data_quality, distribution
from localcloud.programs.model_monitor.job import run
from localcloud.programs.model_monitor.table import TableError, read

CSV = '{"csv": {"header": true}}'


def analyze(folder: Path, rows: str, baseline: Path | None = None, **told: str) -> tuple[int, Path, str]:
    """The exit code, the folder of results and the message of a job over one file of rows."""
    folder.mkdir()
    (folder / "in").mkdir()
    (folder / "in" / "part-0").write_text(rows, encoding="utf-8")
    (folder / "output").mkdir()
    environment = {
        "dataset_source": str(folder / "in"),
        "output_path": str(folder / "out"),
        "dataset_format": CSV,
        "SAGEMAKER_BASE_DIR": str(folder),
        **told,
    }
    if baseline:
        files = ("statistics", "constraints")
        environment |= {f"baseline_{name}": str(baseline / f"{name}.json") for name in files}
    code = run(environment)
    return code, folder / "out", (folder / "output" / "message").read_text(encoding="utf-8")


def document(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def checks(folder: Path) -> set[tuple[str, str]]:
    found = document(folder, "constraint_violations")["violations"]
    return {(one["feature_name"], one["constraint_check_type"]) for one in found}


def table(*rows: str, times: int = 30) -> str:
    return "size,share,kind,empty\n" + "\n".join(rows * times) + "\n"


def test_statistics_and_constraints_of_every_kind_of_column(tmp_path: Path) -> None:
    code, out, message = analyze(tmp_path / "a", table("1,0.5,x,", "3,,y,"))
    assert (code, message) == (0, "Completed: Job completed successfully with no violations.")
    size, share, kind, empty = document(out, "statistics")["features"]
    assert (size["inferred_type"], share["inferred_type"]) == ("Integral", "Fractional")
    numbers = size["numerical_statistics"]
    assert (numbers["mean"], numbers["std_dev"], numbers["min"], numbers["max"], numbers["sum"]) == (2, 1, 1, 3, 120)
    assert share["numerical_statistics"]["common"] == {"num_present": 30, "num_missing": 30}
    buckets = kind["string_statistics"]["distribution"]["categorical"]["buckets"]
    assert buckets == [{"value": "x", "count": 30}, {"value": "y", "count": 30}]
    assert empty["inferred_type"] == "Unknown"
    rules = {rule["name"]: rule for rule in document(out, "constraints")["features"]}
    assert rules["size"]["num_constraints"] == {"is_non_negative": True}
    assert rules["share"]["completeness"] == 0.5
    assert rules["kind"]["string_constraints"] == {"domains": ["x", "y"]}
    assert not (out / "constraint_violations.json").exists()


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (table("1,0.5,x,", "3,,y,"), set()),
        (table("9,0.5,x,", "9,,y,"), {("size", "baseline_drift_check")}),
        (table("1,0.5,x,", "3,,x,"), {("kind", "baseline_drift_check")}),
        (table("1,0.5,x,", "3,,z,"), {("kind", "categorical_values_check"), ("kind", "baseline_drift_check")}),
        (table("1,,x,", "3,,y,"), {("share", "completeness_check")}),
        (table("1,0.5,x,", "3.5,,y,"), {("size", "data_type_check")}),
        ("size,kind,new\n" + "1,x,1\n3,y,1\n" * 30, {(name, "missing_column_check") for name in ("share", "empty")}
         | {("new", "extra_column_check")}),
    ],
)  # fmt: skip
def test_each_check_finds_what_it_is_for(tmp_path: Path, rows: str, found: set[tuple[str, str]]) -> None:
    _, baseline, _ = analyze(tmp_path / "a", table("1,0.5,x,", "3,,y,"))
    code, out, message = analyze(tmp_path / "b", rows, baseline)
    assert code == 0
    assert checks(out) == found
    assert message.startswith("CompletedWithViolations: " if found else "Completed: ")


def test_constraints_of_a_feature_override_the_shared_ones(tmp_path: Path) -> None:
    _, baseline, _ = analyze(tmp_path / "a", table("1,0.5,x,"))
    rules = document(baseline, "constraints")
    rules["features"][0]["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
    rules["features"][1]["monitoring_config_overrides"] = {
        "distribution_constraints": {"perform_comparison": "Disabled"}
    }
    (baseline / "constraints.json").write_text(json.dumps(rules), encoding="utf-8")
    _, out, _ = analyze(tmp_path / "b", table("9.5,0.9,x,"), baseline)
    assert checks(out) == set()


def test_large_distributions_are_kept_as_a_sketch_and_compared_by_it() -> None:
    chance = np.random.default_rng(0)
    one, same, shifted = chance.normal(size=50_000), chance.normal(size=9_000), chance.normal(0.5, size=9_000)
    described = [distribution.described(values) for values in (one, same, shifted)]
    levels = described[0]["kll"]["sketch"]["data"]
    assert sum(map(len, levels)) <= distribution.KEPT
    assert distribution.distance(described[0], described[1]) < 0.02
    assert distribution.distance(described[0], described[2]) == pytest.approx(0.197, abs=0.02)
    assert distribution.robust(0.5, 100, 100) == pytest.approx(0.5 - 1.8 * 0.02**0.5)


@pytest.mark.parametrize(
    ("rows", "told", "problem"),
    [
        ("a\n", CSV, "there are no rows"),
        ("a,b\n1\n", CSV, "line 2 of part-0 has 1 cells, and not 2"),
        ("a,b,a\n1,2,3\n", CSV, "more than one column of part-0 is named 'a'"),
        ("a\n" + "x" * 200_000 + "\n", CSV, "part-0 cannot be read: field larger than field limit"),
        ("a\n1e999\n2\n", CSV, "the data has no statistics: "),
        ("[1]\n", '{"json": {"lines": true}}', "line 1 of part-0 is no object"),
        ('{"a":' + "[" * 20_000 + "]" * 20_000 + "}\n", '{"json": {}}', "line 1 of part-0 is not JSON"),
        ("{\n", '{"json": {}}', "line 1 of part-0 is not JSON"),
        ("a\n1\n", '{"parquet": {}}', "dataset_format parquet is none of csv and json"),
        ("a\n1\n", "csv", "dataset_format 'csv' names no format"),
    ],
)
def test_data_that_cannot_be_read_fails_the_job_with_the_reason(
    tmp_path: Path, rows: str, told: str, problem: str
) -> None:
    code, _, message = analyze(tmp_path / "a", rows, dataset_format=told)
    assert code == 1
    assert problem in message


def test_scripts_are_refused_and_a_broken_baseline_is_named(tmp_path: Path) -> None:
    code, _, message = analyze(tmp_path / "a", "a\n1\n", record_preprocessor_script="/opt/ml/x.py")
    assert (code, message) == (1, "Error: record_preprocessor_script is set; the local analyzer runs no scripts")
    for name in ("statistics", "constraints"):
        (tmp_path / f"{name}.json").write_text("{}", encoding="utf-8")
    code, _, message = analyze(tmp_path / "b", "a\n1\n", tmp_path)
    assert code == 1
    assert "the baseline is not in Model Monitor's form: KeyError: 'features'" in message


def test_what_is_no_utf_8_fails_the_job_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n\xff\n")
    with pytest.raises(TableError, match=r"a\.csv cannot be read: 'utf-8' codec"):
        read(tmp_path, CSV)


def test_rows_without_header_and_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,x\n\n2,y\n", encoding="utf-8")
    assert read(tmp_path / "a.csv", '{"csv": {"header": false}}') == {"_c0": ["1", "2"], "_c1": ["x", "y"]}
    (tmp_path / "a.json").write_text('{"a": 1, "b": null}\n{"a": true, "c": "x\u2028y"}\n', encoding="utf-8")
    columns = {"a": ["1", "true"], "b": ["", ""], "c": ["", "x\u2028y"]}
    assert read(tmp_path / "a.json", '{"json": {"lines": true}}') == columns
    assert data_quality.profile(columns, {})["dataset"] == {"item_count": 2}
    with pytest.raises(TableError, match="names no format"):
        read(tmp_path, "")

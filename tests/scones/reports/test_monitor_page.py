"""The report: one file with everything in it, whatever the outcome, and hostile texts stay texts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from capture_files import NOON, entry, traffic, write

from monitoring.analysis.analyze import read_baseline
from monitoring.analysis.environment import job
from scones.reports import monitor_page

MADE = datetime(2026, 5, 5, tzinfo=UTC)


def gathered(source: Path, baseline: Path | None) -> monitor_page.Report:
    asked = job({"dataset_source": str(source), "output_path": "unused", "sagemaker_endpoint_name": "scones"})
    known = read_baseline(baseline / "statistics.json", baseline / "constraints.json") if baseline else None
    return monitor_page.gathered(asked, known, MADE)


def page(source: Path, baseline: Path | None) -> str:
    found = gathered(source, baseline)
    return monitor_page.html(found, monitor_page.drawings(found))


def test_the_report_of_drifted_traffic_says_so_and_is_one_file(baseline_folder: Path, tmp_path: Path) -> None:
    found = gathered(traffic(tmp_path / "c", 200, seed=2, shade=0.6), baseline_folder)
    monitor_page.write(found, tmp_path / "r")
    text = monitor_page.write(found, tmp_path / "r").read_text()  # again, over the first
    assert ">Violations</span>" in text and "Baseline drift distance" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text), "everything is inside"
    assert "<script" not in text
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert {"report.html", "confidence-over-time.png", "confidence-histogram.png", "above-and-below.png"} <= names
    assert not list((tmp_path / "r").glob("*.partial"))
    assert {"class-mix.png", "drift.png", "input-brightness.png"} <= names
    assert text.count("data:image/png;base64,") == 24  # the least confident


@pytest.mark.parametrize(
    ("records", "with_baseline", "badge"),
    [(0, True, "No data"), (1, True, "Too few records"), (60, False, "No baseline"), (200, True, "Healthy")],
)
def test_every_outcome_has_a_report_that_names_it(
    baseline_folder: Path, tmp_path: Path, records: int, with_baseline: bool, badge: str
) -> None:
    (tmp_path / "c").mkdir()
    text = page(traffic(tmp_path / "c", records, seed=1), baseline_folder if with_baseline else None)
    assert f">{badge}</span>" in text
    assert (badge == "Healthy") == ('class="badge good"' in text)


def test_damaged_lines_are_listed_and_hostile_texts_are_shown_as_text(baseline_folder: Path, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    lines = [entry(f"{hostile}{i}", (0.6, 0.4), b"\x89PNG", NOON + timedelta(seconds=i)) for i in range(40)]
    write(tmp_path / "c" / f"{hostile.replace('/', '')}.jsonl", [*lines, "{broken"])
    text = page(tmp_path / "c", baseline_folder)
    assert hostile not in text and "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "not JSON" in text and "picture: " in text


def test_the_least_confident_come_first(baseline_folder: Path, tmp_path: Path) -> None:
    text = page(traffic(tmp_path / "c", 120, seed=4), baseline_folder)
    shares = [float(found) for found in re.findall(r"<b>([\d.]+)%</b>", text)]
    assert len(shares) == 24 and shares == sorted(shares)

"""The report: one file with everything in it, whatever the outcome, and hostile texts stay texts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from capture_files import NOON, entry, picture, traffic, write
from html_page import Page, assert_self_contained, read_page

from monitoring.analysis.analyze import read_baseline
from monitoring.analysis.checks import Violation
from monitoring.analysis.environment import job
from pipelines.runs.live_history import Deployment
from scones.reports import monitor_page
from scones.reports.charts.traffic import LatencyLine
from scones.reports.monitor_verdict import STEPS, step_after

MADE = datetime(2026, 5, 5, tzinfo=UTC)


def read(source: Path, baseline: Path | None) -> monitor_page.TrafficReport:
    asked = job({"dataset_source": str(source), "output_path": "unused", "sagemaker_endpoint_name": "scones"})
    known = read_baseline(baseline / "statistics.json", baseline / "constraints.json") if baseline else None
    return monitor_page.read_traffic(asked, known, MADE)


def page(source: Path, baseline: Path | None) -> Page:
    found = read_page(monitor_page.page(read(source, baseline)))
    assert_self_contained(found)
    return found


def test_the_report_of_drifted_traffic_says_so_and_is_one_file(baseline_folder: Path, tmp_path: Path) -> None:
    found = read(traffic(tmp_path / "c", 200, seed=2, shade=0.6), baseline_folder)
    monitor_page.write(found, tmp_path / "r")
    shown = read_page(monitor_page.write(found, tmp_path / "r").read_text())  # again, over the first
    assert_self_contained(shown)
    assert ("Violations", "bad") in shown.badges and "Baseline drift distance" in shown.text
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["report.html"]
    assert {"confidence-over-time", "confidence-histogram", "above-and-below", "class-mix"} <= set(shown.charts)
    assert {"drift", "input-brightness"} <= set(shown.charts)
    assert len(shown.images) == 24  # the least confident


def test_a_picture_that_was_sent_again_is_shown_once_and_two_points_of_latency_are_numbers(tmp_path: Path) -> None:
    same = picture(np.random.default_rng(0), shade=1.0, side=32)
    entries = [entry(f"e{i}", (0.6, 0.4), same, NOON + timedelta(seconds=i)) for i in range(4)]
    write(tmp_path / "c" / "a.jsonl", entries)
    asked = job({"dataset_source": str(tmp_path / "c"), "output_path": "unused"})
    latency = [LatencyLine("median", np.array([0.0, 60.0]), np.array([12.0, 20.0]))]
    shown = read_page(monitor_page.page(monitor_page.read_traffic(asked, None, MADE, latency)))
    assert len(shown.images) == 1 and "sent 4 times" in shown.text
    assert "latency" not in shown.charts and "12 to 20 ms" in shown.text


def test_it_names_version_endpoint_time_threshold_and_what_to_do_about_each_violation(
    baseline_folder: Path, tmp_path: Path
) -> None:
    told = {"sagemaker_endpoint_name": "scones", "model_version": "3", "confidence_threshold": "0.9"}
    told |= {"start_time": "2026-05-04T11:00:00+00:00", "end_time": "2026-05-04T13:00:00+00:00"}
    folder = traffic(tmp_path / "c", 200, seed=2, shade=0.6)
    asked = job({"dataset_source": str(folder), "output_path": "unused"} | told)
    known = read_baseline(baseline_folder / "statistics.json", baseline_folder / "constraints.json")
    deployed = [Deployment(2, NOON.timestamp() - 9000), Deployment(3, NOON.timestamp())]
    found = monitor_page.read_traffic(asked, known, MADE, (), deployed)
    shown = read_page(monitor_page.page(found))
    for words in (
        "The traffic of endpoint scones is not like the test set of version 3: ",
        f"version 2, from {NOON:%d %b %H:%M:%S} version 3",
        "04 May 2026 11:00 to 04 May 2026 13:00 UTC",
        "90%: below it a picture is not routed",
        "Look at the pictures below and at the charts of these features",
    ):
        assert words in shown.text
    assert shown.badges.count(("violated", "bad")) == len({one.feature for one in found.found.violations})
    assert ("holds", "good") in shown.badges and "gap to the test set's at most" in shown.text


@pytest.mark.parametrize("check", [*STEPS, "baseline_drift_check", "categorical_values_check"])
@pytest.mark.parametrize("feature", ["confidence", "predicted_class", "brightness", "captured_records"])
def test_every_violation_has_a_next_step(check: str, feature: str) -> None:
    assert step_after(Violation(feature, check, "")).endswith(".")


@pytest.mark.parametrize(
    ("records", "with_baseline", "badge"),
    [(0, True, "No data"), (1, True, "Too few records"), (60, False, "No baseline"), (200, True, "Healthy")],
)
def test_every_outcome_has_a_report_that_names_it(
    baseline_folder: Path, tmp_path: Path, records: int, with_baseline: bool, badge: str
) -> None:
    (tmp_path / "c").mkdir()
    found = page(traffic(tmp_path / "c", records, seed=1), baseline_folder if with_baseline else None)
    assert found.badges[0] == (badge, "good" if badge == "Healthy" else "warn")
    assert ("violated", "bad") not in found.badges
    assert ("What to do:" in found.text) == (badge != "Healthy")


def test_damaged_lines_are_listed_and_hostile_texts_are_shown_as_text(baseline_folder: Path, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    lines = [entry(f"{hostile}{i}", (0.6, 0.4), b"\x89PNG", NOON + timedelta(seconds=i)) for i in range(40)]
    write(tmp_path / "c" / f"{hostile.replace('/', '')}.jsonl", [*lines, "{broken"])
    found = page(tmp_path / "c", baseline_folder)
    assert hostile in found.text, "as text, not as an element: the page was parsed"
    assert "not JSON" in found.text and "picture: " in found.text


def test_hostile_classes_and_names_are_shown_as_text_in_page_and_charts(tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)>%{x}"
    asked = job(
        {"dataset_source": str(traffic(tmp_path / "c", 40, seed=1)), "output_path": "unused"}
        | {"sagemaker_endpoint_name": hostile}
    )
    asked = replace(asked, classes=(hostile, "bus"))
    latency = [LatencyLine(hostile, np.array([0.0, 60.0, 120.0]), np.array([1.0, 2.0, 1.5]))]
    found = read_page(monitor_page.page(monitor_page.read_traffic(asked, None, MADE, latency)))
    assert_self_contained(found)
    assert f"Traffic of {hostile}" in found.text
    for name in ("class-mix", "latency"):
        said = [trace["name"] for trace in found.charts[name]["data"]]
        assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;%{x}" in said
    assert hostile not in json.dumps(found.charts)


def test_the_least_confident_come_first(baseline_folder: Path, tmp_path: Path) -> None:
    found = page(traffic(tmp_path / "c", 120, seed=4), baseline_folder)
    shown = found.text.rpartition("Where the model was least sure")[2].partition("What traffic is expected")[0]
    shares = [float(one) for one in re.findall(r"([\d.]+)% ", shown)]
    assert len(shares) == 24 and shares == sorted(shares)


def test_unfamiliar_pictures_are_shown_with_their_share(baseline_folder: Path, tmp_path: Path) -> None:
    found = page(traffic(tmp_path / "c", 120, seed=4, strange=0.4), baseline_folder)
    card, _, shown = found.text.partition("The most unfamiliar first")
    assert re.search(r"Unfamiliar, above 95% \d+(\.\d)?% baseline \d", card)
    assert shown.partition("What was read")[0].count("unfamiliarity 99%") == 24, "as many as are kept"
    assert "The most unfamiliar first" not in page(traffic(tmp_path / "d", 60, seed=4), baseline_folder).text

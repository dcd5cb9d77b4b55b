"""The monitor as a processing job on the local cloud, and its files in S3 read back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from capture_files import CLASSES, NOON, traffic
from job_support import CODE, OUTPUT, SCIKIT_LEARN, Bucket, finish, processing, processing_input

from localcloud.sagemaker.cloud import Cloud
from monitoring.analysis import capture, ground_truth, outcome
from monitoring.analysis.capture import Tally, Window
from monitoring.analysis.ground_truth import NEITHER
from monitoring.analysis.outcome import Outcome
from monitoring.watch.files import fetch
from monitoring.watch.labels import Label, give, read_all
from pipelines.definition.bundle import bundle
from project.errors import CloudError

INPUT = "/opt/ml/processing/input"


def uploaded(folder: Path, bucket: Bucket, prefix: str) -> str:
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return bucket.uri(prefix)


def request(bucket: Bucket, captured: str, baseline: str, **variables: str) -> dict[str, Any]:
    """What a scheduler asks SageMaker for: our program in a scikit-learn container, told by its environment."""
    for path, content in bundle("monitor").files:
        bucket.put(f"code/{path}", content)
    environment = {
        "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
        "dataset_source": f"{INPUT}/endpoint",
        "baseline_statistics": f"{INPUT}/baseline/statistics.json",
        "baseline_constraints": f"{INPUT}/baseline/constraints.json",
        "output_path": OUTPUT,
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "scones-endpoint",
        "sagemaker_monitoring_schedule_name": "scones-schedule",
        **variables,
    }
    inputs = [
        processing_input("code", bucket.uri("code"), CODE),
        processing_input("endpoint", captured, f"{INPUT}/endpoint"),
        processing_input("baseline", baseline, f"{INPUT}/baseline"),
    ]
    application = {
        "ImageUri": SCIKIT_LEARN,
        "ContainerEntrypoint": ["python3", f"{CODE}/run.py"],
        "ContainerArguments": ["monitor"],
    }
    return processing(bucket, "", ProcessingInputs=inputs, Environment=environment, AppSpecification=application)


@pytest.mark.parametrize(("shade", "expected"), [(1.0, Outcome.HEALTHY), (0.5, Outcome.VIOLATIONS)])
def test_the_monitor_runs_as_a_processing_job(
    cloud: Cloud, bucket: Bucket, baseline_folder: Path, tmp_path: Path, shade: float, expected: Outcome
) -> None:
    captured = uploaded(traffic(tmp_path / "capture", 120, seed=1, shade=shade), bucket, "capture")
    baseline = uploaded(baseline_folder, bucket, "baseline")
    done = finish(cloud, request(bucket, captured, baseline))
    assert done["ProcessingJobStatus"] == "Completed", done
    assert outcome.of_message(done["ExitMessage"]) is expected
    files = {"statistics.json", "constraints.json", "constraint_violations.json", "summary.json"}
    assert {key.removeprefix("out/") for key in bucket.keys("out/")} == files
    assert json.loads(bucket.get("out/statistics.json"))["dataset"]["item_count"] == 120
    assert bool(json.loads(bucket.get("out/constraint_violations.json"))["violations"]) == (shade < 1)


def test_a_broken_baseline_fails_the_job_with_its_reason(
    cloud: Cloud, bucket: Bucket, baseline_folder: Path, tmp_path: Path
) -> None:
    captured = uploaded(traffic(tmp_path / "capture", 40, seed=1), bucket, "capture")
    baseline = uploaded(baseline_folder, bucket, "baseline")
    bucket.put("baseline/statistics.json", "{}")
    done = finish(cloud, request(bucket, captured, baseline))
    assert done["ProcessingJobStatus"] == "Failed"
    assert "not statistics in Model Monitor's form" in done["FailureReason"]
    assert not bucket.keys("out/")


@pytest.mark.usefixtures("on_local_cloud")
def test_captures_are_fetched_for_the_window_only_and_once(bucket: Bucket, tmp_path: Path) -> None:
    uploaded(traffic(tmp_path / "a", 60, seed=1, every=timedelta(minutes=6)), bucket, "capture")
    bucket.put("capture/scones-endpoint/notes.txt", "not a capture")
    window = Window(NOON, NOON + timedelta(hours=2))
    held = fetch(bucket.uri("capture"), tmp_path / "fetched", window)
    files = capture.files(tmp_path / "fetched")
    assert len(files) == held == len(capture.files(tmp_path / "a", window)) < len(capture.files(tmp_path / "a"))
    tally = Tally()
    assert len(list(capture.read(files, tally, window))) == 20 and not tally.problems
    stamps = [file.stat().st_mtime_ns for file in files]
    fetch(bucket.uri("capture/"), tmp_path / "fetched", window)
    assert [file.stat().st_mtime_ns for file in files] == stamps
    assert not list((tmp_path / "fetched").rglob("*.partial"))


@pytest.mark.usefixtures("on_local_cloud")
def test_labels_put_into_s3_are_read_back(bucket: Bucket, tmp_path: Path) -> None:
    given = give(bucket.name, "fleet", "e1", 1, "Ann B.", NOON)
    assert given.key.startswith("ground-truth/fleet/2026/05/04/12/00-00-000000-Ann-B-")
    give(bucket.name, "fleet", "e2", NEITHER, "Ben", NOON)
    found = read_all(bucket.name, "fleet", CLASSES, Tally())
    assert found == [Label("e1", 1, "Ann-B", NOON), Label("e2", NEITHER, "Ben", NOON)]
    assert fetch(bucket.uri("ground-truth/fleet"), tmp_path) == 1
    assert ground_truth.read(tmp_path, CLASSES, Tally()) == {"e1": 1}


@pytest.mark.usefixtures("on_local_cloud")
def test_what_cannot_be_fetched_says_what_was_asked(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="listing s3://no-such-bucket-anywhere/x/: NoSuchBucket"):
        fetch("s3://no-such-bucket-anywhere/x", tmp_path)

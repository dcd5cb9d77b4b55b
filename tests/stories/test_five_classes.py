"""Five classes end to end, with either algorithm: trained, gated, registered, and reported with every chart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud
from commands import run_scones
from html_page import read_page

CLASSES = ["bicycle", "bus", "motorcycle", "pickup_truck", "train"]
SETTINGS = f"""
classes = {json.dumps(CLASSES)}
accuracy_threshold = 0.01
max_drop_from_live = 0.5
[[gates]]
metric = "per_class.pickup_truck.recall"
at_least = 0.0
[routes]
""" + "\n".join(f'{name} = "near"' for name in CLASSES)
QUICK = ("--archive", "small.tar.gz", "--parameter", "Epochs=1", "--wait", "--json")
Scones = Callable[..., Any]


@pytest.fixture(scope="module")
def scones(deployed: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Scones:
    """`scones …` with the settings of an algorithm and a small archive; returns stdout and stderr."""
    folder = tmp_path_factory.mktemp("five")
    for algorithm in ("builtin", "pytorch"):
        text = f'algorithm = "{algorithm}"\n{SETTINGS}\n'
        (folder / f"{algorithm}.toml").write_text(text, encoding="utf-8")

    def call(algorithm: str, *words: str, expect: int = 0) -> Any:
        environment = {**deployed.environment, "SCONES_SETTINGS": str(folder / f"{algorithm}.toml")}
        done = run_scones(*words, environment=environment, folder=folder)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    call("builtin", "data", "sample", "--train-per-class", "40", "--test-per-class", "10", "--output", "small.tar.gz")
    return call


@pytest.fixture(scope="module")
def builtin(scones: Scones) -> dict[str, Any]:
    """An execution with the built-in algorithm, run to its end."""
    scones("builtin", "upsert")
    report: dict[str, Any] = json.loads(scones("builtin", "start", *QUICK).stdout)
    return report


@pytest.fixture
def sagemaker(on_local_cloud: LocalCloud) -> Iterator[Any]:
    client = boto3.client("sagemaker", region_name="us-east-1")
    yield client
    client.close()


def test_the_built_in_algorithm_is_reported_with_every_chart(
    scones: Scones, builtin: dict[str, Any], sagemaker: Any, tmp_path: Path
) -> None:
    written = json.loads(scones("builtin", "report", builtin["arn"], "--output", str(tmp_path), "--json").stdout)
    assert written["missing"] == []
    assert written["execution"] == builtin["arn"]
    text = Path(written["page"]).read_text(encoding="utf-8")
    page = read_page(text)
    charts = {"confusion-matrix", "roc", "threshold-curve", "training-curves", "per-class"}
    assert charts | {"reliability", "confidence", "durations"} == set(page.charts) - {"versions"}
    assert all(name in page.text for name in (*CLASSES, "MinimumPerClassPickupTruckRecall", "MinimumFromLive"))
    assert len(page.images) >= 10, "pictures of mistakes and of doubtful answers"
    package = sagemaker.describe_model_package(ModelPackageName=written["model_package"])
    assert package["CustomerMetadataProperties"]["report"] == written["uri"]
    assert package["CustomerMetadataProperties"]["execution"] == builtin["arn"]
    bucket, _, key = written["uri"].removeprefix("s3://").partition("/")
    s3 = boto3.client("s3", region_name="us-east-1")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() == text
    s3.close()


def test_our_own_training_takes_the_pictures_from_the_cache_and_its_report_says_so(
    scones: Scones, builtin: dict[str, Any], tmp_path: Path
) -> None:
    scones("pytorch", "upsert")
    ended = json.loads(scones("pytorch", "start", *QUICK).stdout)
    assert {step["name"] for step in ended["steps"] if step["cached"]} == {"ExtractCifar"}, "no margin now"
    written = json.loads(scones("pytorch", "report", "--output", str(tmp_path), "--json").stdout)
    text = Path(written["page"]).read_text(encoding="utf-8")
    assert written["missing"] == [] and "training-curves" in read_page(text).charts
    assert f"cached from execution {builtin['arn'].rpartition('/')[2]}" in text


def test_a_refused_model_has_a_report_and_no_registry_entry(
    scones: Scones, builtin: dict[str, Any], tmp_path: Path
) -> None:
    strict = ("--parameter", "MinimumFromLive=1.0", "--parameter", "MinimumPerClassPickupTruckRecall=0")
    done = scones("builtin", "start", *QUICK, *strict, expect=3)
    assert "must be at least 1.0 to be no worse than the live model" in done.stderr
    assert "pickup_truck" not in done.stderr, "only the gate that failed is named"
    written = json.loads(scones("builtin", "report", "--output", str(tmp_path), "--json").stdout)
    assert written["model_package"] is None and written["uri"].endswith("/report/index.html")
    assert written["missing"] == [], "every result came from the cache"
    assert ">not met</span>" in Path(written["page"]).read_text(encoding="utf-8")

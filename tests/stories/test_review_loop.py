"""Traffic drifts, people label 200 deliveries, and the model that learned from them is better on what comes then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from cloud_fixtures import LocalCloud, eventually
from numpy.typing import NDArray
from story_support import Story

from monitoring.analysis import ground_truth
from project.cifar100 import FINE_NAMES
from scones.data import sample
from steps import png

PROJECT = "review-loop"
CLASSES = ("bicycle", "motorcycle")
SETTINGS = f"""
project = "{PROJECT}"
accuracy_threshold = 0.5
[pytorch]
members = 1
width = 16
[serving]
bake_seconds = 0
staging = "off"
[monitor]
retrain_on_drift = true
"""
QUICK = ("--archive", "small.tar.gz", "--parameter", "Epochs=8", "--wait", "--json")
LABELLED, FRESH = 200, 200
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Delivery:
    """A picture as it was sent, and the number of the class that it shows."""

    name: str
    picture: bytes
    label: int


def deliveries(n: int, seed: int) -> list[Delivery]:
    """Drawn vehicles at dusk: a fifth of the light, red of it, and noise. No other seed has any of them."""
    drawn = sample.pictures(dict.fromkeys(CLASSES, n // 2), 1, seed)
    random = np.random.default_rng(seed)
    pixels = drawn.pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) * np.array([0.35, 0.2, 0.1])
    dark = np.clip(np.rint(pixels + random.normal(0, 6, pixels.shape)), 0, 255).astype(np.uint8)
    labels = [CLASSES.index(FINE_NAMES[label]) for label in drawn.labels]
    return [
        Delivery(f"{seed}-{number}", png.encode(np.ascontiguousarray(one)), label)
        for number, (one, label) in enumerate(zip(dark, labels, strict=True))
    ]


@dataclass(frozen=True)
class Loop(Story):
    """A project whose live version is asked, labelled for, and trained again."""

    def answers(self, sent: Sequence[Delivery]) -> NDArray[np.int64]:
        """What the endpoint calls each delivery, int (n,)."""

        def ask(one: Delivery) -> int:
            runtime = self.clients["sagemaker-runtime"]
            answer = runtime.invoke_endpoint(
                EndpointName=PROJECT, Body=one.picture, ContentType="image/png", InferenceId=one.name
            )
            return int(np.argmax(json.loads(answer["Body"].read())))

        with ThreadPoolExecutor(4) as pool:
            return np.array(list(pool.map(ask, sent)))

    def accuracy(self, sent: Sequence[Delivery]) -> float:
        return float((self.answers(sent) == [one.label for one in sent]).mean())

    def captured(self, sent: Sequence[Delivery]) -> bool:
        s3 = self.clients["s3"]
        listed = s3.list_objects_v2(Bucket=self.bucket, Prefix=f"captures/{PROJECT}/").get("Contents", [])
        bodies = [s3.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read().decode() for one in listed]
        known = set(re.findall(r'"inferenceId": ?"([^"]+)"', "".join(bodies)))
        return {one.name for one in sent} <= known

    def label(self, labels: dict[str, int], by: str) -> None:
        """One file with many labels, as a labelling job writes it, in the name of a person."""
        neither = {event: number for event, number in labels.items() if number == ground_truth.NEITHER}
        for folder, some in (("set-aside", neither), ("ground-truth", {k: v for k, v in labels.items() if v >= 0})):
            key = f"{folder}/{PROJECT}/2026/11/20/10/00-00-000000-{by}-0123456789ab.jsonl"
            self.clients["s3"].put_object(Bucket=self.bucket, Key=key, Body=ground_truth.text(some).encode())

    def evaluation(self, version: int) -> Any:
        group = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{PROJECT}/{version}"
        package = self.clients["sagemaker"].describe_model_package(ModelPackageName=group)
        uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        key = uri.removeprefix(f"s3://{self.bucket}/")
        return json.loads(self.clients["s3"].get_object(Bucket=self.bucket, Key=key)["Body"].read())


@pytest.fixture(scope="module")
def loop(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """A live first version, and 200 drifted deliveries that it answered."""
    found = Loop.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("loop"), "lambda")
    (found.folder / "scones.toml").write_text(SETTINGS, encoding="utf-8")
    found.scones("data", "sample", "--train-per-class", "150", "--test-per-class", "40", "--output", "small.tar.gz")
    found.scones("infra", "deploy")
    found.scones("upsert")
    found.scones("start", *QUICK)
    found.scones("approve", "--wait")
    yield found
    for client in found.clients.values():
        client.close()


@dataclass(frozen=True)
class Review:
    """What one loop came to: accuracy on fresh drifted deliveries, and what `start` and `approve` said."""

    live: float
    new: float
    started: str
    approved: str


@pytest.fixture(scope="module")
def review(loop: Loop) -> Review:
    """Two hundred drifted deliveries are answered and labelled, and a second version learns from them and goes live."""
    assert f"No delivery of endpoint {PROJECT} has a label yet" in loop.scones("start", "--reviewed", expect=1).stderr
    sent, fresh = deliveries(LABELLED, 1), deliveries(FRESH, 2)
    loop.answers(sent)
    live = loop.accuracy(fresh)
    eventually(lambda: loop.captured(sent))
    neither = ground_truth.NEITHER
    loop.label({one.name: one.label for one in sent} | {"lost": 0}, "Ann")
    loop.label({"1-0": neither, "1-1": sent[1].label, "1-3": neither}, "Ben")
    loop.label({"1-3": neither}, "Cleo")
    done = loop.scones("start", "--reviewed", *QUICK)
    steps = {step["name"]: step["status"] for step in json.loads(done.stdout)["steps"]}
    assert steps["RegisterModel"] == "Succeeded"
    said = loop.scones("approve", "--wait").stderr
    return Review(live, loop.accuracy(fresh), done.stderr, said)


def test_the_labels_become_a_set_and_what_is_left_out_is_named(review: Review) -> None:
    assert re.search(r"people disagree: 1-0 \(Ann: \w+, Ben: neither\)", review.started)
    assert "no captured request has this id: lost" in review.started
    assert "1 neither; 202 labels by 3 people, who agree about 99% of the pictures" in review.started


def test_a_model_that_learned_from_200_labels_is_better_on_fresh_drifted_traffic(review: Review) -> None:
    print(f"fresh drifted traffic: live {review.live:.3f}, new {review.new:.3f}")
    assert review.new >= review.live + 0.05


def test_whoever_approves_sees_it_beside_the_live_version(loop: Loop, review: Review) -> None:
    reviewed = loop.evaluation(2)["reviewed"]
    [beside] = reviewed["versions"]
    assert (beside["version"], reviewed["neither"]) == (1, 1)
    assert beside["images"] == reviewed["images"] >= 30
    assert f"On {beside['images']} reviewed deliveries: new " in review.approved
    assert "Of 1 picture of neither" in review.approved


def test_retraining_on_drift_starts_with_the_newest_set(loop: Loop, review: Review) -> None:
    first = loop.scones("monitor", "publish")
    assert "already" in first.stderr, review.started
    loop.scones("monitor", "label", "1-0", "neither", "--by", "Dan")
    second = json.loads(loop.scones("monitor", "publish", "--json").stdout)
    assert second["pictures"]["neither"] == 2 and second["uri"] != first.stdout.strip()
    started = loop.call("retrain", id="5e4c7d2a-0000-4000-8000-000000000002", detail={"reason": "drift of brightness"})
    sagemaker = loop.clients["sagemaker"]
    told = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=started["execution"])
    given = {one["Name"]: one["Value"] for one in told["PipelineParameters"]}
    assert given["ReviewedPictures"] == second["uri"]
    loop.scones("stop", started["execution"], "--wait")


def test_a_set_that_does_not_exist_is_refused_before_anything_starts(loop: Loop) -> None:
    nowhere = f"s3://{loop.bucket}/reviewed/0123456789abcdef/"
    given = ("--archive", "small.tar.gz", "--parameter")
    done = loop.scones("start", *given, f"ReviewedPictures={nowhere}", expect=1)
    assert f"There is no set of reviewed deliveries at {nowhere}. Publish one" in done.stderr
    done = loop.scones("start", *given, "ReviewedPictures=reviewed", expect=2)
    assert "it must be s3://bucket/prefix/" in done.stderr

"""Photographs of one's own, from a folder to a routed delivery: three classes, 64 pixels, turned by EXIF."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from commands import run_scones
from PIL import Image
from story_support import Story

CLASSES = ["bicycle", "bus", "motorcycle"]
SETTINGS = f"""
project = "own-pictures"
classes = {json.dumps(CLASSES)}
image_size = 64
accuracy_threshold = 0.4
confidence_threshold = 0.0
[routes]
bicycle = "near"
bus = "far"
motorcycle = "far"
[pytorch]
members = 1
[serving]
bake_seconds = 0
staging = "off"
"""


@pytest.fixture(scope="module")
def story(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("own")
    found = Story.begin(local_cloud, "own-pictures", folder, "lambda")
    (folder / "scones.toml").write_text(SETTINGS, encoding="utf-8")
    found.scones("data", "photographs", "photographs", "--per-class", "40")
    found.scones("infra", "deploy")
    found.scones("upsert")
    yield found
    for client in found.clients.values():
        client.close()


def described_model(story: Story) -> Any:
    """model.json of the model that was trained."""
    s3 = story.clients["s3"]
    listed = s3.list_objects_v2(Bucket=story.bucket, Prefix="models/")["Contents"]
    (key,) = [entry["Key"] for entry in listed if entry["Key"].endswith("/model.tar.gz")]
    content = s3.get_object(Bucket=story.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        file = tar.extractfile("model.json")
        assert file is not None
        return json.loads(file.read())


@pytest.mark.timeout(600)
def test_photographs_become_a_model_that_routes_one_of_them(story: Story) -> None:
    start = ("start", "--pictures", "photographs", "--parameter", "Epochs=8", "--wait", "--json")
    done = story.scones(*start)
    assert "photographs: 40 bicycle, 40 bus, 40 motorcycle" in done.stderr
    assert "Uploading 120 of 120 pictures" in done.stderr
    steps = {step["name"]: step["status"] for step in json.loads(done.stdout)["steps"]}
    assert steps["RegisterModel"] == "Succeeded"
    story.scones("approve", "--wait")
    picture = next((story.folder / "photographs" / "bus").iterdir())
    answer = json.loads(story.scones("invoke", str(picture), "--wait", "--json").stdout)
    assert answer["outcome"] == "routed" and answer["vehicle"] in CLASSES, answer
    assert described_model(story)["image_size"] == 64
    story.clients["s3"].upload_file(str(picture), story.bucket, "photographs/one.jpg")
    serialized = story.call("serialize-image", s3_bucket=story.bucket, s3_key="photographs/one.jpg")
    with Image.open(io.BytesIO(base64.b64decode(serialized["image_data"]))) as seen:
        assert seen.size == (64, 64)
    again = story.scones(*start)
    assert "already" in again.stderr and "Uploading" not in again.stderr
    assert all(step["cached"] for step in json.loads(again.stdout)["steps"] if step["name"] == "ExtractCifar")


@pytest.mark.timeout(600)
def test_the_built_in_algorithm_learns_from_them_at_the_same_size(story: Story) -> None:
    settings = SETTINGS.replace("accuracy_threshold = 0.4", 'accuracy_threshold = 0.01\nalgorithm = "builtin"')
    settings += "[builtin]\nmini_batch_size = 8\n"
    (story.folder / "builtin.toml").write_text(settings, encoding="utf-8")
    environment = {**story.cloud.environment, "SCONES_SETTINGS": str(story.folder / "builtin.toml")}
    for words in (("upsert",), ("start", "--pictures", "photographs", "--parameter", "Epochs=1", "--wait")):
        done = run_scones(*words, environment=environment, folder=story.folder)
        assert done.returncode == 0, done.stdout + done.stderr

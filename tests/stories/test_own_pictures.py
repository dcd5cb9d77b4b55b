"""Photographs of one's own, from a folder to a routed delivery and a watched endpoint.

Five classes, 64 pixels, turned by EXIF, one of them HEIC; then 96 pixels, with an archive beside them.
"""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from cloud_fixtures import LocalCloud, eventually
from commands import run_scones
from html_page import read_page
from PIL import Image, ImageOps
from story_support import Story

from lambdas.serialize_image.picture import normalised

CLASSES = ["bicycle", "bus", "motorcycle", "pickup_truck", "train"]
PER_CLASS = 25
SETTINGS = f"""
project = "own-pictures"
classes = {json.dumps(CLASSES)}
image_size = 64
accuracy_threshold = 0.25
confidence_threshold = 0.0
[routes]
bicycle = "near"
bus = "far"
motorcycle = "far"
pickup_truck = "far"
train = "far"
[pytorch]
members = 1
[serving]
bake_seconds = 0
staging = "off"
[monitor]
minimum_records = 10
"""


START = ("start", "--pictures", "photographs", "--parameter", "Epochs=8", "--wait", "--json")


def _begun(cloud: LocalCloud, name: str, folder: Path, settings: str) -> Story:
    found = Story.begin(cloud, name, folder, "lambda")
    (folder / "scones.toml").write_text(settings, encoding="utf-8")
    found.scones("data", "photographs", "photographs", "--per-class", str(PER_CLASS))
    _store_one_as_heic(folder / "photographs" / "train")
    found.scones("infra", "deploy")
    found.scones("upsert")
    return found


@pytest.fixture(scope="module")
def story(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    found = _begun(local_cloud, "own-pictures", tmp_path_factory.mktemp("own"), SETTINGS)
    yield found
    for client in found.clients.values():
        client.close()


@pytest.fixture(scope="module")
def started(story: Story) -> Any:
    """What the first start said; its model is live."""
    done = story.scones(*START)
    story.scones("approve", "--wait")
    return done


def _store_one_as_heic(folder: Path) -> None:
    file = min(folder.iterdir())
    with Image.open(file) as picture:
        pillow_heif.from_pillow(ImageOps.exif_transpose(picture)).save(file.with_suffix(".heic"))
    file.unlink()


def described_model(story: Story) -> Any:
    """model.json of the model that was trained."""
    s3 = story.clients["s3"]
    listed = s3.list_objects_v2(Bucket=story.bucket, Prefix="models/")["Contents"]
    key = max(listed, key=lambda entry: (entry["Key"].endswith("/model.tar.gz"), entry["LastModified"]))["Key"]
    content = s3.get_object(Bucket=story.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        file = tar.extractfile("model.json")
        assert file is not None
        return json.loads(file.read())


@pytest.mark.timeout(600)
def test_photographs_become_a_model_that_routes_one_of_them(story: Story, started: Any) -> None:
    done = started
    assert f"photographs: {', '.join(f'{PER_CLASS} {name}' for name in CLASSES)}" in done.stderr
    assert "Uploading 125 of 125 pictures" in done.stderr
    steps = {step["name"]: step["status"] for step in json.loads(done.stdout)["steps"]}
    assert steps["RegisterModel"] == "Succeeded"
    picture = next((story.folder / "photographs" / "bus").iterdir())
    story.scones("unfamiliarity", "1", "--why", "it learned from a few drawings")
    try:
        answer = json.loads(story.scones("invoke", str(picture), "--wait", "--json").stdout)
    finally:
        story.scones("unfamiliarity", "--roll-back")
    assert answer["outcome"] == "routed" and answer["vehicle"] in CLASSES, answer
    assert described_model(story)["image_size"] == 64
    story.clients["s3"].upload_file(str(picture), story.bucket, "photographs/one.jpg")
    serialized = story.call("serialize-image", s3_bucket=story.bucket, s3_key="photographs/one.jpg")
    with Image.open(io.BytesIO(base64.b64decode(serialized["image_data"]))) as seen:
        assert seen.size == (64, 64)
    again = story.scones(*START)
    assert "already" in again.stderr and "Uploading" not in again.stderr
    assert all(step["cached"] for step in json.loads(again.stdout)["steps"] if step["name"] == "ExtractCifar")


def _captured(story: Story) -> int:
    listed = story.clients["s3"].list_objects_v2(Bucket=story.bucket, Prefix="captures/").get("Contents", [])
    bodies = [story.clients["s3"].get_object(Bucket=story.bucket, Key=one["Key"])["Body"].read() for one in listed]
    return sum(body.count(b"unfamiliarity") for body in bodies)


@pytest.mark.timeout(600)
def test_the_monitor_and_the_pages_see_pictures_of_that_size(story: Story, started: Any) -> None:
    files = sorted((story.folder / "photographs").glob("*/*.jpg"))[::8]
    for file in files:
        body = normalised(file.read_bytes(), (64, 64))
        story.clients["sagemaker-runtime"].invoke_endpoint(
            EndpointName="own-pictures", Body=body, ContentType="image/png", Accept="application/jsonlines"
        )
    eventually(lambda: _captured(story) >= len(files))
    done = run_scones("monitor", "run", "--json", environment=story.cloud.environment, folder=story.folder)
    assert done.returncode in (0, 3), done.stdout + done.stderr  # a model of few epochs may call one class too often
    found = json.loads(done.stdout)
    said = found["summary"]
    assert said["records"] >= len(files) and said["unfamiliar_share"] is not None
    assert said["baseline_unfamiliar_share"] is not None and said["unfamiliarity_limit"] == 0.95
    strange = {"width", "height", "mode"} & {one["feature_name"] for one in found["violations"]}
    assert not strange, "the baseline's pictures are of the size that comes"
    page = story.folder / story.scones("monitor", "report", "--output", "traffic").stdout.strip()
    found_page = read_page(page.read_text(encoding="utf-8"))
    assert "unfamiliarity limit" in found_page.text
    shown = [one for one in found_page.images if one.startswith("data:image/png;base64,")]
    sizes = {Image.open(io.BytesIO(base64.b64decode(one.partition(",")[2]))).size for one in shown}
    assert sizes - {(32, 32)} == {(64, 64)}, "neither blown up nor cut; the smoke test's picture is smaller"
    status = story.scones("monitor", "status").stdout
    assert "Not routed: confidence below 0, or unfamiliarity above 0.95" in status


@pytest.mark.timeout(600)
def test_the_built_in_algorithm_learns_from_them_at_the_same_size(story: Story) -> None:
    settings = SETTINGS.replace("accuracy_threshold = 0.25", 'accuracy_threshold = 0.01\nalgorithm = "builtin"')
    settings += "[builtin]\nmini_batch_size = 8\n"
    (story.folder / "builtin.toml").write_text(settings, encoding="utf-8")
    environment = {**story.cloud.environment, "SCONES_SETTINGS": str(story.folder / "builtin.toml")}
    for words in (("upsert",), ("start", "--pictures", "photographs", "--parameter", "Epochs=1", "--wait")):
        done = run_scones(*words, environment=environment, folder=story.folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def large(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project of 96 pixels with photographs, and an archive that has fewer of each class."""
    settings = SETTINGS.replace("own-pictures", "own-large").replace("image_size = 64", "image_size = 96")
    settings = settings.replace("accuracy_threshold = 0.25", "accuracy_threshold = 0.01")
    found = _begun(local_cloud, "own-large", tmp_path_factory.mktemp("large"), settings)
    size = ("--train-per-class", "10", "--test-per-class", "5")
    found.scones("data", "sample", *size, "--output", "small.tar.gz")
    (found.folder / "builtin.toml").write_text(
        settings.replace("image_size", 'algorithm = "builtin"\nimage_size') + "[builtin]\nmini_batch_size = 8\n",
        encoding="utf-8",
    )
    yield found
    for client in found.clients.values():
        client.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", ["pytorch", "builtin"])
def test_at_96_pixels_an_archive_and_photographs_are_learned_from_together(large: Story, algorithm: str) -> None:
    file = {"pytorch": "scones.toml", "builtin": "builtin.toml"}[algorithm]
    environment = {**large.cloud.environment, "SCONES_SETTINGS": str(large.folder / file)}

    def scones(*words: str) -> Any:
        done = run_scones(*words, environment=environment, folder=large.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    scones("upsert")
    both = ("--archive", "small.tar.gz", "--pictures", "photographs")
    done = scones("start", *both, "--parameter", "Epochs=1", "--wait", "--json")
    steps = {step["name"]: step["status"] for step in json.loads(done.stdout)["steps"]}
    assert steps["RegisterModel"] == "Succeeded"
    scones("approve", "--wait")
    picture = next((large.folder / "photographs" / "bus").glob("*.jpg"))
    large.clients["s3"].upload_file(str(picture), large.bucket, "photographs/one.jpg")
    serialized = large.call("serialize-image", s3_bucket=large.bucket, s3_key="photographs/one.jpg")
    assert serialized["outcome"] == "ok"
    with Image.open(io.BytesIO(base64.b64decode(serialized["image_data"]))) as seen:
        assert seen.size == (96, 96)
    classified = large.call("classify-image", **serialized)
    assert len(classified["inferences"]) == len(CLASSES)
    assert ("unfamiliarity" in classified) == (algorithm == "pytorch"), "the built-in algorithm does not say it"

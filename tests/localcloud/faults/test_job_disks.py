"""Jobs that fill their disk, and what they install tries to write elsewhere."""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
from pathlib import Path

import pytest
from job_support import Bucket, channel, finish, log_of, processing, several, training
from view_support import needs_views
from wheels import wheel

from localcloud.isolation.view import WRITABLE_VARIABLE
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import volume

FILLS_TMP = """
    import os, signal, tempfile
    if os.path.exists("/opt/ml/config/resourceconfig.json"):
        config = open("/opt/ml/config/resourceconfig.json").read()
        if '"current_host": "algo-1"' in config and '"algo-2"' in config:
            signal.pause()
    with open(tempfile.gettempdir() + "/big", "wb") as big:
        big.write(bytes(3 << 20))
        big.flush()
        signal.pause()
"""
BACKEND = """
import json, pathlib, shutil, sys
HERE = pathlib.Path(__file__).parent
PATHS = json.loads((HERE / "paths.json").read_text())

def attempt(path):
    try:
        with open(path, "w") as file:
            file.write("evil")
    except OSError as error:
        return error.strerror
    return "written"

def build_wheel(folder, settings=None, metadata=None):
    tried = {path: attempt(path) for path in PATHS}
    pathlib.Path("/opt/ml/model/tried.json").write_text(json.dumps(tried))
    [made] = HERE.glob("*.whl")
    shutil.copy(made, folder)
    return made.name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
CACHE = """
    import os, pathlib
    cache = pathlib.Path(os.environ["PIP_CACHE_DIR"])
    print("cached:", (cache / "wheel").read_text())
    (cache / "wheel").write_text("poison")
    (cache / "more").write_text("poison")
"""


def test_a_job_that_fills_its_tmp_is_ended_and_says_which_disk_is_full(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "GIGABYTE", 1 << 20)
    monkeypatch.setattr(volume, "LOOK_SECONDS", 0.05)
    count = 2 if cloud.isolation.private else 1
    job = finish(cloud, several(processing(bucket, FILLS_TMP), count))
    assert job["ProcessingJobStatus"] == "Failed"
    said = rf"ClientError: the disk of algo-{count} is full: .* hold [123]\.\d GB, and VolumeSizeInGB is 1\."
    assert re.fullmatch(said, job["FailureReason"]), job


@needs_views
def test_what_a_requirement_builds_writes_to_the_jobs_own_layer_and_nowhere_else(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WRITABLE_VARIABLE)
    outside = [str(Path.home() / "evil"), "/etc/evil", "/usr/share/evil", __file__]
    libraries = "/usr/lib/evil"  # where /lib leads there: the job's own layer, if Linux lets a layer lie over it
    inside = [str(Path(sys.prefix) / "evil"), "/tmp/evil"]  # noqa: S108 - both are the job's own
    name, content = wheel("of_evil_origin")
    source = {
        "job.py": b"import of_evil_origin\nprint('trained')\n",
        "requirements.txt": b"--no-index\n./package\n",
        "package/pyproject.toml": PYPROJECT.encode(),
        "package/backend.py": BACKEND.encode(),
        "package/paths.json": json.dumps([*outside, *inside, libraries]).encode(),
        f"package/{name}": content,
    }
    for path, data in source.items():
        bucket.put(f"source/{path}", data)
    before = Path(__file__).read_text()
    request = training(bucket, "pass", InputDataConfig=[channel("code", bucket.uri("source/"))])
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        request["AlgorithmSpecification"].pop(member)
    request["HyperParameters"] = {
        "sagemaker_program": "job.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code",
    }
    job = finish(cloud, request)
    log = log_of(cloud, "TrainingJob", job["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", log
    packed = bucket.get(f"models/{job['TrainingJobName']}/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = archive.extractfile("tried.json")
        assert found
        tried = json.load(found)
    assert "written" not in {tried[path] for path in outside}
    assert [tried[path] for path in inside] == ["written", "written"]
    assert not any(Path(path).exists() for path in [*outside[:-1], *inside, libraries])
    assert Path(__file__).read_text() == before


@needs_views
def test_a_job_reads_the_users_cache_of_pip_and_cannot_change_it(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    cache = tmp_path / "somebody" / ".cache" / "pip"
    cache.mkdir(parents=True)
    (cache / "wheel").write_text("genuine")
    job = finish(cloud, processing(bucket, CACHE))
    log = log_of(cloud, "ProcessingJob", job["ProcessingJobName"])
    assert job["ProcessingJobStatus"] == "Completed", log
    assert "cached: genuine" in log
    assert {path.name: path.read_text() for path in cache.iterdir()} == {"wheel": "genuine"}

"""Script mode: how a container without an entry point of the job's own comes to run our command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from localcloud.programs import script_mode as program
from localcloud.sagemaker.jobs.archives import unpack
from pipelines.tuning import script_mode
from project.names import Names
from project.settings import Settings

NAMES = Names(Settings())
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))"


def job(base: Path, hyperparameters: dict[str, str], script: str = SHOW) -> None:
    """A training job's folder whose source is the folder `source` in it."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (base / "source").mkdir()
    (base / "source" / "job.py").write_text(script)
    own = {"sagemaker_program": '"job.py"', "sagemaker_submit_directory": json.dumps(str(base / "source"))}
    (config / "hyperparameters.json").write_text(json.dumps({**own, **hyperparameters}))
    (config / "inputdataconfig.json").write_text(json.dumps({"train": {}}))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))


def train(base: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localcloud.programs.script_mode", *words]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_script_gets_hyperparameters_as_arguments_and_places_as_variables(tmp_path: Path) -> None:
    given = {"rate": "0.10", "name": '"a b"', "k": "3", "list": "[1, 2]", "map": '{"b": 2, "a": 1}', "on": "true"}
    job(tmp_path, {**given, "_tuning_objective_metric": "score"})
    done = train(tmp_path, "train")
    assert done.returncode == 0, done.stderr
    words, folder, variables = json.loads(done.stdout)
    assert words[:8] == ["-k", "3", "--list", "[1, 2]", "--map", "a=1,b=2", "--name", "a b"]
    assert words[8:] == ["--on", "True", "--rate", "0.1"]
    assert Path(folder) == (tmp_path / "code").resolve()
    assert variables["SM_CHANNEL_TRAIN"] == str(tmp_path / "input/data/train")
    assert variables["SM_MODEL_DIR"] == str(tmp_path / "model")
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert [variables[f"SM_HP_{name}"] for name in ("NAME", "ON", "LIST", "MAP")] == [
        *("a b", "true", "[1,2]", '{"a":1,"b":2}')
    ]


def test_the_exit_code_is_the_scripts(tmp_path: Path) -> None:
    job(tmp_path, {}, "raise SystemExit(7)")
    assert train(tmp_path, "train").returncode == 7


def test_anything_but_train_is_wrong_usage(tmp_path: Path) -> None:
    done = train(tmp_path, "serve")
    assert (done.returncode, done.stderr[:6]) == (2, "usage:")


def test_an_archive_that_leaves_its_folder_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        files.addfile(tarfile.TarInfo("../escape.py"))
    store = type("S3", (), {"download_fileobj": lambda self, bucket, key, file: file.write(packed.getvalue())})
    monkeypatch.setattr("boto3.client", lambda service: store())
    given = {"sagemaker_program": "escape.py", "sagemaker_submit_directory": "s3://bucket/sourcedir.tar.gz"}
    with pytest.raises(program.ArtifactError, match=r"unpacking s3://bucket/sourcedir\.tar\.gz"):
        program.unpack(given, tmp_path / "code")
    assert list(tmp_path.rglob("escape.py")) == []


def test_a_request_with_an_entry_point_becomes_one_in_script_mode_that_runs_the_same_command(tmp_path: Path) -> None:
    words = ["python3", "-c", "import sys; print(sys.argv[1:])", *map(str, range(12))]
    request = {
        "AlgorithmSpecification": {
            "TrainingImage": "pytorch-training:2.6",
            "ContainerEntrypoint": words[:2],
            "ContainerArguments": words[2:],
        },
        "HyperParameters": {"epochs": "1"},
    }
    changed = script_mode.without_entry_point(request, NAMES)
    assert changed["AlgorithmSpecification"] == {"TrainingImage": "pytorch-training:2.6"}
    assert changed["HyperParameters"]["sagemaker_program"] == "command.py"
    unpack(BytesIO(script_mode.archive()), tmp_path)
    environment = {**os.environ, **changed["Environment"]}
    script = [sys.executable, str(tmp_path / "command.py"), "--epochs", "1"]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{[str(number) for number in range(12)]}\n"


def test_a_request_without_an_entry_point_stays_as_it_is() -> None:
    request = {"AlgorithmSpecification": {"TrainingImage": "image-classification:1"}, "HyperParameters": {}}
    assert script_mode.without_entry_point(request, NAMES) is request


def test_the_archive_has_the_same_bytes_every_time() -> None:
    first = script_mode.archive()
    script_mode.archive.cache_clear()
    assert script_mode.archive() == first
    assert script_mode.archive_uri(NAMES).endswith("/sourcedir.tar.gz")

"""What goes wrong in a training job, and what its log's last line says."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import psutil
import pytest
from train_channels import arguments, write_channels

import steps.train
from project.errors import DataError, ExecutionFailedError, SconesError, UsageError
from steps.train import ensemble, member
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples

RUN = Path(__file__).parents[3] / "steps" / "run.py"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    write_channels(tmp_path, train=8, validation=4)
    (tmp_path / "hyperparameters.json").write_text('{"epochs": "1", "width": "8"}')
    return tmp_path


def _split(count: int) -> Examples:
    labels = np.arange(count) % 2
    return Examples(np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), labels)


def _refused(job: Path, kind: type[SconesError]) -> str:
    with pytest.raises(kind) as caught:
        steps.train.main(arguments(job))
    assert not (job / "model").exists() or not any((job / "model").iterdir())
    return str(caught.value)


def test_picture_that_is_no_picture_is_named(job: Path) -> None:
    (job / "train" / "train_003.png").write_bytes(b"nothing")
    assert "train_003.png: 7 bytes are not a PNG or JPEG picture." in _refused(job, DataError)


def test_picture_that_is_missing_is_named(job: Path) -> None:
    (job / "validation" / "validation_002.png").unlink()
    assert "no file 'validation_002.png'" in _refused(job, DataError)


def test_channel_without_a_manifest_is_named(job: Path) -> None:
    (job / "train_lst" / "train.lst").unlink()
    assert "train_lst: 0 .lst files in the channel" in _refused(job, DataError)


def test_channel_with_two_manifests_is_refused(job: Path) -> None:
    (job / "train_lst" / "other.lst").write_text("0\t0\ttrain_000.png\n")
    assert "2 .lst files" in _refused(job, DataError)


def test_manifest_with_a_label_of_no_class_is_refused(job: Path) -> None:
    with (job / "train_lst" / "train.lst").open("a") as manifest:
        manifest.write("99\t7\ttrain_000.png\n")
    assert "label 7 is outside 0 to 1" in _refused(job, DataError)


def test_unknown_hyperparameter_is_refused_before_any_image_is_read(job: Path) -> None:
    (job / "hyperparameters.json").write_text('{"num_layers": "20"}')
    assert "Unknown hyperparameter `num_layers`" in _refused(job, UsageError)


def test_diverging_training_is_a_failure_and_not_a_model() -> None:
    chosen = Hyperparameters(epochs=3, width=8, batch_size=8, learning_rate=1e30)
    with pytest.raises(ExecutionFailedError, match=r"diverged: the loss is (nan|inf)"):
        member.train(_split(16), _split(4), 2, chosen, 1, lambda _: None)


def test_failure_inside_a_member_reaches_the_job() -> None:
    chosen = Hyperparameters(epochs=3, width=8, batch_size=8, members=1, learning_rate=1e30)
    with pytest.raises(ExecutionFailedError, match="diverged"):
        ensemble.fit(_split(16), _split(4), 2, chosen)


def test_too_few_validation_images_for_the_members_are_refused() -> None:
    with pytest.raises(DataError, match="2 validation images for 3 members"):
        ensemble.fit(_split(16), _split(2), 2, Hyperparameters(members=3))


def test_member_that_is_killed_ends_the_job_with_a_reason() -> None:
    raised: list[BaseException] = []

    def train() -> None:
        try:
            ensemble.fit(_split(16), _split(4), 2, Hyperparameters(epochs=1000, width=8, members=1))
        except ExecutionFailedError as error:
            raised.append(error)

    def started() -> list[BaseProcess]:
        return [child for child in multiprocessing.active_children() if child not in before]

    before = multiprocessing.active_children()
    thread = threading.Thread(target=train)
    thread.start()
    while thread.is_alive() and not started():
        thread.join(0.05)
    [only] = started()
    only.kill()
    thread.join(60)
    assert "member 0 ended without a result" in str(raised[0])


def test_members_end_when_the_job_is_killed(job: Path) -> None:
    (job / "hyperparameters.json").write_text(json.dumps({"epochs": "1000", "width": "8"}))
    environment = {**os.environ, "PYTHONPATH": str(RUN.parents[1])}
    command = [sys.executable, str(RUN), "train", *arguments(job)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if line.startswith("Epoch[0] Validation-accuracy="):
                break
        members = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(members, timeout=60)
        assert process.stderr.read() == "", "the members ended quietly"
    assert members
    assert alive == []


def test_failed_job_is_one_line_and_exit_code_one(job: Path) -> None:
    (job / "train_lst" / "train.lst").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(RUN.parents[1])}
    command = [sys.executable, str(RUN), "train", *arguments(job)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "train.lst: empty" in done.stderr

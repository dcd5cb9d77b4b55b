"""The training job as a container runs it: channels in, log lines and a model out."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from train_channels import arguments, write_channels

import steps.train

CLASSES = 3
EPOCHS = 4


@dataclass(frozen=True)
class Run:
    """A finished job: its folder and what it printed."""

    folder: Path
    log: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("job")
    write_channels(folder, CLASSES)
    chosen = {"epochs": str(EPOCHS), "width": "8", "batch_size": "16", "seed": "5", "_tuning_objective_metric": "x"}
    (folder / "hyperparameters.json").write_text(json.dumps(chosen))
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *parts, **_: lines.append(" ".join(map(str, parts))))
        assert steps.train.main(arguments(folder, CLASSES)) == 0
    return Run(folder, "\n".join(lines))


@pytest.fixture
def served(run: Run, tmp_path: Path) -> ModuleType:
    """The inference code from the model's folder, where its import would leave compiled code beside it."""
    code = shutil.copy(run.folder / "model" / "code" / "inference.py", tmp_path)
    spec = importlib.util.spec_from_file_location("served_inference", code)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module


def test_every_epoch_has_the_lines_of_the_built_in_algorithm(run: Run) -> None:
    for name in ("Train-accuracy", "Validation-accuracy"):
        found = re.findall(rf"^Epoch\[(\d+)\] {name}=([01]\.\d{{6}})$", run.log, re.MULTILINE)
        assert [int(epoch) for epoch, _ in found] == list(range(EPOCHS))
    assert len(re.findall(r"^Epoch\[\d+\] Time cost=\d+\.\d{3}$", run.log, re.MULTILINE)) == EPOCHS


def test_validation_accuracy_counts_every_validation_image_once(run: Run) -> None:
    shares = re.findall(r"Validation-accuracy=([0-9.]+)", run.log)
    assert all((float(share) * 24) == pytest.approx(round(float(share) * 24), abs=1e-3) for share in shares)


def test_model_holds_graph_description_and_code_and_nothing_else(run: Run) -> None:
    model = run.folder / "model"
    files = sorted(str(file.relative_to(model)) for file in model.rglob("*") if file.is_file())
    assert files == ["code/inference.py", "code/requirements.txt", "model.json", "model.onnx"]
    description: dict[str, Any] = json.loads((model / "model.json").read_text())
    assert description["classes"] == ["red", "green", "blue"]
    assert description["hyperparameters"]["width"] == 8
    likeness = description["likeness_percentiles"]
    assert len(likeness) == 101
    assert likeness == sorted(likeness)
    assert 0 < description["roughest"] < 255


def test_the_served_model_knows_the_training_images(run: Run, served: ModuleType) -> None:
    model = served.model_fn(str(run.folder / "model"))
    files = sorted((run.folder / "train").glob("*.png"))
    right = 0
    for index, file in enumerate(files):
        answer = served.predict_fn(served.input_fn(file.read_bytes(), "image/png"), model)
        right += int(answer.probabilities.argmax()) == index % CLASSES
    assert right / len(files) > 0.9


def test_what_training_found_is_kept_beside_the_model(run: Run) -> None:
    found = json.loads((run.folder / "data" / "training.json").read_text())
    assert 0 <= found["validation_accuracy"] <= 1
    assert found["temperature"] > 0


def test_the_job_itself_needs_no_pytorch_so_that_its_members_import_it_side_by_side() -> None:
    code = "import sys, steps.train.job; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""A baseline and monitoring jobs over folders, as a container would run them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture_files import CLASSES, picture

from monitoring.analysis import baseline, job
from monitoring.analysis.features import USUAL
from project.files import write_json


@dataclass
class Monitor:
    """`run` starts the job with what the environment says; what it wrote is read with `wrote`, `message`, `metrics`."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    runs: int = 0
    log: str = ""

    @property
    def base(self) -> Path:
        return self.folder / f"run-{self.runs}" / "opt" / "ml"

    @property
    def output(self) -> Path:
        return self.base / "processing" / "output"

    def run(self, source: Path, baseline_folder: Path | None = None, **variables: str) -> None:
        self.runs += 1
        environment = {
            "dataset_source": str(source),
            "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
            "output_path": str(self.output),
            "SAGEMAKER_BASE_DIR": str(self.base),
            "publish_cloudwatch_metrics": "Enabled",
            "sagemaker_endpoint_name": "scones-endpoint",
            "sagemaker_monitoring_schedule_name": "scones-schedule",
            **variables,
        }
        if baseline_folder:
            environment["baseline_statistics"] = str(baseline_folder / "statistics.json")
            environment["baseline_constraints"] = str(baseline_folder / "constraints.json")
        said = io.StringIO()
        with self.monkeypatch.context() as patch, redirect_stdout(said):
            for name, value in environment.items():
                patch.setenv(name, value)
            assert job.main([]) == 0
        self.log = said.getvalue()

    def wrote(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.output / name).read_text())
        return value

    @property
    def message(self) -> str:
        return (self.base / "output" / "message").read_text()

    @property
    def violations(self) -> set[tuple[str, str]]:
        found = self.wrote("constraint_violations.json")["violations"]
        return {(one["feature_name"], one["constraint_check_type"]) for one in found}

    def metrics(self) -> list[dict[str, Any]]:
        text = (self.base / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    return Monitor(tmp_path / "jobs", monkeypatch)


@pytest.fixture(scope="session")
def baseline_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """statistics.json and constraints.json over 200 pictures, drawn as capture_files.traffic draws them."""
    folder = tmp_path_factory.mktemp("baseline")
    random = np.random.default_rng(99)
    files, answers = [], []
    for i in range(200):
        file = folder / "test" / f"{i}.png"
        file.parent.mkdir(exist_ok=True)
        best = 0.5 + 0.5 * random.beta(12.0, 1.5)
        answers.append([best, 1 - best] if random.random() < 0.5 else [1 - best, best])
        file.write_bytes(picture(random))
        files.append(file)
    for name, document in baseline.of_test_set(
        files, np.array(answers), CLASSES, USUAL, np.random.default_rng(98).random(200)
    ).items():
        write_json(folder / name, document)
    yield folder

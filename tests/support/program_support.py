"""For tests of the programs that stand in for container images: job folders with tiny images, and running servers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
SETTINGS = {
    "num_classes": "2",
    "num_layers": "20",
    "image_shape": "3,8,8",
    "mini_batch_size": "4",
    "epochs": "1",
    "learning_rate": "0.05",
}


@dataclass(frozen=True)
class Job:
    """A training job's folder, laid out as a container's /opt/ml."""

    base: Path

    def lst(self, split: str) -> Path:
        return self.base / f"input/data/{split}_lst/{split}.lst"

    def failure(self) -> str:
        return (self.base / "output/failure").read_text()

    def params(self) -> list[str]:
        return sorted(path.name for path in (self.base / "model").glob("*.params"))

    def run(self) -> int:
        """Train in this process, on one thread; gives the exit code."""
        from localcloud.programs.image_classification.training_job import run_training_job

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OMP_NUM_THREADS", "1")
            return run_training_job(self.base)


def make_job(base: Path, train: int = 8, validation: int = 4, side: int = 8, **hyperparameters: str) -> Job:
    """Make a job folder below `base`: dark images of class 0 and bright ones of class 1, alternating."""
    random = np.random.default_rng(5)
    for split, count in (("train", train), ("validation", validation)):
        images, lists = base / "input/data" / split, base / f"input/data/{split}_lst"
        images.mkdir(parents=True)
        lists.mkdir(parents=True)
        rows = []
        for number in range(count):
            label = number % 2
            pixels = random.integers(0, 100, (side, side, 3), dtype=np.uint8) + 150 * label
            Image.fromarray(pixels.astype(np.uint8)).save(images / f"{number}.png")
            rows.append(f"{number + 1}\t{label}\t{number}.png\n")
        (lists / f"{split}.lst").write_text("".join(rows))
    (base / "input/config").mkdir()
    settings = SETTINGS | {"num_training_samples": str(train)} | hyperparameters
    (base / "input/config/hyperparameters.json").write_text(json.dumps(settings))
    return Job(base)


@dataclass(frozen=True)
class Server:
    """A serving process that listens."""

    process: subprocess.Popen[str]
    client: httpx.Client

    def invoke(self, body: bytes, content_type: str = "application/x-image", **headers: str) -> httpx.Response:
        return self.client.post("/invocations", content=body, headers={"Content-Type": content_type, **headers})


@contextlib.contextmanager
def running_server(*arguments: str, base: Path | None = None, **environment: str) -> Iterator[Server]:
    """A serving program, `python <arguments>`, on a free port."""
    with launch(*arguments, base=base, **environment) as process:
        try:
            assert process.stdout
            address = next((line for line in process.stdout if line.startswith("Listening on ")), None)
            assert address is not None, "the server ended before it listened"
            url = address.removeprefix("Listening on ").strip()
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                yield Server(process, client)
        finally:
            process.kill()


def launch(*arguments: str, base: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """A program as a child process with its output piped; its /opt/ml is `base`."""
    settings = {"SAGEMAKER_BIND_TO_PORT": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    if base is not None:
        settings["SAGEMAKER_BASE_DIR"] = str(base)
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

"""Facts of executions for the report: one with everything, and one with nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from monitoring.measures.metrics import proportion
from pipelines.registry import Version
from pipelines.runs.training_log import Epoch
from pipelines.runs.versions import Measured
from scones.reports.charts.pipeline_graph import GraphStep
from scones.reports.facts import Facts, GateFact, Scoring, StepFact
from steps import near_duplicates, png
from steps.evaluate import evaluate

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited/execution/abcdefghijkl"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PICTURE = png.encode(np.full((4, 4, 3), 90, np.uint8))


def bare(**more: Any) -> Facts:
    return Facts(ARN, "abcdefghijkl", "Failed", "", BEGAN, BEGAN + timedelta(seconds=9), 0.93, **more)


def version(number: int, right: int, n: int = 200, classes: str = "bicycle motorcycle") -> Measured:
    """A registered version that gave `right` answers on `n` test pictures."""
    found = {name: value for name, value in proportion("accuracy", right, n).items() if value is not None}
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/scones-unlimited/{number}"
    return Measured(Version(arn, number, "Approved", BEGAN), found, "Ada", "", {"classes": classes})


def full(classes: tuple[str, ...] = ("bicycle", "motorcycle"), certain: bool = False) -> Facts:
    k, n = len(classes), 30 * len(classes)
    labels = np.arange(n) % k
    probabilities = np.random.default_rng(1).dirichlet(np.ones(k), n)
    probabilities[np.arange(n), labels] += 100 if certain else 0.4
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    images = [f"test-{i:05}.png" for i in range(n)]
    pair = near_duplicates.Pair(images[0], "train-00009.png", 3)
    evaluation = evaluate(labels, probabilities, classes, images, [pair])
    facts = bare(
        steps=[
            StepFact("ExtractCifar", "Cached", BEGAN, BEGAN, source="zyxwvutsrqpo", job="arn:job/x"),
            StepFact("Train", "Succeeded", BEGAN, BEGAN + timedelta(seconds=8.25), job="arn:job/train"),
        ],
        parameters={"Epochs": 30, "InputArchiveSha256": "ab" * 32, "CodeCommit": "c0ffee"},
        gates=[GateFact("metrics.accuracy", ">=", 0.8, "AccuracyThreshold", evaluation["metrics"]["accuracy"])],
        evaluation=evaluation,
        manifests={"classes": list(classes), "images": {"validation": dict.fromkeys(classes, 20)}},
        epochs=[Epoch(0, 0.5, 0.45), Epoch(1, None, 0.6), Epoch(2, 0.8, 0.7)],
        pictures=dict.fromkeys([*images, "train-00009.png"], PICTURE),
        graph=[GraphStep("Train", "Training", "succeeded"), GraphStep("QualityTooLow", "Fail", "not taken")],
        samples={name: images[index : 3 * k : k] for index, name in enumerate(classes)},
        model_bytes=3_300_000,
        scoring=Scoring(n, 4.0, "ml.m5.large"),
        package={"ModelPackageArn": "arn:model-package/x/3", "ModelApprovalStatus": "PendingManualApproval"},
    )
    facts.status = "Succeeded"
    return facts

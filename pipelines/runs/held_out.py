"""The test pictures that belong to a model: those its pipeline execution kept away from training."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pipelines.registry import described, live
from pipelines.runs.results import output_uri
from project import s3
from project.errors import DataError

STEP = "BuildManifests"


@dataclass(frozen=True)
class HeldOut:
    """A test picture in S3 and the class it really shows."""

    bucket: str
    key: str
    class_name: str


def of_live_model() -> list[HeldOut]:
    """The whole test split of the execution that made the version in service, in the order of test.lst.

    Raises:
        DataError: nothing is live, or the live version was not made by a pipeline execution.
    """
    arn = live()
    if arn is None:
        raise DataError("No model is live.", "Approve one: scones approve --wait.")
    properties = described(arn).get("CustomerMetadataProperties", {})
    if not {"execution", "classes"} <= set(properties):
        raise DataError(f"{arn} names no pipeline execution, so it has no test split.", "Deploy one that `start` made.")
    return _of_execution(properties["execution"], properties["classes"].split())


def sample(pictures: list[HeldOut], count: int, seed: int) -> list[HeldOut]:
    """At most `count` pictures, as many of each class as possible, the same for the same seed."""
    shuffled = random.Random(seed).sample(pictures, len(pictures))  # noqa: S311 - a choice of pictures, not a secret
    by_class = {
        name: [p for p in shuffled if p.class_name == name] for name in sorted({p.class_name for p in pictures})
    }
    ranks = ((rank, name) for name, found in by_class.items() for rank in range(len(found)))
    return [by_class[name][rank] for rank, name in sorted(ranks)[:count]]


def _of_execution(execution: str, classes: list[str]) -> list[HeldOut]:
    bucket, prefix = s3.split(output_uri(execution, STEP, "test"))
    text = s3.read(f"{output_uri(execution, STEP, 'test_lst')}/test.lst").decode()
    rows = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    return [HeldOut(bucket, f"{prefix}/{path}", classes[int(label)]) for _, label, path in rows]

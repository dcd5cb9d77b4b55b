"""Which subset each image belongs to: train, validation or test.

The archive's test part is left alone. Its train part is divided, class by class, into train and validation. CIFAR-100
repeats a few pictures exactly, some of them across its two parts; a model must not be tested on what it was trained on,
so a train image that repeats a test image, or an earlier train image, is left out (and all copies, if they disagree
about the label).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

SUBSETS = ("train", "validation", "test")
LEFT_OUT = "left out"


def assign_subsets(images: pd.DataFrame, validation_fraction: float, seed: int) -> pd.Series:
    """The subset of each image: train, validation, test, or left out as a repeat.

    The split is stratified: `validation_fraction` of each class, rounded. Images are ordered by the SHA-256 of seed and
    group, so the same images and seed give the same split everywhere, whatever their order. Column `group` says what
    was photographed together (an archive's pictures are each alone): it stays together.
    """
    subset = images["part"].where(images["part"] == "test", "train").astype(object)
    train = images[images["part"] != "test"]
    in_test = train["pixels_sha256"].isin(set(images.loc[images["part"] == "test", "pixels_sha256"]))
    labels = train.groupby("pixels_sha256")["label"].transform("nunique")
    repeats = in_test | (labels > 1) | train.duplicated("pixels_sha256")
    subset[train.index[repeats]] = LEFT_OUT
    kept = train[~repeats]
    members: dict[str, list[tuple[Any, int]]] = {}
    for index, group, label in zip(kept.index, kept["group"], kept["label"], strict=True):
        members.setdefault(hashlib.sha256(f"{seed}:{group}".encode()).hexdigest(), []).append((index, int(label)))
    wanted = {int(label): round(validation_fraction * n) for label, n in Counter(kept["label"].tolist()).items()}
    for _, together in sorted(members.items()):
        counts = Counter(label for _, label in together)
        if all(n <= wanted[label] for label, n in counts.items()):
            subset[[index for index, _ in together]] = "validation"
            wanted = {label: n - counts[label] for label, n in wanted.items()}
    return subset


def count(images: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Images per subset and class: columns subset, class_name, images, share_of_largest (of the subset's classes)."""
    index = pd.MultiIndex.from_product([SUBSETS, classes], names=["subset", "class_name"])
    counts = images.groupby(["subset", "class_name"]).size().reindex(index, fill_value=0).rename("images").reset_index()
    largest = counts.groupby("subset")["images"].transform("max")
    return counts.assign(share_of_largest=counts["images"] / largest.clip(lower=1))

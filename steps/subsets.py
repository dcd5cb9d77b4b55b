"""Which subset each image belongs to: train, validation or test.

The archive's test part is left alone. Its train part is divided, class by class, into train and validation. CIFAR-100
repeats a few pictures exactly, some of them across its two parts; a model must not be tested on what it was trained on,
so a train image that repeats a test image, or an earlier train image, is left out (and all copies, if they disagree
about the label).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd

SUBSETS = ("train", "validation", "test")
LEFT_OUT = "left out"


def assign_subsets(images: pd.DataFrame, validation_fraction: float, seed: int) -> pd.Series:
    """The subset of each image: train, validation, test, or left out as a repeat.

    The split is stratified: `validation_fraction` of each class, rounded. Images are ordered by the SHA-256 of seed and
    pixels, so the same images and seed give the same split everywhere, whatever their order.
    """
    subset = images["part"].where(images["part"] == "test", "train").astype(object)
    train = images[images["part"] != "test"]
    in_test = train["pixels_sha256"].isin(set(images.loc[images["part"] == "test", "pixels_sha256"]))
    labels = train.groupby("pixels_sha256")["label"].transform("nunique")
    repeats = in_test | (labels > 1) | train.duplicated("pixels_sha256")
    subset[train.index[repeats]] = LEFT_OUT
    kept = train[~repeats]
    order = kept["pixels_sha256"].map(lambda pixels: hashlib.sha256(f"{seed}:{pixels}".encode()).hexdigest())
    for _, members in order.groupby(kept["label"]):
        chosen = members.sort_values().index[: round(validation_fraction * len(members))]
        subset[chosen] = "validation"
    return subset


def count(images: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Images per subset and class: columns subset, class_name, images, share_of_largest (of the subset's classes)."""
    index = pd.MultiIndex.from_product([SUBSETS, classes], names=["subset", "class_name"])
    counts = images.groupby(["subset", "class_name"]).size().reindex(index, fill_value=0).rename("images").reset_index()
    largest = counts.groupby("subset")["images"].transform("max")
    return counts.assign(share_of_largest=counts["images"] / largest.clip(lower=1))

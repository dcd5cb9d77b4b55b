"""Reviewed deliveries on their way into training and into the live test set, on which versions are compared.

By its own content a picture belongs to one of the two for good: HELD_OUT of all are never learned from. Pictures that
nearly repeat each other go together, to where the one belongs that was delivered first, so a set that grows leaves the
others where they were. What nearly repeats a picture of the archive, or of one's own, goes to that one's side; what
repeats both sides is left out. Pictures of neither class train nothing: it is told how many of them the new model would
route.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.ground_truth import NEITHER_NAME
from steps import groups, near_duplicates, own_pictures, reviewed_list
from steps.image_table import PARTS, Picture, Row
from steps.live_test import Entry
from steps.own_pictures import Photograph
from steps.picture_list import Listed
from steps.reviewed_list import Reviewed

HELD_OUT = 0.3
"""Share of the reviewed pictures that is the live test set."""


@dataclass
class Divided:
    """What became of a set: pictures to learn from, held-out ones with their PNG, and why others are out."""

    learned: list[Picture] = field(default_factory=list)
    held_out: list[tuple[Entry, bytes]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def report(self, address: str, classes: Sequence[str]) -> dict[str, Any]:
        """For extract.json: how many of each class are learned from and held out, and what was left out."""
        learned = Counter(row.class_name for row, _ in self.learned)
        tested = Counter(NEITHER_NAME if e["label"] is None else classes[e["label"]] for e, _ in self.held_out)
        return {
            "set": address,
            "learned": {name: learned[name] for name in classes},
            "live_test": {name: tested[name] for name in classes},
            NEITHER_NAME: tested[NEITHER_NAME],
            "left_out": self.left_out,
        }


def divide(
    folder: Path,
    address: str,
    classes: Sequence[str],
    side: int,
    base: Sequence[tuple[str, str, NDArray[np.float64]]],
) -> Divided:
    """The set in `folder` that came from `address`, decoded as serving does, each picture to one side.

    Args:
        base: of every other picture its part, the SHA-256 of its pixels, and its grey levels, float (32, 32).

    Raises:
        DataError: the set is not what was published, or too many of its pictures cannot be decoded.
    """
    listed = {one.sha256: one for one in reviewed_list.read(folder, address, classes)}
    named = [Listed(sha256[:12], one.label or NEITHER_NAME, sha256) for sha256, one in listed.items()]
    photographs, refused = own_pictures.read_all(folder, named, side, "Publish the set again: scones start --reviewed.")
    own_pictures.refuse_too_many(refused, len(listed))
    found = Divided(left_out=dict(refused))
    vehicles = [each for each in photographs if listed[each.listed.sha256].label is not None]
    parts = _parts(vehicles, listed, base, found.left_out)
    known = {pixels for part, pixels, _ in base if part == "train"}
    tested: set[str] = set()
    for each, (part, group) in zip(vehicles, parts, strict=True):
        name, sha256 = each.listed.class_name, each.listed.sha256
        if part == "train" and each.pixels_sha256 in known:
            found.left_out[each.listed.name] = "the same pixels are learned from already"
        elif part == "train":
            path = f"train/reviewed-{sha256[:24]}.png"
            row = Row(path, part, classes.index(name), name, each.pixels_sha256, group)
            found.learned.append((row, each.png))
            known.add(each.pixels_sha256)
        elif part == "test" and each.pixels_sha256 not in tested:
            found.held_out.append((_entry(listed[sha256], classes), each.png))
            tested.add(each.pixels_sha256)
    for each in photographs:
        if listed[each.listed.sha256].label is None:
            found.held_out.append((_entry(listed[each.listed.sha256], classes), each.png))
    return found


def held_out_by_content(sha256: str) -> bool:
    """Whether a picture belongs to the live test set: HELD_OUT of all hashes do."""
    return int(sha256[:8], 16) < HELD_OUT * 2**32


def _parts(
    photographs: Sequence[Photograph],
    listed: Mapping[str, Reviewed],
    base: Sequence[tuple[str, str, NDArray[np.float64]]],
    left_out: dict[str, str],
) -> list[tuple[str, str]]:
    """For each photograph `train`, `test` or "" (left out, with a word in `left_out`), and the name of its group."""
    side = near_duplicates.SIDE
    grey = np.array([each.grey for each in photographs]).reshape(-1, side, side)
    numbers = groups.of_pictures(grey, [each.taken for each in photographs])
    beside = {}
    for part in PARTS:
        others = np.array([levels for which, _, levels in base if which == part]).reshape(-1, side, side)
        beside[part] = set(numbers[groups.near(grey, others)].tolist())
    first: dict[int, Reviewed] = {}
    labels: dict[str, set[str]] = {}
    for each, group in zip(photographs, numbers.tolist(), strict=True):
        one = listed[each.listed.sha256]
        first[group] = min(first.get(group, one), one, key=lambda one: (one.delivered, one.sha256))
        labels.setdefault(each.pixels_sha256, set()).add(each.listed.class_name)
    found = []
    for each, group in zip(photographs, numbers.tolist(), strict=True):
        leader = first[group].sha256
        part = "test" if held_out_by_content(leader) else "train"
        part = next((fixed for fixed in PARTS if group in beside[fixed]), part)
        if group in beside["train"] & beside["test"]:
            left_out[each.listed.name] = "it nearly repeats pictures to learn from and to be tested with"
            part = ""
        elif len(said := sorted(labels[each.pixels_sha256])) > 1:
            left_out[each.listed.name] = f"the same pixels are labelled {' and '.join(said)}"
            part = ""
        found.append((part, leader))
    return found


def _entry(one: Reviewed, classes: Sequence[str]) -> Entry:
    """A line of the live test set's list: of several answers of one version the first counts, unknown ones do not."""
    answers: dict[str, list[float]] = {}
    for answer in one.answers:
        if answer.version is not None and len(answer.probabilities) == len(classes):
            answers.setdefault(str(answer.version), list(answer.probabilities))
    label = None if one.label is None else classes.index(one.label)
    return {"file": f"reviewed-{one.sha256[:24]}.png", "label": label, "answers": answers}

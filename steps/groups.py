"""Which of people's photographs belong together, and whether a group is to learn from or to be tested with.

A person takes five pictures of one bicycle. A model that learned from four of them is not tested by the fifth, so what
was photographed together stays together: near-duplicates (`near_duplicates`), and what one camera took within BURST.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from steps import near_duplicates

BURST = timedelta(seconds=5)
"""Longest pause between two pictures of one burst."""
TEST_SHARE = 0.2
"""Of each class, what is kept for the test."""


def of_pictures(grey: NDArray[np.float64], taken: Sequence[tuple[str, datetime] | None]) -> NDArray[np.int64]:
    """The number of each picture's group. `grey` (n, 32, 32); `taken`: camera and time, where they are known."""
    ends = [_alike(grey), *(np.array(pair)[:, None] for pair in _bursts(taken))]
    rows, columns = np.concatenate(ends, axis=1)
    links = coo_array((np.ones(len(rows), np.bool_), (rows, columns)), shape=(len(grey), len(grey)))
    numbers: NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return numbers


def near(grey: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pictures nearly repeat one of `others`, or its mirror image: bool (n,)."""
    if not len(grey) or not len(others):
        return np.zeros(len(grey), np.bool_)
    known = np.concatenate([near_duplicates.hashes(others), near_duplicates.hashes(others[:, :, ::-1])])
    blocks = near_duplicates.blocks(near_duplicates.hashes(grey), known)
    found: NDArray[np.bool_] = np.concatenate([(apart <= near_duplicates.THRESHOLD).any(axis=1) for apart in blocks])
    return found


def parts(groups: NDArray[np.int64], labels: Sequence[str], names: Sequence[str], fixed: dict[int, str]) -> list[str]:
    """`train` or `test` for each picture. Groups go to the test in the order of their hash, TEST_SHARE of each class.

    Args:
        names: what a picture is known by, such as the SHA-256 of its pixels: a group's hash is made of its first, so
            that more pictures leave most of the others where they were.
        fixed: groups whose part is decided already.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    wanted = {label: max(1, round(TEST_SHARE * labels.count(label))) for label in set(labels)}
    chosen = dict(fixed)
    taken = dict.fromkeys(wanted, 0)
    for group, part in fixed.items():
        for index in members[group] if part == "test" else ():
            taken[labels[index]] += 1
    for group in sorted(members, key=lambda g: hashlib.sha256(min(names[i] for i in members[g]).encode()).digest()):
        if group in chosen:
            continue
        counts = Counter(labels[index] for index in members[group])
        fits = all(taken[label] + n <= wanted[label] for label, n in counts.items())
        chosen[group] = "test" if fits else "train"
        for label, n in counts.items() if fits else ():
            taken[label] += n
    return [chosen[group] for group in groups.tolist()]


def _alike(grey: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pairs (2, m) of pictures that nearly repeat each other."""
    known, mirrored = near_duplicates.hashes(grey), near_duplicates.hashes(grey[:, :, ::-1])
    pairs, first = [], 0
    for straight, flipped in zip(
        near_duplicates.blocks(known, known), near_duplicates.blocks(known, mirrored), strict=True
    ):
        row, column = np.nonzero(np.minimum(straight, flipped) <= near_duplicates.THRESHOLD)
        pairs.append(np.stack([row + first, column]))
        first += len(straight)
    return np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), np.int64)


def _bursts(taken: Sequence[tuple[str, datetime] | None]) -> list[tuple[int, int]]:
    """Pairs of pictures that one camera took one after the other, within BURST."""
    known = sorted((when, index) for index, when in enumerate(taken) if when is not None)
    return [
        (before, after)
        for ((camera, earlier), before), ((same, later), after) in pairwise(known)
        if camera == same and later - earlier <= BURST
    ]

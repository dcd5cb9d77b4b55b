"""Which events were seen before, in 8 bytes an event: at a million records a set of texts would take 150 MB."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


class Seen:
    """The event ids met so far, as 64-bit hashes in sorted runs that are merged when they are of similar length.

    Two different ids of a million share a hash with a probability of 3e-8.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def first(self, event_ids: Sequence[str]) -> NDArray[np.bool_]:
        """For each id, whether it is here for the first time, now and in all earlier calls."""
        digests = b"".join(
            blake2b(event.encode("utf-8", "surrogatepass"), digest_size=8).digest() for event in event_ids
        )
        hashes = np.frombuffer(digests, np.uint64)
        distinct, rows = np.unique(hashes, return_index=True)
        old = np.zeros(len(distinct), bool)
        for run in self._runs:
            place = np.searchsorted(run, distinct)
            old |= run[np.minimum(place, len(run) - 1)] == distinct
        fresh = np.zeros(len(hashes), bool)
        fresh[rows[~old]] = True
        self._keep(distinct[~old])
        return fresh

    def _keep(self, run: NDArray[np.uint64]) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        if len(run):
            self._runs.append(run)

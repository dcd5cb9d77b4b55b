"""Which version's traffic a captured record is: the version that answered at its time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.runs.live_history import Deployment
from scones.desk.data.records import Records

UNKNOWN = -1


def of_version(records: Records, deployed: Sequence[Deployment], version: int) -> Records:
    """The records from times at which `version` was live. Those of an update's bake count for the version before.

    Args:
        deployed: changes of the live version, oldest first.
    """
    began = np.array([one.when for one in deployed])
    which = np.array([UNKNOWN, *(UNKNOWN if one.version is None else one.version for one in deployed)])
    chosen: Records = records[which[np.searchsorted(began, records["time"], side="right")] == version]
    return chosen


def versions(deployed: Sequence[Deployment]) -> list[int]:
    """Every version that was live, newest number first."""
    return sorted({one.version for one in deployed if one.version is not None}, reverse=True)

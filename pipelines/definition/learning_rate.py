"""The built-in algorithm's learning-rate schedule, for a number of epochs."""

from __future__ import annotations


def steps_for(epochs: int) -> str:
    """The epochs at which the rate drops, at half and at three quarters of the training: "15,22" for 30."""
    return ",".join(str(step) for step in sorted({max(1, epochs // 2), max(1, epochs * 3 // 4)}))

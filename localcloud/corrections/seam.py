"""Replace one function of MiniStack, after checking that it is the one that the correction was written for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class SeamError(RuntimeError):
    """MiniStack has changed where a correction takes hold."""


def original(correction: str, owner: Any, name: str, *parameters: str) -> Callable[..., Any]:
    """The function `name` of one of MiniStack's modules or classes, which takes the parameters of these names.

    Args:
        correction: the name of the correction that asks, its `__name__`.

    Raises:
        SeamError: there is none, or it takes others.
    """
    found = getattr(owner, name, None)
    taken = tuple(inspect.signature(found).parameters) if callable(found) else None
    if found is None or taken != parameters:
        short = correction.rsplit(".", 1)[-1]
        raise SeamError(
            f"Correction {short} does not fit this MiniStack: {owner.__name__}.{name} "
            + ("does not exist." if taken is None else f"takes {taken} instead of {parameters}.")
        )
    return found  # type: ignore[no-any-return]


def replace(correction: str, owner: Any, name: str, *parameters: str, by: Callable[[Callable[..., Any]], Any]) -> None:
    """Put `by(the original)` in the place of the function `name`.

    Raises:
        SeamError: as for `original`.
    """
    setattr(owner, name, by(original(correction, owner, name, *parameters)))

"""The environment variables of the functions, in one place. A missing or wrong one is named, never guessed."""

from __future__ import annotations

import os
import re

from lambdas import json_text
from lambdas.outcomes import FailedError


def required(name: str) -> str:
    """The value of environment variable `name`.

    Raises:
        FailedError: it is not set or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise FailedError("NotConfigured", f"The function's environment variable {name} is not set.")
    return value


def endpoint_name() -> str:
    """Name of the project's one endpoint."""
    return required("ENDPOINT_NAME")


def threshold_parameter() -> str:
    """Name of the SSM parameter that holds the confidence threshold."""
    return required("THRESHOLD_PARAMETER")


def unfamiliarity_parameter() -> str:
    """Name of the SSM parameter that holds how unfamiliar a picture may be and still be routed."""
    return required("UNFAMILIARITY_PARAMETER")


def classes() -> tuple[str, ...]:
    """Class names in the order of the model's outputs, from `CLASSES=bicycle,motorcycle`."""
    return tuple(required("CLASSES").split(","))


def routes() -> dict[str, str]:
    """Class name to route, from `ROUTES={"bicycle": "near", "motorcycle": "far"}`."""
    try:
        table = json_text.parsed(required("ROUTES"))
    except ValueError as error:
        raise FailedError("NotConfigured", f"ROUTES is not JSON: {error}.") from None
    missing = [name for name in classes() if not isinstance(table, dict) or not isinstance(table.get(name), str)]
    if missing:
        raise FailedError("NotConfigured", f"ROUTES names no route for {', '.join(missing)}.")
    return {name: table[name] for name in classes()}


def image_size() -> tuple[int, int]:
    """Width and height in pixels that the model was trained on, from `IMAGE_SIZE=32x32`."""
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", required("IMAGE_SIZE"))
    if not match:
        raise FailedError("NotConfigured", f"IMAGE_SIZE is {required('IMAGE_SIZE')!r}; write it as 32x32.")
    return int(match[1]), int(match[2])


def whole(name: str, default: int, least: int = 1) -> int:
    """The whole number in `name`, or `default` when it is not set.

    Raises:
        FailedError: it is something else, or below `least`.
    """
    value = os.environ.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10) or int(value) < least:
        raise FailedError("NotConfigured", f"{name} is {value!r}; it must be a whole number from {least}.")
    return int(value)

"""Which local program runs for a container image: the image table's row, or script mode for an image that is in none.

An image's account, region and tag do not matter here: `763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:
2.10-cpu-py313` is `pytorch-training`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud import image_table, lent
from localcloud.errors import LocalCloudError
from localcloud.image_table import Program, Use
from localcloud.sagemaker.errors import validation

PYTHONS = {"python", "python3"}
SCRIPT_VARIABLE = "SAGEMAKER_PROGRAM"


def repository(image: str) -> str:
    """The repository of an image URI, without registry, tag and digest."""
    registry, slash, rest = image.partition("/")
    path = rest if slash and ("." in registry or ":" in registry) else image
    return re.split("[:@]", path, maxsplit=1)[0]


def program(image: str, use: Use) -> Program:
    """The program that stands in for `image` when it is to train, serve or process.

    Raises:
        ServiceError: ValidationException; it cannot be used like that, or the image table is wrong.
    """
    name = repository(image)
    named = os.environ.get(image_table.VARIABLE)
    try:
        found = image_table.find(name, Path(named) if named else None)
    except LocalCloudError as error:
        raise validation(str(error)) from None
    if found is None:
        if use == "serve":
            raise unknown(image, use)
        return Program(name)
    if use not in found.uses or (use == "serve" and not found.serve):
        can = ", ".join(sorted(found.uses - ({use} if use == "serve" else set())))
        raise validation(
            f"The image {image!r} cannot {use}: its repository {name!r} can {can}. {_row(name, use, 'To change that')}"
        )
    return found


def training(image: str, entrypoint: Sequence[str], parameters: Mapping[str, str], own: Mapping[str, str]) -> Program:
    """The program that trains in place of `image`, for a request with this entry point, hyperparameters and variables.

    Raises:
        ServiceError: ValidationException; as `program`, or there is neither a row nor a script.
    """
    found = program(image, "train")
    if not found.origin and not (entrypoint or parameters.get("sagemaker_program") or own.get(SCRIPT_VARIABLE)):
        raise unknown(image, "train", ", and the request brings no script: a ContainerEntrypoint, or sagemaker_program")
    return found


def processing(image: str, entrypoint: Sequence[str]) -> Program:
    """The program that processes in place of `image`, for a request with this entry point.

    Raises:
        ServiceError: ValidationException; as `program`, or nobody names an entry point.
    """
    found = program(image, "process")
    if not (entrypoint or found.process):
        if found.origin:
            raise validation("ContainerEntrypoint is missing: the image has no program of its own here.")
        raise unknown(image, "process", ", and the request brings no script: a ContainerEntrypoint")
    return found


def unknown(image: str, use: Use, more: str = "") -> Exception:
    """The error for an image that is in no table, with what to write into it."""
    name = repository(image)
    return validation(f"No local program stands in for the image {image!r}{more}. {_row(name, use, 'To add one')}")


def not_started(image: str, use: Use, word: str, error: OSError) -> str:
    """The FailureReason of a job whose entry point cannot be started; a missing one is often in the image on AWS."""
    reason = f"ClientError: The entry point {word!r} cannot be started: {error}."
    if isinstance(error, FileNotFoundError):
        reason += (
            f" A program of the image itself is not here. {_row(repository(image), use, 'To put another in its place')}"
        )
    return reason


def _row(name: str, use: str, to: str) -> str:
    named = os.environ.get(image_table.VARIABLE, image_table.FILE)
    return f'{to}, write into {named}: [images."{name}"] and {use} = ["python3", …], its entry point.'


def command(words: Sequence[str], found: Program) -> list[str]:
    """`words` with the program's interpreter in place of `python3`.

    A module of localcloud's runs in a foreign interpreter as well: what it needs is lent to it (lent.py).
    """
    first, *rest = words
    if first not in PYTHONS:
        return [first, *rest]
    if found.interpreter != sys.executable and rest[:1] == ["-m"] and rest[1].startswith("localcloud."):
        return [found.interpreter, str(lent.__file__), os.pathsep.join(_lenders()), *rest[1:]]
    return [found.interpreter, *rest]


def _lenders() -> list[str]:
    """The folders in which this interpreter has what is lent."""
    specs: list[Any] = [importlib.util.find_spec(name) for name in lent.NAMES]
    files = [(Path(spec.origin), spec.submodule_search_locations is not None) for spec in specs if spec]
    return list(dict.fromkeys(str(file.parents[package]) for file, package in files))

"""What a state folder says about the local cloud that runs on it: `local.json`, and the locks.

<state>/local.json        parts, process ids, start times and ports; there from `up` until `down`
<state>/addresses.json    ports and region of the last time that it was up, for the next one
<state>/up.lock           held while one command starts or stops parts
<state>/ministack.lock    held by MiniStack's process for as long as it lives, and so released even by kill -9
<state>/sagemaker.lock    the same; taken by the SageMaker server itself
<state>/logs/, tmp/       logs of the parts, and their temporary files
<state>/ministack/, s3/   MiniStack's saved state and S3 objects
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from localcloud.environment import Addresses
from localcloud.errors import LocalCloudError
from localcloud.isolation.offer import NONE, NOT_ISOLATED, Isolation
from localcloud.private import make_private_folder, private_files
from localcloud.processes import Identity

FORMAT = 1
SIGN = "up.lock"
"""The first file that a state folder gets, and keeps."""


@dataclass(frozen=True)
class CloudRecord:
    """The addresses of a local cloud and, by part, the processes that were started for it."""

    addresses: Addresses
    parts: dict[str, Identity]
    enforce_roles: bool = False
    """Whether everything is held to its role; parts are started again as they were."""
    isolation: Isolation = NOT_ISOLATED
    """Whether foreign code gets a private view of the machine, as `up` found out."""


def read(state: Path) -> CloudRecord | None:
    """The record of `state`, or None when no local cloud was left running there.

    Raises:
        LocalCloudError: the file is there and is not such a record.
    """
    path = state / "local.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"format is {found['format']!r}, not {FORMAT}")
        parts = {name: Identity(int(part["pid"]), float(part["started"])) for name, part in found["parts"].items()}
        isolation = Isolation(**found.get("isolation", {"kind": NONE, "reason": "started by an older version"}))
        return CloudRecord(Addresses(**found["addresses"]), parts, bool(found.get("enforce_roles", False)), isolation)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LocalCloudError(
            f"Reading {path}: not a record of a local cloud ({error}).",
            f"If nothing runs there any more, delete the file: rm {path}",
        ) from None


def write(state: Path, record: CloudRecord) -> None:
    """Replace the record of `state`, whole or not at all."""
    path = state / "local.json"
    content = {
        "format": FORMAT,
        "addresses": asdict(record.addresses),
        "enforce_roles": record.enforce_roles,
        "isolation": asdict(record.isolation),
        "parts": {name: asdict(part) for name, part in record.parts.items()},
    }
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def remove(state: Path) -> None:
    """Forget the record: nothing runs on `state` any more."""
    (state / "local.json").unlink(missing_ok=True)


def keep_addresses(state: Path, addresses: Addresses) -> None:
    """Let the next local cloud on `state` have the same ports and region."""
    path = state / "addresses.json"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(asdict(addresses), indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def last_addresses(state: Path) -> Addresses | None:
    """What `keep_addresses` was told last, or None.

    Raises:
        LocalCloudError: the file is there and does not say that.
    """
    path = state / "addresses.json"
    try:
        return Addresses(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise LocalCloudError(
            f"Reading {path}: not the addresses of a local cloud ({error}).", f"Delete the file: rm {path}"
        ) from None


@contextmanager
def exclusive(state: Path, patience: float) -> Iterator[None]:
    """One command at a time starts or stops the parts on `state`; others wait `patience` seconds for their turn.

    What it writes meanwhile is its user's alone, and so is the folder from now on.

    Raises:
        LocalCloudError: the folder cannot be made, written or shut to others, or the turn did not come.
    """
    with private_files(), _lock_file(state) as file:
        deadline = time.monotonic() + patience
        while not lock(file.fileno()):
            if time.monotonic() > deadline:
                raise LocalCloudError(
                    f"Using {state} as state folder: another command has been at it for {patience:.0f} s.",
                    "Let that command end, then try again.",
                )
            time.sleep(0.05)
        yield


def _lock_file(state: Path) -> TextIO:
    try:
        make_private_folder(state, SIGN)
        return (state / SIGN).open("w")
    except OSError as error:
        raise LocalCloudError(
            f"Using {state} as state folder: {error.strerror}.", "Choose another folder with --state."
        ) from None


def lock(descriptor: int) -> bool:
    """Take the lock of an open file; False when another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

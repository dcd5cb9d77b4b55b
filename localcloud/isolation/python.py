"""Which folders an interpreter installs into, and what it needs to run."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

import localcloud

SYSTEM = Path("/usr")
SYSTEM_INSTALLS = Path("/usr/local")
"""Where a distribution's own Python lets pip install."""


def installs_into(interpreter: Path) -> list[Path]:
    """The folders that `pip install` of that interpreter changes: its environment's, and the user's if it reads that.

    They follow from where it lies, as `sys.prefix` does: `<prefix>/bin/python3`.
    """
    prefix = interpreter.absolute().parent.parent
    prefix = SYSTEM_INSTALLS if prefix in (SYSTEM, Path("/")) else prefix
    folders = [prefix]
    if site.ENABLE_USER_SITE and (user := Path(site.getuserbase())).is_dir():
        folders.append(user)
    return [folder for folder in folders if folder.is_dir()]


def needed(interpreter: Path) -> list[Path]:
    """What must be seen so that it starts, with this package and whatever is on this process's own path."""
    real = interpreter.resolve()
    paths = [interpreter.absolute().parent.parent, real.parent.parent, Path(localcloud.__file__).parent.parent]
    paths += [Path(entry) for entry in sys.path if entry]
    paths += [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return [path for path in paths if path != Path("/")]

"""Run a module of localcloud's in an interpreter that has none of it: `PYTHON lent.py FOLDERS MODULE ARGUMENTS…`.

An image's row may name an interpreter of the user's. What a program of ours needs there beside the user's own libraries
is lent from this installation: pure Python, found only where the interpreter has nothing of that name itself. It is
started as a file, not as a module: the interpreter does not know localcloud yet.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

OLDEST = (3, 11)
NAMES = (
    *("localcloud", "uvicorn", "starlette", "anyio", "h11", "click", "idna", "typing_extensions", "sniffio"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
)


class Lender:
    """Finds the lent names, after everything that the interpreter finds itself."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a top-level module lies; inside of packages Python finds its way."""
        return PathFinder.find_spec(name, self._folders, target) if name in NAMES else None


def main(arguments: list[str]) -> None:
    """Run the module as `__main__`."""
    if sys.version_info < OLDEST:
        found, oldest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        sys.exit(f"Error: {sys.executable} is Python {found}, and this program needs {oldest} or later.")
    folders, module, *rest = arguments
    sys.path.pop(0)  # this file's own folder
    sys.meta_path.append(Lender(folders.split(":")))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])

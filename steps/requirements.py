"""Install what a job needs and its container lacks, from a pinned file that travels with the code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files

from project.errors import SconesError


def install(job: str, modules: Sequence[str], file: str) -> None:
    """Install `file` for `job`, unless this interpreter has all `modules`.

    Raises:
        SconesError: pip failed.
    """
    missing = [module for module in modules if not importlib.util.find_spec(module)]
    if not missing:
        return
    print(f"{', '.join(missing)} not in this container; installing {file}.", flush=True)
    with as_file(files("steps") / file) as pinned:  # the code may have come as a zip, which pip does not look into
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-r", str(pinned)], check=False)
    if done.returncode:
        raise SconesError(
            f"{job}: pip could not install {file} (exit code {done.returncode}).",
            "Give the job a route to a package index, or an image that has it.",
        )

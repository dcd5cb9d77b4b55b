"""A Python function imports the standard library, what AWS's runtime has, its layers and its own code; nothing else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode, compile
from typing import Any

from ministack.core import lambda_runtime

from localcloud.corrections import seam

BEHAVIOUR = (
    "A Python function imports its own code, its layers, boto3 with what that needs, AWS's runtime interface client "
    "and the standard library, in this order; what else is installed beside the local cloud does not exist for it."
)
EVIDENCE = (
    "Developer guide: 'The Lambda Python runtimes include the AWS SDK for Python (Boto3) and its dependencies', "
    "runtime-included libraries in /var/lang/lib/python3.x/site-packages; the order is that of bootstrap.py in "
    "AWS's base images of Python 3.11 and later."
)
MINISTACK = "1.5.33"

DISTRIBUTIONS = {
    "boto3": ("boto3",),
    "botocore": ("botocore",),
    "s3transfer": ("s3transfer",),
    "jmespath": ("jmespath",),
    "python-dateutil": ("dateutil",),
    "six": ("six",),
    "urllib3": ("urllib3",),
    "awslambdaric": ("awslambdaric",),
    "simplejson": ("simplejson",),
    "snapshot-restore-py": ("snapshot_restore_py",),
}
"""What the runtime has: distributions, and the modules that they bring."""
OPTIONAL = ("runtime_client",)
"""awslambdaric's compiled client of the runtime API; where it was not built, nothing asks for it."""
SITE_PACKAGES = f"/var/lang/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
"""Where AWS's runtime has them."""

_making = threading.Lock()


class MissingLibraryError(RuntimeError):
    """This environment lacks what every function's runtime has."""


def interpreter() -> str:
    """The Python below this environment, so that children of a function do not find the environment either."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def python_command(command: list[str], packages: str) -> list[str]:
    """The command of a Python worker, with the runtime's libraries at `packages` and no one else's."""
    program, script = command
    return [program, "-S", "-s", script, packages]


def packages_folder() -> Path:
    """The folder of the runtime's libraries among this local cloud's temporary files; made once by a process.

    Raises:
        MissingLibraryError: one of them is not installed.
    """
    with _making:
        return _made()


@cache
def _made() -> Path:
    folder = Path(tempfile.gettempdir(), "lambda-runtime")
    shutil.rmtree(folder, ignore_errors=True)  # an earlier process's, perhaps of other versions
    make_packages(folder)
    return folder


def make_packages(folder: Path) -> None:
    """Make a folder of links to the runtime's libraries as they are installed here.

    Raises:
        MissingLibraryError: one of them is not installed.
    """
    folder.mkdir(parents=True)
    for name, modules in DISTRIBUTIONS.items():
        for module in modules:
            if not add_module(module, folder):
                raise MissingLibraryError(
                    f"A function's runtime needs {module}, and it is not installed: pip install {name}"
                )
        add_metadata(name, folder)
    for module in OPTIONAL:
        add_module(module, folder)


def add_module(name: str, folder: Path) -> bool:
    """Show a module of this environment in `folder`; False if there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return False
    if spec.submodule_search_locations:
        source = Path(spec.submodule_search_locations[0])
        (folder / source.name).symlink_to(source, target_is_directory=True)
        return True
    target = folder / Path(spec.origin).name
    if target.suffix == ".py":  # a copy: its compiled form is looked for beside it, and a function cannot write there
        shutil.copyfile(spec.origin, target)
        compile(str(target), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    else:
        target.symlink_to(spec.origin)
    return True


def add_metadata(name: str, folder: Path) -> None:
    """Show what `importlib.metadata` reads of a distribution."""
    with suppress(PackageNotFoundError):
        found = distribution(name)
        written = {f"{form}-{found.version}" for form in (found.name, found.name.replace("-", "_"))}
        for source in Path(str(found.locate_file(""))).iterdir():
            if source.suffix in (".dist-info", ".egg-info") and source.stem in written:
                (folder / source.name).symlink_to(source)


def _binary(original: Callable[..., Any]) -> Callable[..., Any]:
    def detect(runtime: str) -> Any:
        binary, script = original(runtime)
        return (interpreter() if runtime.startswith("python") else binary), script

    return detect


def apply() -> None:
    """Raises SeamError when MiniStack chooses the interpreter in another way, MissingLibraryError."""
    seam.replace(__name__, lambda_runtime, "_detect_runtime_binary", "runtime", by=_binary)
    if os.environ.get("STATE_DIR"):  # a real one is starting: a missing library is said now, not by every function
        packages_folder()

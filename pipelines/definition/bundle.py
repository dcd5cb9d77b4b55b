"""The code that travels to a job: only the files that this job can import, under a name made of their contents.

One bundle per job, not one for all: a step's cache key holds the address of its code, and a change to `evaluate.py`
must not make the training run again. Which files belong to a job is found by following its import statements, at any
depth of a module, from `run.py` and the job's own module:

- of `steps/`, `monitoring/`, `project/` and `lambdas/`, the modules that are imported; of a package inside `steps/`,
  the whole folder (the training also needs what it copies into the model);
- files that are not Python and whose name begins with the job's, such as `steps/manifests-requirements.txt`.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from project.errors import SconesError

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("steps", "monitoring", "project", "lambdas")
ENTRY = "steps/run.py"


@dataclass(frozen=True)
class Bundle:
    """The files of one job: path inside the bundle, contents; sorted by path."""

    job: str
    files: tuple[tuple[str, bytes], ...]

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any path or byte."""
        whole = hashlib.sha256()
        for path, content in self.files:
            whole.update(f"{path}\0{len(content)}\0".encode())
            whole.update(content)
        return whole.hexdigest()[:16]


def bundle(job: str, root: Path = ROOT) -> Bundle:
    """Collect the files of `job` below `root`, the folder that holds the rooms.

    Raises:
        SconesError: the job or the entry script does not exist, or a file is not Python.
    """
    files = {"run.py": root / ENTRY}
    for file in sorted(_reachable([ENTRY, _module_of(job, root)], root)):
        files[file.relative_to(root).as_posix()] = file
    files |= {file.relative_to(root).as_posix(): file for file in (root / "steps").glob(f"{job}-*") if file.is_file()}
    files.pop(ENTRY)
    return Bundle(job, tuple((path, files[path].read_bytes()) for path in sorted(files)))


def _module_of(job: str, root: Path) -> str:
    for candidate in (f"steps/{job}.py", f"steps/{job}/__init__.py"):
        if (root / candidate).is_file():
            return candidate
    raise SconesError(f"There is no job {job!r}: neither steps/{job}.py nor a package steps/{job}.", "Write it first.")


def _reachable(start: list[str], root: Path) -> set[Path]:
    """`start` and every file of our rooms that they import, directly or not."""
    found: set[Path] = set()
    waiting = [root / path for path in start]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        inside_package = root / "steps" in file.parent.parents
        if inside_package:
            waiting.extend(other for other in file.parent.rglob("*") if _travels(other))
        if file.suffix == ".py":
            waiting.extend(_imported(file, root))
        waiting.extend(_package_files(file, root))
    return found


def _travels(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def _package_files(file: Path, root: Path) -> Iterator[Path]:
    """The `__init__.py` of every package that `file` lies in."""
    for folder in file.relative_to(root).parents:
        init = root / folder / "__init__.py"
        if folder.parts and init.is_file():
            yield init


def _imported(file: Path, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, FileNotFoundError) as error:
        raise SconesError(f"Collecting job code: {file}: {error}.") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in ROOMS:
                place = root.joinpath(*name.split("."))
                yield from (p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file())

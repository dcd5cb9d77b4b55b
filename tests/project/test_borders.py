"""Who may import whom, proven from the code: the table below is the house, and docs/architecture.md draws it.

An import counts wherever it stands, inside a function and for type checking as well: none hides a circle.
"""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GROUND = {"project"}
JOBS = {"project.errors", "project.files", "project.json_text"}
"""What of the ground travels into a container: neither imports more than the standard library."""

DECODER = {"lambdas.serialize_image.picture", "lambdas.outcomes"}
"""How a function decodes a picture: people's own pictures are decoded by the same code before the training."""

MAY_IMPORT: dict[str, set[str]] = {
    # room, or an inner room: what of ours it may import beside itself. The longest matching name decides.
    "project": set(),
    "monitoring": set(),
    "monitoring.measures": JOBS,
    "monitoring.analysis": JOBS | {"monitoring.measures"},
    "monitoring.watch": GROUND | {"monitoring.measures", "monitoring.analysis"},
    "steps": JOBS | {"monitoring.measures", "monitoring.analysis"} | DECODER,
    "steps.train": JOBS | {"steps"},
    "pipelines": GROUND | {"pipelines.definition", "pipelines.registry", "pipelines.runs"},
    "pipelines.definition": GROUND | {"steps", "localcloud.contract"},
    "pipelines.checks": GROUND | {"steps", "localcloud.contract", "pipelines.definition"},
    "pipelines.registry": GROUND,
    "pipelines.runs": GROUND
    | {"localcloud.contract", "monitoring", "steps"}
    | {"pipelines.definition", "pipelines.registry", "stepfunctions"},
    "pipelines.tuning": GROUND | {"localcloud.contract", "steps", "pipelines.definition", "pipelines.runs"},
    "lambdas": set(),
    "stepfunctions": GROUND,
    "infra": GROUND | {"stepfunctions", "pipelines.definition"},
    "infra.doctor": GROUND | {"infra"},
    "localcloud": set(),
    "localcloud.contract": set(),
    "localcloud.service": {"localcloud.contract", "localcloud.door", "localcloud.memory", "localcloud.regions"},
    "localcloud.programs": {"localcloud"},
    "localcloud.sagemaker": {"localcloud"},
    "localcloud.stepfunctions": {"localcloud"},
    "scones": set(),
    "scones.local_images": {"localcloud"},
    "scones.local_analyzer": {"localcloud", "steps"},
    "scones.data": GROUND | {"steps"},
    "scones.reports": GROUND | {"localcloud.contract", "monitoring", "steps", "pipelines", "stepfunctions"},
    "scones.desk": GROUND | {"monitoring", "steps", "pipelines", "stepfunctions", "scones.reports"},
    "scones.demo": GROUND
    | {"monitoring", "steps", "pipelines", "stepfunctions", "infra", "localcloud", "scones.reports", "scones.data"},
    "scones.cli": GROUND
    | {"monitoring", "steps", "pipelines", "stepfunctions", "infra", "localcloud"}
    | {"scones.reports", "scones.data", "scones.desk", "scones.demo"},
}
ROOMS = sorted({name.partition(".")[0] for name in MAY_IMPORT})
INNER = ("project", "monitoring", "pipelines", "scones")
"""Rooms whose folders are rooms themselves: each must be in the table."""
NOT_ROOMS = {"tests", "benchmarks", "docs", "build", "dist"}

IN_CONTAINERS = ("steps", "monitoring.measures", "monitoring.analysis", *DECODER)
CONTAINERS_LACK = {"sagemaker", "boto3", "botocore", "click", "pydantic", "starlette", "uvicorn", "plotly", "jinja2"}


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(file): file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))}


@cache
def imported(module: str) -> frozenset[str]:
    """Every module named in an import of `module`, at any depth; of our own, the file that it leads to."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return frozenset(found)


def ours(module: str) -> Iterator[str]:
    return (name for name in imported(module) if name.partition(".")[0] in ROOMS)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room_of(module: str) -> str:
    return max((key for key in MAY_IMPORT if within(module, key)), key=len)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    room = room_of(module)
    allowed = MAY_IMPORT[room] | {room}
    trespasses = {name for name in ours(module) if not any(within(name, package) for package in allowed)}
    assert not trespasses, f"{module} may import {sorted(allowed)}, not {sorted(trespasses)}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        graphlib.TopologicalSorter({module: set(ours(module)) - {module} for module in MODULES}).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_rooms_import_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for module in MODULES:
        rooms.setdefault(room_of(module), set()).update(map(room_of, ours(module)))
    try:
        graphlib.TopologicalSorter({room: others - {room} for room, others in rooms.items()}).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_drawing_shows_the_imports_as_they_are() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", text, re.MULTILINE))
    top = {(module.partition(".")[0], name.partition(".")[0]) for module in MODULES for name in ours(module)}
    assert drawn == {(room, other) for room, other in top if room != other}
    assert set(re.findall(r"^    (\w+)\[", text, re.MULTILINE)) == set(ROOMS)


def test_every_folder_with_code_is_in_the_table() -> None:
    top = {file.parent.name for file in ROOT.glob("*/*.py")} - NOT_ROOMS
    inner = {f"{room}.{file.parent.name}" for room in INNER for file in (ROOT / room).glob("*/*.py")}
    assert top | inner <= set(MAY_IMPORT), f"give a place in the table: {sorted((top | inner) - set(MAY_IMPORT))}"


@pytest.mark.parametrize("module", [m for m in MODULES if any(within(m, room) for room in IN_CONTAINERS)])
def test_job_code_needs_only_what_containers_have(module: str) -> None:
    assert not {name.partition(".")[0] for name in imported(module)} & CONTAINERS_LACK


@pytest.mark.parametrize("module", [m for m in MODULES if m in JOBS])
def test_the_ground_that_travels_needs_nothing_but_the_standard_library(module: str) -> None:
    assert set(ours(module)) <= JOBS


@pytest.mark.parametrize("module", MODULES)
def test_a_module_stays_readable(module: str) -> None:
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 350, "one idea per module: divide it"

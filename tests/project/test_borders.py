"""Who may import whom, as docs/architecture.md draws it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "scones",
    "pipelines",
    "steps",
    "lambdas",
    "stepfunctions",
    "monitoring",
    "reports",
    "charts",
    "dashboard",
    "localcloud",
    "infra",
)

# room or module: what of ours it may import. The longest matching name decides.
MAY_IMPORT: dict[str, set[str]] = {
    "scones": {"scones"},
    "scones.cli.main": set(ROOMS),
    "scones.cli": set(ROOMS),
    "pipelines": {"scones", "pipelines", "steps"},
    "steps": {"project.errors", "steps", "monitoring"},
    "stepfunctions": {"scones", "stepfunctions"},
    "monitoring": {"scones", "monitoring", "steps", "charts"},
    "reports": {"scones", "pipelines", "steps", "charts", "reports"},
    "charts": {"charts"},
    "dashboard": {"scones", "pipelines", "steps", "stepfunctions", "monitoring", "charts", "dashboard"},
    "localcloud": {"project.errors", "localcloud"},
    "infra": {"scones", "infra", "stepfunctions"},
    "infra.package": {"scones", "infra", "stepfunctions", "pipelines.definition.bundle"},
    "infra.template": {"scones", "infra", "pipelines.definition.images"},
    "lambdas": {"lambdas"},
}
# Job code runs in containers that have these and nothing else of weight.
JOB_LIBRARIES_REFUSED = {"sagemaker", "boto3", "botocore", "click", "pydantic", "starlette", "uvicorn"}


def modules() -> list[Path]:
    return sorted(file for room in ROOMS if (ROOT / room).is_dir() for file in (ROOT / room).rglob("*.py"))


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> set[str]:
    """Every module named in an import, at any depth of the file; relative ones resolved."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def allowed_for(module: str) -> set[str]:
    best = max((key for key in MAY_IMPORT if within(module, key)), key=len)
    return MAY_IMPORT[best]


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_a_module_imports_only_what_its_room_may(file: Path) -> None:
    allowed = allowed_for(name_of(file))
    ours = {name for name in imports_of(file) if name.partition(".")[0] in ROOMS}
    trespasses = {name for name in ours if not any(within(name, package) for package in allowed)}
    assert not trespasses, f"{name_of(file)} may import {sorted(allowed)}, not {sorted(trespasses)}"


@pytest.mark.parametrize(
    "file", [f for f in modules() if within(name_of(f), "steps") or within(name_of(f), "charts")], ids=name_of
)
def test_job_code_needs_no_aws_library(file: Path) -> None:
    assert not {name.partition(".")[0] for name in imports_of(file)} & JOB_LIBRARIES_REFUSED


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_a_module_stays_readable(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 350, "one idea per module: split it"

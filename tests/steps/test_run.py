"""`python3 run.py <job>` as a container runs it: from a copy of the code, in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from cifar_archives import meta, part, tar_gz
from packaging.utils import canonicalize_name

from project.errors import SconesError
from steps import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The job code laid out as it travels: `run.py` at the root, and of `project` only what jobs use."""
    folder = tmp_path / "code"
    shutil.copytree(ROOT / "steps", folder / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "steps" / "run.py").rename(folder / "run.py")
    (folder / "project").mkdir()
    for name in ("__init__.py", "errors.py", "files.py"):
        shutil.copy(ROOT / "project" / name, folder / "project" / name)
    return folder


def job(code: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(code / "run.py"), *arguments]
    return subprocess.run(command, cwd=code.parent, capture_output=True, text=True, check=False)


def test_a_job_runs_from_its_bundle(code: Path, tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", [8, 48]), part("test", [8, 48]), meta())
    output = tmp_path / "output"
    done = job(code, "extract", "--archive", str(archive), "--classes", "bicycle,motorcycle", "--output", str(output))
    assert (done.returncode, done.stderr) == (0, "")
    assert "train: 1 bicycle, 1 motorcycle" in done.stdout
    assert len(list(output.glob("images/*/*.png"))) == 4


def test_a_known_failure_is_the_last_line_and_exit_code_1(code: Path, tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", meta())
    done = job(code, "extract", "--archive", str(archive), "--classes", "bicycle,bus", "--output", str(tmp_path / "o"))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: {archive}: cifar-100-python/train is missing. Use an original archive."
    ]


@pytest.mark.parametrize("arguments", [(), ("extrakt",), ("extract", "--no-such-option")])
def test_wrong_usage_is_exit_code_2(code: Path, arguments: tuple[str, ...]) -> None:
    done = job(code, *arguments)
    assert done.returncode == 2 and done.stderr


def test_what_a_container_lacks_is_pinned() -> None:
    for modules, file in run.REQUIREMENTS.values():
        lines = (ROOT / "steps" / file).read_text(encoding="utf-8").splitlines()
        pinned = {canonicalize_name(line.partition("==")[0]) for line in lines if not line.startswith("#")}
        assert {canonicalize_name(name) for module in modules for name in packages_distributions()[module]} <= pinned


def test_a_requirement_that_cannot_be_installed_names_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(run.REQUIREMENTS, "extract", (("a_module_that_nobody_has",), "no-such-file.txt"))
    with pytest.raises(SconesError, match=r"extract: pip could not install no-such-file\.txt"):
        run.install_missing("extract")


def test_nothing_is_installed_for_a_job_that_has_all_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was started"))
    for name in run.JOBS:
        run.install_missing(name)

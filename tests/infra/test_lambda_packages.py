"""What is uploaded for Lambda: complete, the same every time, and independent of this checkout."""

from __future__ import annotations

import importlib.util
import io
import os
import py_compile
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra import lambda_packages
from pipelines.definition.bundle import bundle
from project.errors import SconesError

HANDLERS = sorted(
    ".".join(file.relative_to(lambda_packages.ROOT).with_suffix("").parts)
    for file in (lambda_packages.ROOT / "lambdas").rglob("handler.py")
)


def unpacked(archive: bytes, folder: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    return folder


def test_the_zip_is_the_same_every_time() -> None:
    assert lambda_packages.functions_zip() == lambda_packages.functions_zip()


def test_the_zip_holds_code_and_the_known_picture_and_no_rubbish() -> None:
    names = zipfile.ZipFile(io.BytesIO(lambda_packages.functions_zip())).namelist()
    assert "lambdas/deploy/known_picture.png" in names
    assert all(name.startswith("lambdas/") and "__pycache__" not in name for name in names)


def test_every_handler_can_be_imported_from_the_zip_alone(tmp_path: Path) -> None:
    """In a fresh interpreter that finds none of our other rooms."""
    folder = unpacked(lambda_packages.functions_zip(), tmp_path)
    program = f"""
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]
sys.path.insert(0, {str(folder)!r})
import importlib
for name in {HANDLERS!r}:
    module = importlib.import_module(name)
    assert callable(module.handler) and module.__file__.startswith({str(folder)!r}), module.__file__
rooms = {{"scones", "infra", "steps", "localcloud", "stepfunctions"}}
ours = rooms & {{name.partition(".")[0] for name in sys.modules}}
assert not ours, ours
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(HANDLERS) == 11


def test_the_layer_is_made_of_wheels_for_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pip(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        target = Path(command[command.index("--target") + 1])
        (target / "PIL" / "__pycache__").mkdir(parents=True)
        (target / "PIL" / "Image.py").write_text("", encoding="utf-8")
        (target / "PIL" / "__pycache__" / "Image.pyc").write_bytes(b"")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(lambda_packages.subprocess, "run", pip)
    first, second = lambda_packages.layer_zip("3.12", "arm64"), lambda_packages.layer_zip("3.12", "arm64")
    assert first == second
    found = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert found == ["python/lib/python3.12/site-packages/PIL/Image.py"]
    assert {"--only-binary=:all:", "--platform=manylinux2014_aarch64", "3.12"} <= set(asked[0])


def test_the_layer_of_what_is_installed_is_complete_and_the_same_every_time(tmp_path: Path) -> None:
    """In an interpreter that finds nothing else; what the runtime has may come from it."""
    first = lambda_packages.installed_layer_zip()
    assert first == lambda_packages.installed_layer_zip()
    assert lambda_packages.installed_layer_hash() == lambda_packages.installed_layer_hash()
    folder = unpacked(first, tmp_path) / "python" / "lib" / f"python{lambda_packages.THIS_PYTHON}" / "site-packages"
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import aws_lambda_powertools as one;"
        "from PIL import Image; from aws_lambda_powertools import Metrics; print(one.__file__); Image.new('L', (1, 1))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(str(folder)), done.stderr


def test_compiled_files_go_along_only_if_they_are_those_of_the_source(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("VALUE = 1\n", encoding="utf-8")
    assert lambda_packages._compiled(source) == b""
    py_compile.compile(str(source), doraise=True)
    content = lambda_packages._compiled(source)
    moved = tmp_path / "moved"
    (moved / "__pycache__").mkdir(parents=True)
    (moved / "module.py").write_text("VALUE = 1\n", encoding="utf-8")
    os.utime(moved / "module.py", (0, 0))
    Path(importlib.util.cache_from_source(str(moved / "module.py"))).write_bytes(content)
    command = [sys.executable, "-S", "-v", "-c", f"import sys; sys.path.insert(0, {str(moved)!r}); import module"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert f"matches {moved / 'module.py'}" in done.stderr
    source.write_text("VALUE = 22\n", encoding="utf-8")
    assert lambda_packages._compiled(source) == b""


def test_a_layer_of_what_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# ours\nno_such_distribution==1.0\n", encoding="utf-8")
    monkeypatch.setattr(lambda_packages, "REQUIREMENTS", requirements)
    with pytest.raises(SconesError, match="no_such_distribution is not installed") as raised:
        lambda_packages.installed_layer_hash()
    assert "pip install no_such_distribution==1.0" in raised.value.fix


def test_the_layer_has_the_tested_versions() -> None:
    tested = (lambda_packages.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = lambda_packages.REQUIREMENTS.read_text(encoding="utf-8").splitlines()[1:]
    assert [pin for pin in pinned if pin not in tested] == []


def test_a_layer_for_another_python_has_another_name() -> None:
    assert lambda_packages.layer_hash() == lambda_packages.layer_hash("3.13", "x86_64")
    assert len({lambda_packages.layer_hash(v, a) for v in ("3.12", "3.13") for a in ("x86_64", "arm64")}) == 4


def test_a_layer_that_cannot_be_built_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "noise\nERROR: No matching distribution found for pillow\n")
    monkeypatch.setattr(lambda_packages.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SconesError, match="No matching distribution found for pillow"):
        lambda_packages.layer_zip()


def test_the_command_writes_the_archive_whole(tmp_path: Path) -> None:
    assert lambda_packages.main([str(tmp_path / "build")]) == 0
    assert (tmp_path / "build" / "functions.zip").read_bytes() == lambda_packages.functions_zip()
    assert [file.name for file in (tmp_path / "build").iterdir()] == ["functions.zip"]


def test_the_content_hash_follows_the_content() -> None:
    assert lambda_packages.content_hash(b"a") != lambda_packages.content_hash(b"b")
    assert len(lambda_packages.content_hash(b"a")) == 16


def test_the_monitors_program_runs_from_its_zip_alone(tmp_path: Path) -> None:
    """As in the container: an interpreter that has numpy and Pillow, and of ours nothing but the archive."""
    archive = tmp_path / "monitor.zip"
    archive.write_bytes(lambda_packages.program_zip(bundle("monitor").files))
    blocked = (
        "import runpy, sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in str(f)];"
        f"sys.argv = ['code.zip', 'monitor']; runpy.run_path({str(archive)!r}, run_name='__main__')"
    )
    environment = {"dataset_source": str(tmp_path / "none"), "output_path": str(tmp_path / "out")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", blocked],
        env={**environment, "SAGEMAKER_BASE_DIR": str(tmp_path), "PATH": ""},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("NoData")
    assert (tmp_path / "output" / "message").read_text() == done.stdout.strip()


def test_the_same_program_is_the_same_zip() -> None:
    assert lambda_packages.program_zip(bundle("monitor").files) == lambda_packages.program_zip(bundle("monitor").files)
    names = [name for name, _ in bundle("monitor").files]
    assert "steps/monitor-requirements.txt" in names

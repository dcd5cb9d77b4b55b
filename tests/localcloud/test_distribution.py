"""localcloud as a distribution of its own: what an installer gets of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import localcloud

SOURCE = Path(localcloud.__file__).parent


def test_its_wheel_holds_every_module_and_the_command(tmp_path: Path) -> None:
    copy = tmp_path / "localcloud"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run([*pip, "-w", tmp_path, copy], capture_output=True, text=True, check=False, timeout=120)
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("localcloud-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        points = next(packed.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    sources = {file.relative_to(SOURCE.parent).as_posix() for file in SOURCE.rglob("*.py") if "build" not in file.parts}
    assert {name for name in names if name.endswith(".py")} == sources
    assert "localcloud = localcloud.cli:main" in points

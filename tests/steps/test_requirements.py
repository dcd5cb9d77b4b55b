"""What is installed while a job, a container or a function starts is what was tested, to the last dependency."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from steps.train import job

ROOT = Path(__file__).parents[2]
PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


@dataclass(frozen=True)
class Carried:
    """One list of pins, the Python that installs it, and what its container has (and must keep) of its own."""

    text: str
    python: str
    own: frozenset[str] = frozenset()


def carried(file: str, python: str, *own: str) -> Carried:
    return Carried((ROOT / file).read_text(encoding="utf-8"), python, frozenset(own))


CARRIED = {
    "the model": Carried(job.REQUIREMENTS, "3.12", frozenset({"numpy", "packaging"})),
    "BuildManifests": carried("steps/manifests-requirements.txt", "3.12", "numpy", "pandas", "scipy"),
    "ExtractCifar": carried("steps/extract-requirements.txt", "3.12"),
    "HEIC photographs": carried("steps/extract-heic-requirements.txt", "3.12", "pillow"),
    "Evaluate": carried("steps/evaluate-requirements.txt", "3.12"),
    "the monitor": carried("steps/monitor-requirements.txt", "3.12"),
    "the layer": carried("infra/layer-requirements.txt", "3.13"),
}


def pins(text: str) -> dict[str, str]:
    """Version by canonical name; a line that is no exact pin fails."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            wanted = Requirement(line)
            (exactly,) = wanted.specifier
            assert (exactly.operator, wanted.marker) == ("==", None) and "*" not in exactly.version, line
            found[canonicalize_name(wanted.name)] = exactly.version
    return found


def test_every_list_of_requirements_is_judged() -> None:
    files = {str(file.relative_to(ROOT)) for room in ("steps", "infra") for file in (ROOT / room).rglob("*.txt")}
    judged = {
        *("steps/extract-requirements.txt", "steps/extract-heic-requirements.txt"),
        *("steps/manifests-requirements.txt", "steps/evaluate-requirements.txt", "steps/monitor-requirements.txt"),
        "infra/layer-requirements.txt",
    }
    assert files == judged


@pytest.mark.parametrize("who", CARRIED)
def test_every_requirement_is_pinned_to_the_tested_version_and_leaves_the_containers_alone(who: str) -> None:
    tested = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    pinned = pins(CARRIED[who].text)
    assert pinned and {name: tested.get(name) for name in pinned} == pinned
    assert not pinned.keys() & CARRIED[who].own


@pytest.mark.parametrize("who", CARRIED)
def test_the_pins_can_be_installed_and_need_nothing_that_is_not_pinned(who: str, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    reached = subprocess.run([*pip, "index", "versions", "pillow"], capture_output=True, text=True, check=False)
    if reached.returncode:
        pytest.skip(f"no package index answers: {reached.stderr.strip()[-200:]}")
    file, here = tmp_path / "requirements.txt", CARRIED[who]
    file.write_text(here.text, encoding="utf-8")
    command = [*pip, "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary=:all:"]
    command += ["--target", str(tmp_path / "target"), "--requirement", str(file), "--report", "-"]
    command += ["--implementation", "cp", "--python-version", here.python, *(f"--platform={one}" for one in PLATFORMS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    target = {"python_version": here.python, "python_full_version": f"{here.python}.0", "sys_platform": "linux"}
    target |= {"platform_system": "Linux", "platform_machine": "x86_64", "implementation_name": "cpython", "extra": ""}
    target |= {"platform_python_implementation": "CPython", "os_name": "posix"}
    pinned = pins(here.text)
    lacking = {
        f"{one['metadata']['name']} needs {text}"
        for one in json.loads(done.stdout)["install"]
        for text in one["metadata"].get("requires_dist", [])
        if (needed := Requirement(text)).marker is None or needed.marker.evaluate(target)
        if (name := canonicalize_name(needed.name)) not in here.own
        if name not in pinned or not needed.specifier.contains(pinned[name], prereleases=True)
    }
    assert lacking == set()

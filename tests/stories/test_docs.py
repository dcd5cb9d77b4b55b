"""The commands in README and docs work as they stand there.

Every `sh` block of a page is run, all blocks of a page in one shell, in an empty folder. The settings there make
training short; nothing else differs from what a reader gets.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from commands import BIN, clean_environment, run
from sdk2 import environment_of_sdk2

from localcloud import ports, record
from localcloud.environment import Addresses

ROOT = Path(__file__).parents[2]
NOT_RUN = {
    "make demo": "tests/stories/test_demo.py runs it",
    "make test": "it is what runs this",
    "git clone": "the reader has done it",
}
QUICK = 'algorithm = "builtin"\nepochs = 3\naccuracy_threshold = 0.51\n[builtin]\nmini_batch_size = 32\n'


def commands(page: Path, *, sdk2: bool = False) -> str:
    """What is run of a page: its `sh` blocks, and with `sdk2` those for that SDK's own environment as well."""
    wanted = "(?: sdk2)?" if sdk2 else ""
    blocks = re.findall(rf"^```sh{wanted}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(tuple(NOT_RUN)))


ROOMS = ("project", "monitoring", "steps", "pipelines", "lambdas", "stepfunctions", "infra", "localcloud", "scones")
IN_A_CHECKOUT = ("your-own-model.md",)
"""Pages that change code: they are run in a copy of the project."""
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if commands(page).strip()]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_the_page_works(page: Path, tmp_path: Path) -> None:
    if page.name in IN_A_CHECKOUT:
        copy_project(tmp_path)
        run_page(commands(page), tmp_path, PYTHONPATH=str(tmp_path))
    else:
        run_page(commands(page), tmp_path)


@pytest.mark.timeout(600)
def test_the_readme_works_on_a_machine_without_the_aws_command(tmp_path: Path) -> None:
    """Nor is there anything else of the environment's but `scones`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "scones").symlink_to(BIN / "scones")
    system = os.pathsep.join(("/usr/local/bin", "/usr/bin", "/bin"))
    path = f"{tmp_path / 'bin'}{os.pathsep}{system}"
    if shutil.which("aws", path=path):
        pytest.skip("aws is among the system's own commands here")
    run_page(commands(ROOT / "README.md"), tmp_path, PATH=path)


@pytest.mark.timeout(600)
def test_the_blocks_for_the_sdk_2_work_as_well(tmp_path: Path) -> None:
    (tmp_path / "sdk2").symlink_to(environment_of_sdk2(), target_is_directory=True)
    run_page(commands(ROOT / "docs" / "your-own-project.md", sdk2=True), tmp_path)


def copy_project(folder: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))


def run_page(text: str, folder: Path, **more: str) -> None:
    """Run it in `folder`, on ports that nobody uses: a folder's local cloud keeps those that it had."""
    (folder / "scones.toml").write_text(QUICK, encoding="utf-8")
    (folder / ".localcloud").mkdir(mode=0o700)
    ministack, sagemaker, stepfunctions = ports.free(3)
    record.keep_addresses(folder / ".localcloud", Addresses(ministack, sagemaker, "us-east-1", stepfunctions))
    environment = {**clean_environment(folder), "OMP_NUM_THREADS": "1", **more}
    try:
        shell = ("bash", "-euo", "pipefail", "-c", text)
        done = run(*shell, environment=environment, folder=folder, patience=500)
    finally:
        run(BIN / "scones", "local", "down", environment=environment, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr

"""The commands in README and docs work as they stand there.

Every `sh` block of a page is run, all blocks of a page in one shell, in an empty folder. The settings there make
training short; nothing else differs from what a reader gets.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from commands import BIN, clean_environment, run

ROOT = Path(__file__).parents[2]
NOT_RUN = {
    "make demo": "tests/stories/test_demo.py runs it",
    "make test": "it is what runs this",
    "git clone": "the reader has done it",
}
QUICK = 'algorithm = "builtin"\nepochs = 3\naccuracy_threshold = 0.51\n[builtin]\nmini_batch_size = 32\n'


def commands(page: Path) -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(tuple(NOT_RUN)))


PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if commands(page).strip()]


def taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_the_page_works(page: Path, tmp_path: Path) -> None:
    if taken(4566) or taken(4567):
        pytest.skip("the local cloud's usual ports are in use, and the page's commands use them")
    (tmp_path / "scones.toml").write_text(QUICK, encoding="utf-8")
    environment = {**clean_environment(tmp_path), "OMP_NUM_THREADS": "1"}
    try:
        shell = ("bash", "-euo", "pipefail", "-c", commands(page))
        done = run(*shell, environment=environment, folder=tmp_path, patience=500)
    finally:
        run(BIN / "scones", "local", "down", environment=environment, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

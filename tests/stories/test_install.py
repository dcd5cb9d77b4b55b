"""Where PyTorch comes from: `make`'s own rule and pip, against package indexes (PEP 503) on loopback."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from commands import run

ROOT = Path(__file__).parents[2]
PINNED = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))[7:]
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
StartIndex = Callable[[str], str]


class Page(SimpleHTTPRequestHandler):
    """Files of a folder, without a line on stderr for each."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def start_index(tmp_path: Path) -> Iterator[StartIndex]:
    """Start an index that has torch in one version; its address."""
    with ExitStack() as running:

        def start(version: str) -> str:
            page = tmp_path / version / "torch"
            page.mkdir(parents=True)
            wheel = f"torch-{version}-py3-none-any.whl"
            about, tag = f"torch-{version}.dist-info", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            with zipfile.ZipFile(page / wheel, "w") as file:
                file.writestr("torch.py", f"__version__ = {version!r}\n")
                file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
                file.writestr(f"{about}/WHEEL", tag)
                file.writestr(f"{about}/RECORD", "")
            (page / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
            server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Page, directory=str(page.parent)))
            running.callback(server.server_close)
            Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            running.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def made(folder: Path, index: str, configured: str = "") -> tuple[str, list[str]]:
    """What `make` says, and which torch it installed, when `index` is chosen and pip is configured for another."""
    environment, installed = folder / "venv", folder / "installed"
    python = environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_TARGET": str(installed), "PIP_INDEX_URL": configured}
    done = run("make", f"{environment}/.torch", f"VENV={environment}", f"TORCH_INDEX={index}", environment=kept | pip,
               folder=ROOT)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr, [file.name for file in installed.glob("*.dist-info")]


def test_the_cpu_build_comes_from_its_own_index_when_that_answers(start_index: StartIndex, tmp_path: Path) -> None:
    index, configured = start_index(f"{PINNED}+cpu"), start_index(PINNED)
    assert made(tmp_path, index, configured) == ("", [f"torch-{PINNED}+cpu.dist-info"])


def test_an_index_that_says_nothing_costs_seconds_and_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said, installed = made(tmp_path, index)
    assert said == f"{index} does not answer: PyTorch comes from the configured index.\n"
    assert installed == []  # the rest of the installation brings it


def test_whoever_chooses_no_index_gets_the_configured_one_and_no_question(tmp_path: Path) -> None:
    assert made(tmp_path, "") == ("", [])


def test_no_address_of_an_index_but_pytorchs_own_is_written_down() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [line] = [line for line in makefile.splitlines() if "://" in line]
    assert line.startswith("TORCH_INDEX ?= ")
    assert "https://download.pytorch.org/whl/cpu" in line

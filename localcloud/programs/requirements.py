"""Install the requirements.txt that lies beside a script or a model's handler, as AWS's toolkits do at every start.

With a private view of the machine that is `pip install -r`: what it changes is the job's own and gone with it. Without
one (localcloud/isolation), only what is missing goes into a folder of the job's, which PYTHONPATH names; the user's
environment is never changed. When all is there already nothing is asked of the network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from localcloud.errors import ArtifactError

TARGET_VARIABLE = "PIP_TARGET"
"""pip's own: where a process without a private view installs to."""
PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off")


def install_requirements(folder: Path) -> None:
    """Install `folder`'s requirements.txt, if it has one; what pip says is in the log.

    Raises:
        ArtifactError: pip could not; with its last error line.
    """
    file = folder / "requirements.txt"
    if not file.is_file():
        return
    if not os.environ.get(TARGET_VARIABLE):
        _run_pip(["-r", str(file)], file)
        return
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        _run_pip(["--dry-run", "--report", str(report), "-r", str(file)], file, {TARGET_VARIABLE: ""})
        missing = json.loads(report.read_text(encoding="utf-8"))["install"]
        if missing:
            wanted = Path(scratch, "missing.txt")
            wanted.write_text("\n".join(map(_exactly, missing)), encoding="utf-8")
            _run_pip(["--no-deps", "-r", str(wanted)], file)


def _exactly(item: dict[str, dict[str, str]]) -> str:
    """One entry of pip's report as a requirement of that very file."""
    return f"{item['metadata']['name']} @ {item['download_info']['url']}"


def _run_pip(arguments: list[str], file: Path, changes: dict[str, str] | None = None) -> None:
    environment = {name: value for name, value in {**os.environ, **(changes or {})}.items() if value}
    said = ""
    with subprocess.Popen(
        [*PIP, *arguments],
        cwd=file.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        for line in pip.stdout or ():
            print(line, end="", flush=True)
            said = line.strip() if line.startswith("ERROR:") or not said.startswith("ERROR:") else said
    if pip.returncode:
        raise ArtifactError(f"Installing {file}: {said.removeprefix('ERROR: ') or f'exit code {pip.returncode}'}")

"""The rendered definition against the committed copy.

Renew after a change that is meant: SCONES_RENEW_GOLDEN=1 pytest tests/pipelines/definition/test_rendering.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from golden import GOLDEN

from localcloud.contract.definition import steps
from pipelines.definition.rendering import PROCESSING_JOBS, jobs, render, to_json
from project.names import Names
from project.settings import Settings


def rendered(algorithm: str) -> str:
    """The definition with readable stand-ins for the code's hashes, which change with every edit of a job."""
    names = Names(Settings.model_validate({"algorithm": algorithm}))
    definition = render(names, {job: names.uri("code", f"{job}-hash") for job in jobs(names.settings)})
    return json.dumps(definition, indent=2) + "\n"


@pytest.mark.parametrize("algorithm", ["builtin", "pytorch"])
def test_definition_is_the_committed_one(algorithm: str) -> None:
    file = GOLDEN / f"definition-{algorithm}.json"
    text = rendered(algorithm)
    if os.environ.get("SCONES_RENEW_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("algorithm", ["builtin", "pytorch"])
def test_every_processing_job_is_a_step_of_the_definition(algorithm: str) -> None:
    found = steps(json.loads((GOLDEN / f"definition-{algorithm}.json").read_text(encoding="utf-8")))
    assert len([step for step in found if step.type == "Processing"]) == len(PROCESSING_JOBS)


def test_another_process_without_region_or_credentials_renders_the_same_bytes() -> None:
    code = (
        "from pipelines.definition.rendering import jobs, render, to_json; from project.names import Names;"
        "from project.settings import Settings; names = Names(Settings());"
        "print(to_json(render(names, {job: names.uri('code', f'{job}-hash') for job in jobs(names.settings)})))"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONHASHSEED": "11"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[3], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip() == to_json(json.loads((GOLDEN / "definition-pytorch.json").read_text()))

"""What docs/troubleshooting.md quotes from messages is in the code that writes them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from scones.cli.main import VERBS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ROOMS = ("project", "monitoring", "pipelines", "lambdas", "stepfunctions", "infra", "scones", "steps", "localcloud")
AWS_SAYS = {"ResourceLimitExceeded"}
"""Not ours: SageMaker API reference, CreateTrainingJob, Errors."""


def test_every_quoted_message_is_one_of_the_code() -> None:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    strings = [
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    written = "\n".join([*strings, (ROOT / "Makefile").read_text(encoding="utf-8")]).lower()
    symptoms = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| ")]
    quoted = {text for cell in symptoms for text in re.findall(r"`([^`]+)`", cell)} - AWS_SAYS
    assert len(quoted) > 25
    assert [text for text in sorted(quoted) if text.lower() not in written and not text.startswith("/")] == []


def test_every_verb_on_the_page_is_there() -> None:
    assert set(re.findall(r"`scones ([a-z][a-z-]*)", PAGE)) <= set(VERBS)

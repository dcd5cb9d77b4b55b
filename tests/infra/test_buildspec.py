"""buildspec.yml against the build specification reference (version 0.2); test_build_commands.py runs its commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SPEC: dict[str, Any] = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))

TOP = {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
ENV = {
    *("shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper"),
}
PHASES = ["install", "pre_build", "build", "post_build"]
PHASE = {"run-as", "on-failure", "runtime-versions", "commands", "finally"}
REPORT = {"files", "base-directory", "discard-paths", "file-format"}


def test_only_fields_that_codebuild_knows_are_used() -> None:
    assert set(SPEC) <= TOP
    assert SPEC["version"] == 0.2
    assert set(SPEC["env"]) <= ENV
    assert all(isinstance(value, str) for value in SPEC["env"]["variables"].values())
    assert not any(name.startswith("CODEBUILD_") for name in SPEC["env"]["variables"])
    assert set(SPEC["phases"]) <= set(PHASES)
    for name, phase in SPEC["phases"].items():
        assert set(phase) <= PHASE
        assert phase.get("on-failure", "ABORT") in {"ABORT", "CONTINUE"}
        assert all(isinstance(command, str) for command in phase["commands"])
        assert "runtime-versions" not in phase or name == "install"
    for report in SPEC["reports"].values():
        assert set(report) <= REPORT
        assert report["file-format"] == "JUNITXML"


def test_the_runtime_is_one_that_the_package_supports() -> None:
    major, minor = map(int, SPEC["phases"]["install"]["runtime-versions"]["python"].split("."))
    assert (major, minor) >= (3, 11)

"""`scones demo` as `make demo` runs it: the defaults but for the region, a fresh state folder, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import BIN, clean_environment, run


@pytest.mark.timeout(1200)
def test_the_demo_tells_the_whole_story_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    (tmp_path / "scones.toml").write_text('region = "eu-central-1"\n', encoding="utf-8")
    done = run(
        BIN / "scones", "demo", "--enforce-roles", "--json", environment=environment, folder=tmp_path, patience=1150
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {step["status"] for step in summary["steps"]} == {"ok"}
    assert summary["accuracy"] >= 0.8
    assert summary["model_package"].endswith("/1")
    assert Path(summary["evaluation"]).is_file()
    assert [folder.name for folder in (tmp_path / ".localcloud" / "regions").iterdir()] == ["eu-central-1"]
    status = run(BIN / "scones", "local", "status", environment=environment, folder=tmp_path)
    assert status.returncode == 1
    assert "up" not in {word for line in status.stdout.splitlines()[1:] for word in line.split()}


def test_an_archive_that_is_not_there_ends_the_demo_with_its_name(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    done = run(BIN / "scones", "demo", "--archive", "missing.tar.gz", environment=environment, folder=tmp_path)
    assert done.returncode == 1
    assert "Error: Archive missing.tar.gz: there is no such file." in done.stderr
    assert run(BIN / "scones", "local", "status", environment=environment, folder=tmp_path).returncode == 1

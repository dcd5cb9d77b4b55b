"""The `localcloud` command: its folder, its exit codes, and the same commands under `scones local`."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest
from commands import BIN, clean_environment, run

import localcloud
from localcloud import corrections, up
from localcloud.state import state_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, in which it works."""
    monkeypatch.delenv("LOCALCLOUD_STATE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_state_folder_is_made_here(here: Path) -> None:
    assert state_folder() == here / ".localcloud"


def test_the_nearest_state_folder_above_is_used(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".localcloud").mkdir()
    (here / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(here / "a" / "b")
    assert state_folder() == here / ".localcloud"
    assert state_folder(beside=here / "a") == here / ".localcloud"


def test_the_variable_comes_before_the_folder_and_the_option_before_both(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / ".localcloud").mkdir()
    monkeypatch.setenv("LOCALCLOUD_STATE", "of-the-variable")
    assert state_folder() == here / "of-the-variable"
    assert state_folder(Path("named")) == here / "named"


@pytest.mark.parametrize(
    "command", [[BIN / "scones", "local"], [sys.executable, "-m", "localcloud"]], ids=["scones", "localcloud"]
)
def test_both_commands_find_one_folder_and_say_how_to_go_on(here: Path, command: list[str | Path]) -> None:
    (here / ".localcloud").mkdir()
    inner = here / "inner"
    inner.mkdir()
    (inner / "scones.toml").touch()
    status = run(*command, "status", "--json", environment=clean_environment(here), folder=inner)
    assert (status.returncode, [part["status"] for part in json.loads(status.stdout)]) == (1, ["down", "down", "down"])
    name = "scones local" if len(command) == 2 and command[1] == "local" else "localcloud"
    assert status.stderr == f"To start what is missing on {here / '.localcloud'}: {name} up\n"
    env = run(*command, "env", environment=clean_environment(here), folder=inner)
    assert (env.returncode, env.stdout) == (1, "")
    assert env.stderr == f"Error: The local cloud on {here / '.localcloud'} is not up. Start it: localcloud up.\n"


def test_a_command_that_is_not_there_is_a_usage_error(here: Path) -> None:
    done = run(sys.executable, "-m", "localcloud", "upp", environment=clean_environment(here), folder=here)
    assert (done.returncode, "No such command 'upp'" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("command", "region"),
    [([sys.executable, "-m", "localcloud"], "eu-north-1"), ([BIN / "scones", "local"], "eu-west-1")],
    ids=["localcloud", "scones"],
)
def test_the_region_is_the_shells_and_for_scones_the_projects(
    here: Path, command: list[str | Path], region: str
) -> None:
    (here / "scones.toml").write_text('region = "eu-west-1"\n')
    environment = {**clean_environment(here), "AWS_REGION": "eu-north-1"}
    try:
        free = ("--port", "0", "--sagemaker-port", "0", "--quiet")
        started = run(*command, "up", *free, environment=environment, folder=here)
        assert (started.returncode, started.stderr) == (0, "")
        env = run(*command, "env", "--json", environment=environment, folder=here)
        assert json.loads(env.stdout)["AWS_REGION"] == region
    finally:
        up.stop(here / ".localcloud")


def test_the_corrections_are_listed_with_their_evidence(here: Path) -> None:
    done = run(BIN / "localcloud", "corrections", "--json", environment=clean_environment(here), folder=here)
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert {one["name"] for one in found} == set(corrections.MODULES)
    assert all(one["behaviour"] and one["evidence"] for one in found)


def test_the_distribution_holds_every_package_of_the_folder() -> None:
    root = Path(localcloud.__file__).parent
    folders = {file.parent.relative_to(root.parent) for file in root.rglob("__init__.py")}
    named = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert set(named) == {".".join(folder.parts) for folder in folders}

"""The `scones` command and a local cloud, for tests that use them as a user does.

Rebuilt from its uses, because the first, uncommitted version of this file was overwritten by mistake: whoever wrote
that one should put it back.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud import up
from localcloud.environment import Addresses

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def clean_environment(folder: Path) -> dict[str, str]:
    """An environment in which nothing points to AWS, to another local cloud, or to the user's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SCONES_", "SAGEMAKER_")) and not name.lower().endswith("_proxy")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "HOME": str(folder)}


@pytest.fixture
def scones(tmp_path: Path) -> Command:
    """Run `scones …` in the test's folder."""

    def run(
        *arguments: object, environment: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["scones", *map(str, arguments)],
            executable=str(Path(sys.executable).with_name("scones")),
            cwd=tmp_path,
            env=clean_environment(tmp_path) | dict(environment or {}),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of a local cloud that the test may start; whatever runs on it is stopped afterwards."""
    folder = tmp_path / "state"
    yield folder
    up.stop(folder)


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud, and the variables that point clients at it."""

    addresses: Addresses
    variables: dict[str, str]


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One local cloud for all tests of the session."""
    folder = tmp_path_factory.mktemp("cloud") / "state"
    running = up.start(folder, port=0, sagemaker_port=0)
    yield LocalCloud(running.addresses, up.environment(running))
    up.stop(folder)


@pytest.fixture
def on_local_cloud(local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """The local cloud, with this process's own AWS clients pointed at it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in local_cloud.variables.items():
        monkeypatch.setenv(name, value)
    return local_cloud


@pytest.fixture(scope="session")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> LocalCloud:
    """The local cloud with the project's stack deployed on it."""
    folder = tmp_path_factory.mktemp("deploy")
    subprocess.run(
        [str(Path(sys.executable).with_name("scones")), "infra", "deploy"],
        cwd=folder,
        env=clean_environment(folder) | local_cloud.variables,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return local_cloud

"""The commands of buildspec.yml against a local cloud.

What the commands call is recorded and judged by the build's role. What CloudFormation calls in its name is not seen
here: tests/infra/test_ci_template.py judges that by the types of the resources.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import recorded_calls
import yaml
from cloud_fixtures import LocalCloud, client_of_iam
from commands import BIN, run

ROOT = Path(__file__).parents[2]
SPEC: dict[str, Any] = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))
PROJECT = "built-by-ci"
SELECTED = "tests/project/test_waiting.py"  # instead of all tests, which this one is among


def script(*phases: str) -> str:
    """The commands of these phases, in order, in one shell: version 0.2 keeps one for a build."""
    return "\n".join(command for name in phases for command in SPEC["phases"].get(name, {}).get("commands", []))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build checks out, small enough for this: the settings of a project of its own, and the tests selected."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "buildspec.yml"):
        shutil.copy(ROOT / name, folder)
    settings = (ROOT / "scones.toml").read_text(encoding="utf-8").replace('"scones-unlimited"', f'"{PROJECT}"')
    (folder / "scones.toml").write_text(settings, encoding="utf-8")
    (folder / SELECTED).parent.mkdir(parents=True)
    shutil.copy(ROOT / SELECTED, folder / SELECTED)
    (folder / ".venv").symlink_to(sys.prefix)  # as the install phase would have made it
    return folder


def test_its_commands_deploy_everything_within_the_builds_role_and_a_second_push_changes_nothing(
    local_cloud: LocalCloud, checkout: Path
) -> None:
    record = checkout / "calls.jsonl"
    environment = {**local_cloud.environment, **SPEC["env"]["variables"], "PYTEST_ADDOPTS": SELECTED}
    environment |= recorded_calls.environment(record)

    def push(*phases: str) -> str:
        shell = ("bash", "-euo", "pipefail", "-c", script(*phases))
        done = run(*shell, environment=environment, folder=checkout, patience=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def versions() -> int:
        listing = ("sagemaker", "list-pipeline-versions", "--pipeline-name", PROJECT, "--output", "json")
        done = run(BIN / "aws", *listing, environment=local_cloud.environment, folder=checkout)
        return len(json.loads(done.stdout)["PipelineVersionSummaries"])

    push("pre_build", "build", "post_build")
    assert (checkout / "reports" / "tests.xml").is_file()
    after_first = versions()
    second = push("build", "post_build")  # its checks and tests would say the same
    assert versions() == after_first
    assert "nothing changed" in second

    calls, iam = recorded_calls.read(record, commands_of=PROJECT), client_of_iam(local_cloud.addresses)
    assert recorded_calls.refused(iam, calls) == []
    actions = {request.action for call in calls for request in call.requests}
    assert {"cloudformation:ExecuteChangeSet", "sagemaker:CreatePipeline", "iam:PassRole", "s3:PutObject"} <= actions
    for action in actions:
        making_it = {call for call in calls if action in {request.action for request in call.requests}}
        assert recorded_calls.refused(iam, making_it, lacking=action), action

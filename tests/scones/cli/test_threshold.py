"""`scones threshold`: what it shows, what it writes with who and why, and how a change is taken back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from cloud_fixtures import LocalCloud
from dashboard_support import Project, Sit, made, resources

from project.errors import CloudError, UsageError
from scones.cli.main import scones
from stepfunctions import threshold


@pytest.fixture(scope="session")
def tuned(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the threshold that its resources came with."""
    project = made(local_cloud, "threshold-command", tmp_path_factory.mktemp("threshold"))
    resources(project)
    return project


@pytest.fixture(autouse=True)
def there(tuned: Project, at_desk: Sit) -> None:
    at_desk(tuned)


def command(*words: str) -> Result:
    return CliRunner().invoke(scones, ["threshold", *words])


def test_a_change_is_kept_with_who_when_and_why_whoever_makes_it(tuned: Project) -> None:
    before = threshold.history(tuned.threshold)[0]
    changed = command("0.9", "--why", "too many held back: see Monday", "--who", "Ann")
    assert (changed.stdout, changed.stderr) == ("0.9\n", f"The threshold was {before.value:g}.\n")
    threshold.change(tuned.threshold, 0.85, before.version + 1, "Ben", "on the dashboard")
    told = json.loads(command("--history", "--json").stdout)
    assert [(one["value"], one["who"], one["why"]) for one in told[:2]] == [
        (0.85, "Ben", "on the dashboard"),
        (0.9, "Ann", "too many held back: see Monday"),
    ]
    lines = command("--history").stdout.splitlines()
    assert lines[0].split() == ["VERSION", "THRESHOLD", "UTC", "WHO", "WHY"]
    assert lines[1].split()[-4:] == ["Ben", "on", "the", "dashboard"]
    assert command("--roll-back", str(before.version), "--who", "Ann").stdout == f"{before.value:g}\n"
    assert threshold.current(tuned.threshold).why == f"back to version {before.version}"


def test_rolling_back_goes_to_the_value_before(tuned: Project) -> None:
    present = command().stdout
    command("0.7", "--why", "a test")
    assert command().stdout == "0.7\n"
    assert command("--roll-back").stdout == present
    assert isinstance(command("--roll-back", "99").exception, UsageError)


def test_a_change_without_a_reason_says_so_and_one_to_the_same_value_is_none(tuned: Project) -> None:
    command("0.45")
    assert threshold.current(tuned.threshold).why == "no reason given"
    versions = len(threshold.history(tuned.threshold))
    same = command(command().stdout.strip(), "--why", "to be sure")
    assert "already" in same.stderr
    assert isinstance(command("0.5", "--why", "x", "--history").exception, UsageError)
    assert len(threshold.history(tuned.threshold)) == versions


def test_a_parameter_that_is_no_number_or_missing_is_a_sentence_with_the_fix(tuned: Project) -> None:
    name = f"{tuned.threshold}-of-nobody"
    with pytest.raises(CloudError, match="scones infra deploy"):
        threshold.current(name)
    tuned.clients["ssm"].put_parameter(Name=name, Value="high", Type="String")
    with pytest.raises(Exception, match=r"holds no number.* scones threshold 0\.93"):
        threshold.current(name)


def test_the_unfamiliarity_limit_is_shown_set_and_taken_back_in_the_same_way(tuned: Project) -> None:
    def limit(*words: str) -> Result:
        return CliRunner().invoke(scones, ["unfamiliarity", *words])

    threshold_before = command().stdout
    assert limit().stdout == "0.95\n"
    changed = limit("0.9", "--why", "cats", "--who", "Ann")
    assert (changed.stdout, changed.stderr) == ("0.9\n", "The unfamiliarity limit was 0.95.\n")
    parameter = tuned.clients["ssm"].get_parameter(Name=f"/{tuned.name}/inference/unfamiliarity")["Parameter"]
    assert parameter["Value"] == "0.9" and command().stdout == threshold_before
    assert limit("--history").stdout.split()[:3] == ["VERSION", "UNFAMILIARITY", "UTC"]
    assert limit("1.5").exit_code == 2
    assert limit("--roll-back").stdout == "0.95\n"
    with pytest.raises(CloudError, match="unfamiliarity limit was not changed: "):
        threshold.change(parameter["Name"], 0.5, 1, "Ben", "late", threshold.UNFAMILIARITY)


def test_the_command_loads_nothing_heavy() -> None:
    code = (
        "import sys, scones.cli.threshold\n"
        "heavy = {'streamlit', 'pandas', 'numpy', 'plotly', 'sagemaker'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_threshold_that_is_no_number_is_not_shown_as_one(tuned: Project) -> None:
    ssm = tuned.clients["ssm"]
    before = ssm.get_parameter(Name=tuned.threshold)["Parameter"]["Value"]
    write = {"Name": tuned.threshold, "Type": "String", "Overwrite": True}
    ssm.put_parameter(**write, Value="high", AllowedPattern=".*")
    try:
        assert "holds no number" in str(command().exception)
        assert command("0.5").stdout == "0.5\n", "setting it mends it"
    finally:
        ssm.put_parameter(**write, Value=before)

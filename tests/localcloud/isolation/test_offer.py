"""What LOCALCLOUD_ISOLATION may say, and what a cloud that is up makes of it."""

from __future__ import annotations

import sys

import pytest
from cloud_fixtures import LocalCloud
from commands import clean_environment, run
from view_support import needs_views

from localcloud.errors import SettingError
from localcloud.isolation.offer import VARIABLE, told


@pytest.mark.parametrize(
    ("says", "reason"), [("none", f"{VARIABLE}=none"), ("none: a kernel, it refused", "a kernel, it refused")]
)
def test_none_turns_views_off_and_says_why(monkeypatch: pytest.MonkeyPatch, says: str, reason: str) -> None:
    monkeypatch.setenv(VARIABLE, says)
    found = told()
    assert found is not None
    assert (found.private, found.reason) == (False, reason)


def test_what_a_part_is_told_is_what_up_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for says in ("namespaces", "none: sysctl: no"):
        monkeypatch.setenv(VARIABLE, says)
        found = told()
        assert found is not None
        assert found.variable == says
    monkeypatch.setenv(VARIABLE, "")
    assert told() is None


@pytest.mark.parametrize("says", ["nonsense", "None", "0", ": none"])
def test_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    monkeypatch.setenv(VARIABLE, says)
    with pytest.raises(SettingError, match=f"{VARIABLE} is {says!r}"):
        told()


@needs_views
def test_a_cloud_with_views_that_is_up_stays_as_it_is(local_cloud: LocalCloud) -> None:
    for says, code, problem in (
        ("none", 1, f"{VARIABLE}=none: it is up with private views already. Stop it first: localcloud down."),
        ("nothing", 2, f"{VARIABLE} is 'nothing'. Set it to none, which turns isolation off, or unset it."),
    ):
        command = (sys.executable, "-m", "localcloud", "up", "--state", local_cloud.state)
        variables = {**clean_environment(local_cloud.state), VARIABLE: says}
        done = run(*command, environment=variables, folder=local_cloud.state)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("Error: ")
        assert done.stderr.endswith(f"{problem}\n")

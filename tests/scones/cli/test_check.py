from __future__ import annotations

import pytest
from click.testing import CliRunner

from scones.cli.main import scones
from stepfunctions import machines


def test_a_broken_state_machine_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    intact = machines.load

    def broken(name: str) -> machines.Definition:
        definition = intact(name)
        if name == "inference":
            definition["StartAt"] = "Nowhere"
        return definition

    monkeypatch.setattr(machines, "load", broken)
    result = CliRunner().invoke(scones, ["check"])
    assert result.exit_code == 1
    assert "state machine inference, " in result.stdout
    assert "Nowhere" in result.stdout


def test_a_placeholder_that_the_template_does_not_fill_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from infra import template

    monkeypatch.setattr(template, "placeholders", lambda: {"inference": set(), "batch": set(), "deploy": set()})
    result = CliRunner().invoke(scones, ["check"])
    assert result.exit_code == 1
    assert "AlertsTopicArn" in result.stdout

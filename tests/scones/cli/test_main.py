from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pipelines.runs import executions
from project import console
from project.errors import QualityGateError, SconesError, UsageError
from scones.cli.main import VERBS, main, scones


def test_help_lists_every_verb_without_importing_one() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom scones.cli.main import scones\n"
        "print(CliRunner().invoke(scones, ['--help']).output)\n"
        "heavy = {'boto3', 'numpy', 'pandas', 'pydantic', 'sagemaker', 'torch', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(scones, [verb, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_a_mistyped_verb_gets_a_suggestion_and_exit_code_2() -> None:
    result = CliRunner().invoke(scones, ["stat"])
    assert result.exit_code == 2
    assert "Did you mean `start`?" in result.output or "Did you mean `status`?" in result.output


def test_exit_codes_tell_failures_apart() -> None:
    assert (SconesError("x").exit_code, UsageError("x").exit_code, QualityGateError("x").exit_code) == (1, 2, 3)


def test_an_error_reads_as_problem_then_fix() -> None:
    assert str(SconesError("The box is empty.", "Fill it.")) == "The box is empty. Fill it."


def test_the_package_runs_as_a_module_with_the_commands_exit_codes() -> None:
    found = {}
    for words in (["--version"], ["stat"]):
        run = [sys.executable, "-m", "scones", *words]
        found[words[0]] = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (found["--version"].returncode, found["stat"].returncode) == (0, 2)
    assert found["--version"].stdout.startswith("scones, version ")


def test_a_person_who_interrupts_gets_130_and_a_program_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(executions, "resolve", interrupted)
    monkeypatch.setattr(console, "_emitted", [])
    for words in (["status"], ["status", "--json"]):
        monkeypatch.setattr(sys, "argv", ["scones", *words])
        with pytest.raises(SystemExit, match="130"):
            main()
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == {"message": "Stopped.", "fix": "", "exit_code": 130}
    assert err.split() == ["Stopped.", "Stopped."]

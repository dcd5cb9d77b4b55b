"""The verbs that need no account, and the console scripts of AWS's template."""

from __future__ import annotations

import json
import logging
import os
import warnings
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from golden import GOLDEN

from pipelines.definition import sdk
from pipelines.template_scripts import definition_command
from project.errors import SconesError, UsageError
from project.names import Names
from project.settings import Settings
from scones.cli.main import scones

DEFINITION = GOLDEN / "definition-builtin.json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scones, [str(argument) for argument in arguments])


def test_the_projects_own_pipeline_has_no_problem() -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, ""), result.exception
    assert "no problem" in result.stderr


def test_problems_in_a_file_are_printed_and_counted(tmp_path: Path) -> None:
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    definition["Steps"][2]["Arguments"]["HyperParameters"]["epochs"] = 30
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(definition), encoding="utf-8")
    result = run("check", "--definition", file)
    assert isinstance(result.exception, SconesError) and result.exception.exit_code == 1
    assert "step Train: hyperparameter epochs is 30, not a string. Write literals as strings" in result.stdout
    listed = json.loads(run("check", "--definition", file, "--json").stdout)
    assert {"where", "problem", "fix", "severity"} == set(listed[0])


@pytest.mark.parametrize("text", [None, "{", "[]", '{"Steps": 3}', '{"Steps": ["Train"]}'])
def test_a_file_that_is_no_definition_is_wrong_usage(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "definition.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    error = run("check", "--definition", file).exception
    assert isinstance(error, UsageError) and str(file) in str(error)


def test_the_graph_is_shown_as_text_as_mermaid_and_as_json() -> None:
    assert run("show").stdout.startswith("Pipeline scones-unlimited: 15 steps\n")
    assert run("show", "--mermaid").stdout.startswith("flowchart TD\n")
    assert [step["name"] for step in json.loads(run("show", "--json").stdout)["steps"]][-1] == "RemoveStaging"
    assert isinstance(run("show", "--json", "--mermaid").exception, UsageError)


def definition_script(*arguments: str) -> Result:
    return CliRunner().invoke(definition_command, arguments)


def test_the_template_script_writes_the_definition_for_an_account(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    kwargs = json.dumps({"account": "123456789012", "epochs": 5})
    result = definition_script("--module-name", "pipelines.pipeline", "-kwargs", kwargs, "-f", str(file))
    assert result.exit_code == 0, result.exception
    definition = json.loads(file.read_text(encoding="utf-8"))
    assert definition["Parameters"][0]["DefaultValue"].startswith("s3://scones-unlimited-123456789012-us-east-1/")
    assert [p["DefaultValue"] for p in definition["Parameters"] if p["Name"] == "Epochs"] == [5]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-n", "pipelines.pipeline", "--kwargs", '{"a": '), "--kwargs is not JSON"),
        (("-n", "pipelines.pipeline", "--kwargs", "[1]"), "not an object"),
        (("-n", "pipelines.pipeline", "--kwargs", '{"epoch": 3}'), "Did you mean `epochs`?"),
        (("-n", "pipelines.pipeline", "--kwargs", '{"region": "eu-west-1"}'), "Change `region` in scones.toml"),
        (("-n", "pipelines.nowhere"), "cannot be imported"),
        (("-n", "project.names"), "has no get_pipeline"),
    ],
)
def test_a_template_script_says_what_is_wrong_with_its_arguments(arguments: tuple[str, ...], words: str) -> None:
    error = definition_script(*arguments).exception
    assert isinstance(error, UsageError) and words in str(error)


def test_any_module_with_get_pipeline_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "class P:\n    def definition(self): return '{}'\ndef get_pipeline(region): return P()\n"
    (tmp_path / "somebodys_pipeline.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert definition_script("-n", "somebodys_pipeline", "--kwargs", "{'region': 'eu-west-1'}").stdout == "{}\n"
    error = definition_script("-n", "somebodys_pipeline").exception
    assert isinstance(error, UsageError) and "missing a required argument: 'region'" in str(error)


def test_the_sdk_leaves_environment_log_and_warnings_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-configured-anywhere")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    before: tuple[Any, ...] = (dict(os.environ), logging.getLogger().handlers[:], logging.getLogger().manager.disable)
    with sdk.tamed("eu-west-1"):
        assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1" and "AWS_PROFILE" not in os.environ
        assert boto3.client("sts").meta.region_name == "eu-west-1"
        warnings.warn("not heard", stacklevel=1)
    assert before == (dict(os.environ), logging.getLogger().handlers, logging.getLogger().manager.disable)
    assert boto3.DEFAULT_SESSION is None, "it would keep the credentials that were set inside"


def test_a_rendering_that_calls_aws_is_stopped() -> None:
    with sdk.tamed("us-east-1"):
        session = sdk.offline_session(Names(Settings()))
        with pytest.raises(AssertionError, match="ListBuckets"):
            session.boto_session.client("s3").list_buckets()

"""NaN and infinity are on neither side of a bound, so that they would open a gate: nobody may give one."""

from __future__ import annotations

import http.client
import json
import math
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import click
import pytest
from click.testing import CliRunner
from cloud_fixtures import LocalCloud
from pydantic import BaseModel

from localcloud.contract import strict_json
from localcloud.sagemaker.engine import definition
from monitoring.analysis import constraints
from monitoring.analysis.analyze import read_json
from pipelines.definition import rendering
from pipelines.runs import given_parameters
from pipelines.tuning import ranges
from project import console, settings
from project.errors import DataError, UsageError
from scones.cli import main
from scones.cli.options import FiniteRange
from scones.cli.threshold import _tell
from stepfunctions import threshold
from steps import evaluate
from steps.train import hyperparameters

NOT_FINITE = ["nan", "NaN", "inf", "-inf", "Infinity", "1e999"]


def commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below `group`, with the words that call it."""
    if not isinstance(group, click.Group):
        yield words, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, (*words, name))


def fractional() -> list[tuple[tuple[str, ...], click.Parameter]]:
    """Every parameter of a command that turns text into a float."""
    return [
        (words, parameter)
        for words, command in commands(main.scones)
        for parameter in command.params
        if isinstance(parameter.type, click.types.FloatParamType)
    ]


def test_every_number_of_a_command_is_of_the_one_type_for_it() -> None:
    found = fractional()
    verbs = {"start", "invoke", "test-cases", "batch", "threshold", "unfamiliarity", "monitor"}
    assert {words[0] for words, _ in found} == verbs
    assert [(words, one.name) for words, one in found if not isinstance(one.type, FiniteRange)] == []


@pytest.mark.parametrize("text", NOT_FINITE)
@pytest.mark.parametrize(("words", "parameter"), fractional(), ids=lambda value: getattr(value, "name", None))
def test_a_command_refuses_what_is_not_finite(words: tuple[str, ...], parameter: click.Parameter, text: str) -> None:
    given = [f"{parameter.opts[0]}={text}"] if isinstance(parameter, click.Option) else ["--", text]
    named = [] if words[0] in {"start", "test-cases", "threshold", "unfamiliarity", "monitor"} else ["picture.png"]
    result = CliRunner().invoke(main.scones, [*words, *named, *given])
    assert result.exit_code == 2, result.output
    assert "Invalid value" in result.stderr.splitlines()[-1]


def test_a_range_without_an_end_has_no_infinity() -> None:
    with pytest.raises(click.BadParameter, match="not a finite number"):
        FiniteRange(0).convert("inf", None, None)


def fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of every setting that may be a float; that of a list leads into its first item."""
    for name, field in model.model_fields.items():
        for kind in kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from fields(kind, (*path, name))
            elif kind is float:
                yield (*path, name)


def kinds(annotation: Any) -> Iterator[Any]:
    """The plain types in `int | None`, `Annotated[...]`, `tuple[...]`, `dict[...]`."""
    if get_origin(annotation) in {Annotated, Union, types.UnionType, tuple, dict}:
        for inner in get_args(annotation):
            yield from kinds(inner)
    else:
        yield annotation


def document(path: tuple[str, ...], value: float) -> dict[str, Any]:
    head, *rest = path
    if head == "gates":
        return {"gates": [{"metric": "auc", rest[0]: value}]}
    if head == "pytorch":
        return {"pytorch": {"learning_rate": value}}
    return {head: document(tuple(rest), value) if rest else value}


def test_the_walk_over_the_settings_finds_them() -> None:
    found = {".".join(path) for path in fields(settings.Settings)}
    assert {"accuracy_threshold", "gates.at_least", "gates.at_most", "builtin.momentum", "pytorch"} <= found
    settings.parse(document(("gates", "at_least"), 0.5), "scones.toml")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("path", [*fields(settings.Settings)], ids=".".join)
def test_a_setting_refuses_what_is_not_finite(path: tuple[str, ...], value: float) -> None:
    with pytest.raises(UsageError, match=path[0]):
        settings.parse(document(path, value), "scones.toml")


@pytest.mark.parametrize("text", NOT_FINITE)
def test_a_pipeline_parameter_refuses_what_is_not_finite(text: str) -> None:
    declared = [{"Name": "MinimumFromLive", "Type": "Float", "DefaultValue": 0.0}]
    with pytest.raises(UsageError, match="not a finite number"):
        given_parameters.check_parameters(declared, {"MinimumFromLive": text})


@pytest.mark.parametrize("text", NOT_FINITE)
def test_a_search_refuses_what_is_not_finite(text: str) -> None:
    with pytest.raises(UsageError, match="is not of type float"):
        ranges.parameter_ranges("builtin", [f"learning_rate=0.1:{text}"])


@pytest.mark.parametrize("text", NOT_FINITE)
def test_jobs_refuse_what_is_not_finite(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="learning_rate"):
        hyperparameters.parse({"learning_rate": text})
    with pytest.raises(SystemExit, match="2"):
        evaluate.main([f"--confidence-threshold={text}"])
    assert "argument --confidence-threshold" in capsys.readouterr().err


@pytest.mark.parametrize("text", [*NOT_FINITE[:5], "[1, -1e400]"])
def test_what_is_no_json_is_refused_where_the_service_reads_json(text: str) -> None:
    with pytest.raises(ValueError):  # the parser's words differ
        strict_json.loads(text)
    with pytest.raises(definition.DefinitionError, match="not JSON"):
        definition.read(f'{{"Version": "2020-12-01", "Steps": {text}}}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_request_with_nan_is_no_json(local_cloud: LocalCloud, number: str) -> None:
    # By hand, since botocore writes NaN as a string.
    connection = http.client.HTTPConnection("127.0.0.1", local_cloud.addresses.sagemaker_port)
    connection.request("POST", "/", f'{{"MaxResults": {number}}}', {"X-Amz-Target": "SageMaker.ListModels"})
    with connection.getresponse() as answer:
        refusal = json.loads(answer.read())
    connection.close()
    assert (answer.status, refusal["__type"]) == (400, "SerializationException")
    assert "is not JSON" in refusal["message"] and number in refusal["message"]


@pytest.mark.parametrize("threshold", ["NaN", "Infinity", '"nan"', "1e999"])
def test_the_monitor_refuses_a_threshold_that_nothing_crosses(tmp_path: Path, threshold: str) -> None:
    file = tmp_path / "constraints.json"
    file.write_text(
        '{"features": [{"name": "margin", "inferred_type": "Fractional"}], "monitoring_config": '
        f'{{"distribution_constraints": {{"comparison_threshold": {threshold}}}}}}}',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=r"constraints\.json"):
        constraints.parse(read_json(file), str(file))


def test_what_is_written_for_others_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    for write in (console.emit_json, rendering.to_json):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write({"accuracy": math.nan})
    assert capsys.readouterr().out == ""


def test_a_threshold_that_is_no_number_is_null_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = {"Version": 1, "Value": "inf", "LastModifiedDate": datetime(2026, 11, 20, tzinfo=UTC)}
    _tell([threshold._change(written)], threshold.THRESHOLD, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["value"] is None

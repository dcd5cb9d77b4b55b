"""`run-pipeline` and `get-pipeline-definition`: the two scripts of AWS's MLOps project template, with its options.

They take any module whose `get_pipeline(**kwargs)` returns a pipeline of the SageMaker SDK, and ours:
`pipelines.pipeline`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipelines.runs.executions import start
from pipelines.runs.follow import follow, raise_unless_succeeded
from project import json_text
from project.console import emit, say
from project.errors import SconesError, UsageError
from project.files import write_text

module_option = click.option("-n", "--module-name", required=True, help="The module that has get_pipeline.")
kwargs_option = click.option("-kwargs", "--kwargs", default="{}", help="Arguments of get_pipeline, as a JSON object.")


@click.command()
@module_option
@kwargs_option
@click.option("-f", "--file-name", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
def definition_command(module_name: str, kwargs: str, file_name: Path | None) -> None:
    """Print a pipeline's definition as JSON."""
    text = pipeline_of(module_name, kwargs).definition()
    if file_name:
        write_text(file_name, text)
    else:
        emit(text)


@click.command()
@module_option
@kwargs_option
@click.option("-role-arn", "--role-arn", required=True, help="The role that the pipeline runs as.")
@click.option("-description", "--description", help="The pipeline's description.")
@click.option("-tags", "--tags", default="[]", help='A JSON list such as [{"Key": "team", "Value": "routing"}].')
def run_command(module_name: str, kwargs: str, role_arn: str, description: str | None, tags: str) -> None:
    """Create or update a pipeline, start it, and wait for its end."""
    tag_list = _structure(tags, list, "--tags")
    pipeline = pipeline_of(module_name, kwargs)
    answer = pipeline.upsert(role_arn=role_arn, description=description, tags=tag_list)
    emit(f"Pipeline {answer['PipelineArn']}")
    arn = start(pipeline.name, {}, None, None)
    emit(f"Execution {arn}")
    raise_unless_succeeded(*follow(arn, emit))


def pipeline_of(module_name: str, kwargs: str) -> Any:
    """What `get_pipeline(**kwargs)` of the module returns; the current folder is searched as well.

    Raises:
        UsageError: `kwargs` is no object, the module cannot be imported or has no get_pipeline, or that does not take
            these arguments.
    """
    arguments = _structure(kwargs, dict, "--kwargs")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(
            f"--module-name {module_name}: it cannot be imported: {error}.",
            "Write it with dots, from the folder that holds it: --module-name pipelines.pipeline.",
        ) from None
    function = getattr(module, "get_pipeline", None)
    if function is None:
        raise UsageError(f"--module-name {module_name}: it has no get_pipeline.", "Ours is pipelines.pipeline.")
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise UsageError(f"--kwargs do not fit get_pipeline of {module_name}: {error}.") from None
    return function(**arguments)


def _structure(text: str, kind: type, option: str) -> Any:
    """JSON, or a Python literal: the template's own buildspecs have used both."""
    try:
        value = json_text.parsed(text)
    except ValueError as error:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise UsageError(f"{option} is not JSON: {error}: {text!r}.", "Quote it for the shell: '…'.") from None
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        raise UsageError(f"{option} is {text!r}, not {wanted}.")
    return value


def _main(command: Callable[[], Any]) -> None:
    try:
        command()
    except SconesError as error:
        say(f"Error: {error}")
        sys.exit(error.exit_code)


def run_pipeline() -> None:
    """The console script `run-pipeline`."""
    _main(run_command)


def get_pipeline_definition() -> None:
    """The console script `get-pipeline-definition`."""
    _main(definition_command)

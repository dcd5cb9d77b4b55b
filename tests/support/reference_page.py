"""docs/reference.md, written from the settings' model and from the commands themselves."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from project.settings import Settings
from scones.cli.main import SECTIONS, scones
from steps.train import hyperparameters

START = """\
# Reference

Every setting and every verb, written from the code. After a change:
`SCONES_RENEW_GOLDEN=1 .venv/bin/pytest tests/project/test_reference_page.py` writes it again.

- [Settings: `scones.toml`](#settings-sconestoml)
- [What all verbs have in common](#what-all-verbs-have-in-common)
- [Verbs](#verbs)

## Settings: `scones.toml`

The nearest `scones.toml` in the working folder or above it counts, or the file that `SCONES_SETTINGS` names. Every key
may be left out. A key that is not here is an error, and so is a value outside of its range.
"""
COMMON = """
## What all verbs have in common

**Output.** Data go to stdout, messages and progress to stderr. On a terminal there is colour, unless `NO_COLOR` is set,
and one live line while something takes long; elsewhere there are plain lines.

**`--json`.** Stdout is one JSON document. If the verb failed before it had one, the document is
`{"error": {"message": "what happened", "fix": "what to do next", "exit_code": 2}}`, for wrong usage as well; `fix` may
be empty. A verb that failed after it had printed what it found (a picture that was not routed, a failed execution)
adds nothing to that: its exit code and stderr tell.

**Exit codes.**

| code | means |
|---|---|
| 0 | it worked |
| 1 | something failed: AWS refused or did not answer, an execution or a job ended badly, a file is damaged |
| 2 | the command, a setting or a name is wrong: nothing was tried |
| 3 | everything worked, and the answer is no: the quality gate, or traffic that is not as it should be |
| 4 | `scones monitor run` alone: nothing can be said about the traffic |
| 130 | interrupted with Ctrl-C; what was started in the cloud goes on |

**Completion.** Tab completes verbs, options, execution ids and display names, steps and versions; the latter are asked
for with a second's patience, and nothing is offered when no cloud answers.

| shell | line | in |
|---|---|---|
| bash 4.4 or newer | `eval "$(_SCONES_COMPLETE=bash_source scones)"` | `~/.bashrc` |
| zsh | `eval "$(_SCONES_COMPLETE=zsh_source scones)"` | `~/.zshrc` |
| fish | `_SCONES_COMPLETE=fish_source scones \\| source` | `~/.config/fish/completions/scones.fish` |
"""


def page() -> str:
    """The whole page."""
    return "\n".join([START, *_settings(Settings), COMMON, "## Verbs", *_verbs()]).rstrip() + "\n"


def _settings(model: type[BaseModel], name: str = "", header: str = "") -> Iterator[str]:
    """A table of the model's own keys, then one for each section in it."""
    inner = {key: found for key, field in model.model_fields.items() if (found := _section(field.annotation))}
    if name:
        yield f"### `{header}`\n\n{_paragraphs(model.__doc__)}\n"
    words = _words(model)
    rows = [
        (f"`{key}`", _type(field.annotation), _bounds(field), _default(field), words.get(key, ""))
        for key, field in model.model_fields.items()
        if key not in inner
    ]
    yield _table(("key", "type", "range", "default", "what it is"), rows)
    if not name:
        yield f"### `[pytorch]`\n\n{_paragraphs(hyperparameters.Hyperparameters.__doc__)}\n"
        yield _table(("key", "type", "range", "default"), _hyperparameters())
    for key, found in inner.items():
        listed = get_origin(model.model_fields[key].annotation) is tuple
        yield from _settings(found, key, f"[[{key}]]" if listed else f"[{key}]")


def _words(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each key. Pydantic can read it too, but does so whenever the settings are imported."""
    [body] = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    return {
        key.target.id: " ".join(below.value.value.split())
        for key, below in itertools.pairwise(body.body)
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _hyperparameters() -> Iterator[tuple[str, str, str, str]]:
    for key, default in dataclasses.asdict(hyperparameters.Hyperparameters()).items():
        low, high = hyperparameters.LIMITS[key]
        yield f"`{key}`", _type(type(default)), f"{low:.10g} to {high:.10g}", f"`{default}`"


def _section(annotation: Any) -> type[BaseModel] | None:
    kinds = [annotation, *get_args(annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _type(annotation: Any) -> str:
    """The type as TOML calls it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return "string" if isinstance(arguments[0], str) else "integer"
    if origin in {Union, types.UnionType}:
        kinds = [_type(one) for one in arguments if one is not type(None)]
        return "number" if kinds == ["integer", "float"] else " or ".join(kinds)
    if origin is tuple:
        return f"array of {_type(arguments[0])}s"
    if origin is dict:
        return f"table of {_type(arguments[1])}s"
    return {int: "integer", float: "float", str: "string", bool: "boolean"}[annotation]


def _bounds(field: FieldInfo) -> str:
    found = [*field.metadata, *_metadata(field.annotation)]
    parts = []
    for one in found:
        match one:
            case annotated_types.Ge(ge=value):
                parts.append(f"at least {value:.10g}")  # type: ignore[str-bytes-safe]
            case annotated_types.Gt(gt=value):
                parts.append(f"above {value:.10g}")  # type: ignore[str-bytes-safe]
            case annotated_types.Le(le=value):
                parts.append(f"at most {value:.10g}")  # type: ignore[str-bytes-safe]
            case annotated_types.Lt(lt=value):
                parts.append(f"below {value:.10g}")  # type: ignore[str-bytes-safe]
            case annotated_types.MinLen(min_length=value):
                parts.append(f"at least {value}")
            case annotated_types.MaxLen(max_length=value):
                parts.append(f"at most {value}")
            case _ if pattern := getattr(one, "pattern", None):
                parts.append(f"`{pattern}`")
    choices = _choices(field.annotation)
    return ", ".join([*(f"`{json.dumps(one)}`" for one in choices), *parts])


def _metadata(annotation: Any) -> Iterator[Any]:
    """What is annotated inside of `X | None`; pydantic has taken out what stands around the whole."""
    for one in get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else ():
        if get_origin(one) is Annotated:
            for each in get_args(one)[1:]:
                yield from getattr(each, "metadata", [each])


def _choices(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if field.default is None:
        return "none"
    if isinstance(field.default, dict):
        inside = ", ".join(f"{key} = {json.dumps(value)}" for key, value in field.default.items())
        return f"`{{ {inside} }}`" if inside else "`{}`"
    return f"`{json.dumps(field.default)}`"


def _verbs() -> Iterator[str]:
    root = click.Context(scones, info_name="scones")
    for title, verbs in SECTIONS.items():
        yield f"\n### {title}\n"
        for verb in verbs:
            command = scones.get_command(root, verb)
            assert command is not None
            yield from _command(click.Context(command, info_name=verb, parent=root), command)


def _command(context: click.Context, command: click.Command) -> Iterator[str]:
    yield f"#### `{context.command_path}`\n\n{_paragraphs(command.help)}\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(click.Context(inner, info_name=name, parent=context), inner)
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n"
    rows = [_option(context, one) for one in command.params if isinstance(one, click.Option) and not one.hidden]
    if rows:
        yield _table(("option", "value", "default", "what it does"), rows)


def _option(context: click.Context, option: click.Option) -> tuple[str, str, str, str]:
    names = " ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    default = option.get_default(context, call=False)
    shown = "" if default in (None, False, ()) or callable(default) or "UNSET" in repr(default) else f"`{default}`"
    value = "" if option.is_flag else _value(context, option)
    return names, value, shown, " ".join((option.help or "").split())


def _value(context: click.Context, option: click.Option) -> str:
    match option.type:
        case click.IntRange() | click.FloatRange() as bounds:
            high = "" if bounds.max is None else f" to {bounds.max:g}"
            low = "0" if bounds.min is None else f"{bounds.min:g}"
            return f"{'above ' if bounds.min_open else ''}{low}{high or ' or more'}"
        case click.Choice() as choice:
            return ", ".join(f"`{one}`" for one in choice.choices)
    return f"`{option.make_metavar(context)}`"


def _paragraphs(text: str | None) -> str:
    return inspect.cleandoc(text or "").replace("\b\n", "")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in cells) + " |"

    columns = list(header)
    return "\n".join([line(columns), "|" + "---|" * len(columns), *map(line, rows)]) + "\n"

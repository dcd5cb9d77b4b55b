"""The table of images: which interpreter and which entry points stand in for a repository name.

It has three layers, and a row of a higher one wins member by member: `localcloud.toml` of the user, rows that installed
distributions register in the entry point group `localcloud.images` (the name is the repository, the value a dict in the
form of a row), and the shipped `images.toml`. docs/images.md describes a row.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, get_args

from localcloud.errors import LocalCloudError, SettingError

Use = Literal["train", "serve", "process"]
USES: tuple[Use, ...] = get_args(Use)
FILE = "localcloud.toml"
VARIABLE = "LOCALCLOUD_CONFIG"
GROUP = "localcloud.images"
SHIPPED = Path(__file__).with_name("images.toml")
SCRIPT_MODE = ("python3", "-m", "localcloud.programs.script_mode", "train")
"""What trains without an entry point of its own: AWS's framework containers, and images that are in no table."""
TUNABLE = {"Integer": {"low", "high"}, "Continuous": {"low", "high"}, "Categorical": {"values"}}


@dataclass(frozen=True)
class Tunable:
    """How far a tuning job may change a hyperparameter: numbers from low to high, or any of the values."""

    kind: Literal["Integer", "Continuous", "Categorical"]
    low: float = 0.0
    high: float = 0.0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """What runs in place of an image.

    Attributes:
        repository: the image's, or the pattern of it.
        origin: the file or distribution that has the row; "" for an image that is in no table.
        uses: what the image can be asked to do.
        interpreter: what runs in place of `python3`.
        train, serve, process: the image's own entry point for each use; without one, a job must name its own.
        metrics: names and regular expressions of the metrics that the image defines itself, as built-in algorithms do.
        tunable: the hyperparameters that a tuning job may change; nothing means any, as with a script of one's own.
    """

    repository: str
    origin: str = ""
    uses: frozenset[Use] = frozenset({"train", "process"})
    interpreter: str = sys.executable
    train: tuple[str, ...] = SCRIPT_MODE
    serve: tuple[str, ...] = ()
    process: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    tunable: Mapping[str, Tunable] = field(default_factory=dict)


Members = dict[str, Any]
Rows = dict[str, Members]
"""Checked members of Program, by the row's name."""


def config_file(state: Path) -> Path:
    """The user's table for a state folder: `$LOCALCLOUD_CONFIG`, else `localcloud.toml` beside the folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).absolute() if named else state.resolve().parent / FILE


def require_table(state: Path) -> None:
    """Check every row of the table that a local cloud on `state` will use.

    Raises:
        SettingError: the user's file is wrong, or `$LOCALCLOUD_CONFIG` names none.
        LocalCloudError: an installed distribution registers an image wrongly.
    """
    config = config_file(state)
    if os.environ.get(VARIABLE) and not config.is_file():
        raise SettingError(f"{VARIABLE} names {config}, and there is no such file.")
    programs(config)


def programs(config: Path | None) -> list[Program]:
    """Every row of the table, by name.

    Raises:
        LocalCloudError: a row is wrong.
    """
    rows = _layers(config)
    return [_merged(name, rows) for name in sorted({name for layer in rows for name in layer})]


def find(repository: str, config: Path | None) -> Program | None:
    """The row for a repository, with what it does not say taken from the layers below.

    Raises:
        LocalCloudError: a row of the table is wrong.
    """
    rows = _layers(config)
    return _merged(repository, rows) if any(_best(repository, layer) for layer in rows) else None


def _merged(repository: str, layers: list[Rows]) -> Program:
    members: Members = {}
    for layer in layers:
        members |= _best(repository, layer) or {}
    uses = members.get("uses", {"train", "process"})
    return Program(repository, **{**members, "uses": frozenset(uses | {use for use in USES if use in members})})


def _best(repository: str, layer: Rows) -> Members | None:
    if repository in layer:
        return layer[repository]
    fitting = [name for name in layer if name.endswith("*") and fnmatchcase(repository, name)]
    return layer[max(fitting, key=len)] if fitting else None


def _layers(config: Path | None) -> list[Rows]:
    """Shipped, registered, the user's; the last wins. The user's file is read again when it has changed."""
    try:
        stat = config.stat() if config else None
    except FileNotFoundError:
        stat = None
    own = _file(config, stat.st_mtime_ns, stat.st_size) if config and stat else {}
    return [_file(SHIPPED, 0, 0), registered(), own]


@lru_cache(maxsize=8)
def _file(path: Path, modified: int, size: int) -> Rows:
    where = f"The image table {path}"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{where} cannot be read: {error}.") from None
    _require_known(where, document, {"images"})
    rows = document.get("images", {})
    if not isinstance(rows, dict):
        raise SettingError(f"{where}: images is no table of rows.", 'A row begins with [images."REPOSITORY"].')
    return {name: row(members, f'{where}, [images."{name}"]', path.parent, str(path)) for name, members in rows.items()}


@cache
def registered() -> Rows:
    """The rows that installed distributions register; read once.

    Raises:
        LocalCloudError: an entry is wrong, or two distributions register the same repository.
    """
    return read_registered()


def read_registered() -> Rows:
    """`registered`, read anew."""
    found: Rows = {}
    for entry in entry_points(group=GROUP):
        distribution = entry.dist.name if entry.dist else "a distribution"
        where = f"The image {entry.name!r}, which {distribution} registers"
        fix = f"Correct its entry point in the group {GROUP}, or uninstall it."
        try:
            members = entry.load()
        except (ImportError, AttributeError) as error:
            raise LocalCloudError(f"{where} as {entry.value}, cannot be loaded: {error}.", fix) from None
        if entry.name in found:
            raise LocalCloudError(f"{where}, is registered by another distribution as well.", fix)
        try:
            found[entry.name] = row(members, f"{where} as {entry.value}", Path.cwd(), distribution)
        except SettingError as error:
            raise LocalCloudError(error.problem, fix) from None
    return found


def row(members: Any, where: str, folder: Path, origin: str) -> Members:
    """The members of a row, checked; paths in it are relative to `folder`.

    Raises:
        SettingError: a member is unknown or wrong.
    """
    if not isinstance(members, dict):
        raise SettingError(f"{where} is no table but {type(members).__name__}.")
    _require_known(where, members, {"uses", "interpreter", "metrics", "tunable", *USES})
    checked: Members = {"origin": origin}
    if "uses" in members:
        uses = _words(members["uses"], f"{where}: uses")
        if unknown := sorted(set(uses) - set(USES)):
            raise SettingError(f"{where}: uses has {unknown[0]!r}, and there are only {', '.join(USES)}.")
        checked["uses"] = frozenset(uses)
    if "interpreter" in members:
        checked["interpreter"] = _interpreter(members["interpreter"], f"{where}: interpreter", folder)
    for use in USES:
        if use in members:
            words = _words(members[use], f"{where}: {use}")
            checked[use] = tuple(str(folder / word) if word.startswith(("./", "../")) else word for word in words)
    if "metrics" in members:
        checked["metrics"] = _metrics(members["metrics"], f"{where}: metrics")
    if "tunable" in members:
        ranges = _table(members["tunable"], f"{where}: tunable")
        checked["tunable"] = {name: _tunable(one, f"{where}: tunable {name}") for name, one in ranges.items()}
    return checked


def _require_known(where: str, members: Mapping[str, Any], known: set[str]) -> None:
    for name in members:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(sorted(known))}."
            raise SettingError(f"{where} has the unknown member {name!r}.", hint)


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingError(f"{where} is no table but {value!r}.")
    return value


def _words(value: Any, where: str) -> list[str]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) and word for word in value):
        raise SettingError(f"{where} is {value!r}, and must be a list of words.")
    return list(value)


def _interpreter(value: Any, where: str, folder: Path) -> str:
    """The Python of a virtual environment's folder, or the file itself. A link stays one: it names the environment."""
    if not isinstance(value, str) or not value:
        raise SettingError(f"{where} is {value!r}, and must be a path.")
    path = Path(os.path.normpath(folder / os.path.expanduser(value)))  # noqa: PTH111 - pathlib raises for no such user
    python = path / "bin" / "python" if path.is_dir() else path
    if python.is_file() and os.access(python, os.X_OK):
        return str(python)
    environment = path.parent.parent if path.parent.name == "bin" else path
    fix = "Name a virtual environment's folder or a Python."
    if not path.is_file():
        fix = f"Make the environment: python3 -m venv {shlex.quote(str(environment))}"
    raise SettingError(f"{where} is {value!r}, and there is no Python at {python}.", fix)


def _metrics(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    for name, expression in _table(value, where).items():
        try:
            groups = re.compile(expression).groups
        except (re.error, TypeError) as error:
            raise SettingError(f"{where} {name!r} is no regular expression: {error}.") from None
        if not groups:
            raise SettingError(f"{where} {name!r} has no group that captures the value.")
    return tuple(value.items())


def _tunable(value: Any, where: str) -> Tunable:
    members = _table(value, where)
    kind = members.get("kind")
    if kind not in list(TUNABLE):  # it may be anything, also what has no hash
        raise SettingError(f"{where} has the kind {kind!r}, and there are only {', '.join(TUNABLE)}.")
    if set(members) != TUNABLE[kind] | {"kind"}:
        raise SettingError(f"{where} must have {', '.join(sorted(TUNABLE[kind]))} beside its kind, {kind}.")
    if kind == "Categorical":
        return Tunable(kind, values=tuple(_words(members["values"], f"{where}: values")))
    low, high = members["low"], members["high"]
    if all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
        with suppress(OverflowError):  # TOML's integers may have any number of digits
            if float(low) <= float(high):
                return Tunable(kind, float(low), float(high))
    raise SettingError(f"{where} must have numbers, low at most as large as high.")

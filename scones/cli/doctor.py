"""`scones doctor`: what stands in the way, before something fails half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from project import aws, console, settings
from project.errors import CloudError
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from infra.doctor.finding import Finding
    from project.settings import Settings

_MARKS = {"ok": "ok", "problem": "PROBLEM", "unknown": "?"}


@click.command()
@as_json_option
def doctor(as_json: bool) -> None:
    """Examine this machine and the account: problem, why it matters, fix. Exit code 1 if there is a problem."""
    found = []
    for finding in _examination():
        found.append(finding)
        if not as_json:
            _print(finding)
    problems = sum(finding.state == "problem" for finding in found)
    if as_json:
        console.emit_json({"problems": problems, "findings": [asdict(finding) for finding in found]})
    if problems:
        raise CloudError(f"{problems} problem{'s' * (problems > 1)} found.", "Each line above says what to do.")
    console.say("No problem found.")


def _examination() -> Iterator[Finding]:
    from infra.doctor import account, limits, machine
    from infra.doctor.finding import each
    from localcloud.isolation.offer import offered

    chosen = settings.load()
    yield from machine.python()
    yield from machine.versions()
    file = settings.find_file()
    yield from machine.disk(file.resolve().parent if file else Path.cwd())
    yield from machine.isolation(offered().private, offered().words)
    yield from machine.region(chosen)
    yield from machine.images(_images(chosen))
    names, credentials = account.identity()
    yield credentials
    if names is None:
        return
    checks = (account.bucket, account.resources, account.roles, account.caller, limits.quotas, limits.builds)
    for check in checks:
        yield from each(check.__name__, _asked(check(names), check.__name__))
    yield from each("Model Monitor", _asked(limits.model_monitor(), "Model Monitor"))


def _asked(findings: Iterator[Finding], about: str) -> Iterator[Finding]:
    with aws.explained(f"asking about {about}"):
        yield from findings


def _images(chosen: Settings) -> list[tuple[str, Callable[[], str]]]:
    """What each image of the chosen algorithm is for, and what looks it up."""
    from pipelines.definition import images

    types = chosen.instances
    wanted: list[tuple[str, Callable[[], str]]] = [("processing", partial(images.processing, chosen.region))]
    if chosen.algorithm == "builtin":
        return [*wanted, ("training and serving", partial(images.image_classification, chosen.region))]
    return [
        *wanted,
        ("training", partial(images.pytorch, chosen.region, "training", types.training)),
        ("serving", partial(images.pytorch, chosen.region, "inference", types.endpoint)),
    ]


def _print(finding: Finding) -> None:
    console.emit(f"{_MARKS[finding.state]:7}  {finding.subject}: {finding.found}")
    for label, text in (("why", finding.why), ("fix", finding.fix)):
        if text:
            console.emit(f"         {label}: {text}")

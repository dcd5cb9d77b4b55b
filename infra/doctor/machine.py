"""This machine: interpreter, disk, and whether environment and settings mean the same region."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import boto3
from packaging.requirements import Requirement

from infra.doctor.finding import Finding, ok, problem, unknown
from project.errors import SconesError
from project.settings import Settings

OLDEST, NEWEST = (3, 11), (3, 13)
ROOM_BYTES = 5 * 2**30
"""Free disk for an archive, its extracted pictures, jobs and captured traffic of a local run."""


def python() -> Iterator[Finding]:
    """The interpreter is one that the package supports."""
    found = ".".join(map(str, sys.version_info[:3]))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
        yield problem("Python", found, f"The package needs {oldest} to {newest}.", f"Install Python {oldest}.")
    else:
        yield ok("Python", found)


PINNED = {"sagemaker": "scones-unlimited", "ministack": "localcloud", "torch": "scones-unlimited"}
"""Libraries of which other versions behave differently, and the distribution that says which were tested."""


def versions() -> Iterator[Finding]:
    """The libraries are the versions that this was tested with; those of the local cloud may be left out."""
    for library, asked_by in PINNED.items():
        given = [Requirement(text) for text in importlib.metadata.requires(asked_by) or []]
        [tested] = [one.specifier for one in given if one.name == library][:1]
        try:
            found = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            yield ok(library, "not installed; pipelines run on AWS only")
            continue
        if tested.contains(found):
            yield ok(library, found)
        else:
            why = "Another version may render other definitions or run jobs in another way."
            yield problem(library, f"{found}; tested is {tested}", why, f"pip install '{library}{tested}'")


def disk(folder: Path) -> Iterator[Finding]:
    """There is room beside the settings file, where the local cloud and fetched archives go."""
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < ROOM_BYTES:
        needed = f"{ROOM_BYTES / 2**30:.0f} GiB"
        yield problem("disk", found, f"Jobs of the local cloud and archives take up to {needed}.", "Make room.")
    else:
        yield ok("disk", found)


def isolation(private: bool, words: str) -> Iterator[Finding]:
    """What the local cloud runs gets a view of the machine of its own; without one it works, with less safety.

    Args:
        words: what it gets, and why.
    """
    if private:
        yield ok("isolation", words)
        return
    yield unknown(
        "isolation", words, "There, a script that names /opt/ml fails. Linux 5.12 with user namespaces has it."
    )


def region(settings: Settings) -> Iterator[Finding]:
    """SageMaker is in the project's region, and no variable sends other tools to another one."""
    session = boto3.session.Session()
    partition = session.get_partition_for_region(settings.region)
    if settings.region not in session.get_available_regions("sagemaker", partition):
        why = "Every call would go to an address that does not exist."
        yield problem("region", f"{settings.region}: SageMaker is not there.", why, "Set `region` in scones.toml.")
        return
    others = {name: os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    astray = [f"{name}={value}" for name, value in others.items() if value and value != settings.region]
    if astray:
        yield problem(
            "region",
            f"{settings.region} in scones.toml, but {', '.join(astray)}",
            "`scones` and the `aws` command line would work in two regions.",
            f"export AWS_REGION={settings.region} AWS_DEFAULT_REGION={settings.region}, or change scones.toml.",
        )
    else:
        yield ok("region", settings.region)


def images(wanted: Iterable[tuple[str, Callable[[], str]]]) -> Iterator[Finding]:
    """Every container image that the pipeline names is known for the region.

    Args:
        wanted: what the image is for, and what answers its URI.
    """
    for purpose, resolve in wanted:
        try:
            yield ok(f"image for {purpose}", resolve())
        except (ValueError, SconesError) as error:
            why = "The pipeline's definition cannot be rendered."
            yield problem(f"image for {purpose}", str(error).splitlines()[0], why, "Choose another region.")

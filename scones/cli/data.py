"""`scones data`: input archives and folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from project import settings
from project.console import emit, emit_json, say, table
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from scones.data.archive import Layout

LAYOUTS = click.Choice(["python", "binary"])


@click.group()
def data() -> None:
    """Make a sample archive or folder, fetch the real CIFAR-100, or look into one."""


@data.command()
@click.option(
    "--output", type=click.Path(path_type=Path), help="File to write [default: sample-cifar-100-FORMAT.tar.gz]."
)
@click.option("--format", "layout", type=LAYOUTS, default="python", show_default=True, help="CIFAR-100's layout.")
@click.option("--train-per-class", type=click.IntRange(1, 500), default=500, show_default=True, help="Training images.")
@click.option("--test-per-class", type=click.IntRange(1, 100), default=100, show_default=True, help="Test images.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Another seed, other images.")
@click.option("--full-size", is_flag=True, help="Fill all 100 classes: 60,000 images with the default counts.")
@as_json_option
def sample(
    output: Path | None,
    layout: Layout,
    train_per_class: int,
    test_per_class: int,
    seed: int,
    full_size: bool,
    as_json: bool,
) -> None:
    """Draw bicycles, motorcycles and a few other things into an archive in CIFAR-100's own format.

    The same options give the same bytes every time, on every machine.
    """
    from scones.data.archive import write_sample

    file = output or Path(f"sample-cifar-100-{layout}.tar.gz")
    written = write_sample(file, layout, train_per_class, test_per_class, seed, full_size)
    if as_json:
        emit_json(written)
    else:
        say(f"Drew {written['images']:,} images of {len(written['classes'])} classes; SHA-256 {written['sha256']}.")
        emit(str(file))


@data.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--per-class", type=click.IntRange(1, 500), default=60, show_default=True, help="Photographs.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Another seed, other pictures.")
def photographs(folder: Path, per_class: int, seed: int) -> None:
    """Draw photographs of the project's classes into FOLDER, as `scones start --pictures` takes them."""
    from scones.data.photographs import write_photographs

    classes = settings.load().classes
    n = write_photographs(folder, classes, per_class, seed)
    say(f"Drew {n} photographs of {', '.join(classes)}.")
    emit(str(folder))


@data.command()
@click.option("--output", type=click.Path(path_type=Path), help="File to write [default: the archive's own name].")
@click.option("--format", "layout", type=LAYOUTS, default="python", show_default=True, help="CIFAR-100's layout.")
@as_json_option
def fetch(output: Path | None, layout: Layout, as_json: bool) -> None:
    """Download the real CIFAR-100 (169 MB), or the rest of it if a download was interrupted."""
    from scones.data import fetch

    original = fetch.ORIGINALS[layout]
    file = output or Path(original.name)
    fetch.fetch(original, file, fetch.HOSTS)
    if as_json:
        emit_json({"file": str(file), "bytes": original.size, "sha256": original.sha256})
    else:
        emit(str(file))


@data.command()
@click.argument("archive", type=click.Path(path_type=Path))
@as_json_option
def info(archive: Path, as_json: bool) -> None:
    """Say what ARCHIVE holds: layout, checksum, images per class."""
    from steps import cifar

    content = cifar.read(archive)
    counts = {
        name: {"train": content.train.count(label), "test": content.test.count(label)}
        for label, name in enumerate(content.fine_names)
    }
    counts = {name: parts for name, parts in counts.items() if any(parts.values())}
    if as_json:
        emit_json({"layout": content.layout, "sha256": content.sha256, "images": counts})
        return
    emit(f"layout  {content.layout}\nsha256  {content.sha256}\n")
    rows = [[name, str(parts["train"]), str(parts["test"])] for name, parts in counts.items()]
    emit(table(rows, ["class", "train", "test"]))

"""`scones demo`: the whole workflow on this machine, one line per step."""

from __future__ import annotations

from pathlib import Path

import click

from project import console, settings
from project.errors import DataError
from scones.cli.options import as_json_option


@click.command()
@click.option("--archive", type=click.Path(path_type=Path), help="Another CIFAR-100 archive, python or binary layout.")
@click.option("--algorithm", type=click.Choice(["builtin", "pytorch"]), help="Instead of the one in scones.toml.")
@click.option("--state", type=click.Path(path_type=Path), help="State folder of the local cloud.")
@click.option("--keep", is_flag=True, help="Leave the local cloud up at the end.")
@click.option("--enforce-roles", is_flag=True, help="Hold everything to its IAM role.")
@as_json_option
def demo(
    archive: Path | None, algorithm: str | None, state: Path | None, keep: bool, enforce_roles: bool, as_json: bool
) -> None:
    """Run everything on this machine, on drawn pictures or on an archive of yours.

    Every step must do what it is there for; the exit code is not zero if any did not.
    """
    if archive and not archive.is_file():
        raise DataError(f"Archive {archive}: there is no such file.", "Name one with --archive.")
    from localcloud.private import make_private_folder, private_files
    from scones.cli.local import state_folder
    from scones.demo import pipeline_stages
    from scones.demo.stages import Demo

    outputs = settings.output_folder()
    make_private_folder(outputs)
    run = Demo(archive, algorithm, state_folder(state), outputs, enforce_roles or None)
    try:
        with private_files():
            run.run(pipeline_stages.STAGES)
    except KeyboardInterrupt:
        kept = "is left up: scones local down" if keep else "is taken down"
        raise KeyboardInterrupt(f"The demo's local cloud {kept}; scones demo begins anew.") from None
    finally:
        run.end(keep)
        if as_json:
            console.emit_json(run.summary())
    if not as_json:
        console.emit(run.closing(keep))

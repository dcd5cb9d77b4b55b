"""`scones dashboard`: the operations desk in the browser."""

from __future__ import annotations

import click


@click.command()
@click.option("--allow-changes", is_flag=True, help="Let people label, change the threshold, approve, start batches.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen there; by default 8501, or the next that is free.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser.")
def dashboard(allow_changes: bool, port: int | None, open_browser: bool) -> None:
    """Watch confidence and drift, review doubtful pictures, tune the threshold; read-only unless told otherwise.

    Serves on 127.0.0.1 until it is interrupted, and prints its address.
    """
    from scones.desk import serve

    serve.serve(allow_changes, port, open_browser)

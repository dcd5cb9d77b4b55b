"""The process of a service: one for each state folder, on one port of 127.0.0.1, until a signal."""

from __future__ import annotations

import argparse
import fcntl
import logging
from pathlib import Path
from typing import TextIO

import uvicorn

from localcloud.door import Application
from localcloud.memory import share_arenas


def arguments(program: str, description: str | None) -> argparse.ArgumentParser:
    """The options that every service has."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--state", type=Path, required=True, help="folder that holds everything the server knows")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ministack", required=True, help="URL at which every service but those of ours answers")
    return parser


def begin(state: Path, name: str, title: str) -> TextIO:
    """Begin the log, and hold the state folder's lock while what is returned lives; threads share arenas from here on.

    Raises:
        SystemExit: another server holds it.
    """
    share_arenas()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / f"{name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets go of it even after kill -9
    except BlockingIOError:
        raise SystemExit(f"Error: another local {title} uses {state}.") from None
    return lock


def serve(application: Application, port: int) -> None:
    """Answer on 127.0.0.1 until SIGTERM or SIGINT."""
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", server_header=False, proxy_headers=False)

"""`python -m localcloud.sagemaker --state DIR --port N --ministack URL`: run the local SageMaker until a signal."""

from __future__ import annotations

import argparse
import fcntl
import logging
from pathlib import Path
from typing import TextIO

import uvicorn

from localcloud.errors import LocalCloudError
from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.server import application

log = logging.getLogger("localcloud.sagemaker")


def main(argv: list[str] | None = None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    Raises:
        SystemExit: another server holds the state folder, or an installed distribution registers an image wrongly.
    """
    parser = argparse.ArgumentParser(prog="python -m localcloud.sagemaker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder that holds everything the server knows")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ministack", required=True, help="URL at which every service but SageMaker answers")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    lock = _lock(options.state / "sagemaker.lock")
    if lock is None:
        raise SystemExit(f"Error: another local SageMaker uses {options.state}.")
    try:
        for repository in images.registered():
            log.info("image %s is registered by an installed distribution", repository)
    except LocalCloudError as error:
        raise SystemExit(f"Error: {error}") from None
    cloud = Cloud(options.state.resolve(), options.ministack, f"http://127.0.0.1:{options.port}")
    uvicorn.run(application(cloud), host="127.0.0.1", port=options.port, log_level="warning", server_header=False)


def _lock(path: Path) -> TextIO | None:
    """Hold the file's lock for the life of the process; the kernel lets go of it even after kill -9."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return file


if __name__ == "__main__":
    main()

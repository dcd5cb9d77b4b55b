"""`python -m localcloud.stepfunctions --state DIR --port N --ministack URL --sagemaker URL`: run until a signal."""

from __future__ import annotations

import argparse
import fcntl
import logging
from pathlib import Path
from typing import TextIO

import uvicorn

from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.news import Courier
from localcloud.stepfunctions.server import application


def main(argv: list[str] | None = None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    Raises:
        SystemExit: another server holds the state folder.
    """
    parser = argparse.ArgumentParser(prog="python -m localcloud.stepfunctions", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder that holds everything the server knows")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ministack", required=True, help="URL at which every other service answers")
    parser.add_argument("--sagemaker", help="URL of the local SageMaker, when there is one")
    parser.add_argument("--events", action="store_true", help="tell MiniStack's EventBridge of executions")
    parser.add_argument("--region", default="us-east-1")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # it tells every failure of a user's state at length
    options.state.mkdir(parents=True, exist_ok=True)
    lock = _locked(options.state / "stepfunctions.lock")
    if lock is None:
        raise SystemExit(f"Error: another local Step Functions uses {options.state}.")
    urls = {"stepfunctions": f"http://127.0.0.1:{options.port}"}
    if options.sagemaker:
        urls |= {"sagemaker": options.sagemaker, "sagemaker-runtime": options.sagemaker}
    cloud = StatesCloud(options.state.resolve(), Clients(options.ministack, urls), region=options.region)
    if options.events:
        cloud.tell = Courier(options.ministack).tell
    uvicorn.run(application(cloud), host="127.0.0.1", port=options.port, log_level="warning", server_header=False)


def _locked(path: Path) -> TextIO | None:
    """Hold the file's lock for the life of the process; the kernel lets go of it even after kill -9."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return file


if __name__ == "__main__":
    main()

"""Why a job's program failed: the FailureReason, as the service words it."""

from __future__ import annotations

import re

from localcloud.sagemaker.jobs.folder import FAILURE_CHARACTERS, Folder

BLAMED = ("AlgorithmError:", "ClientError:", "InternalServerError:")
ERROR_LINE = re.compile(r"^(?:[\w.]*(?:Error|Exception)|[\w.-]+: error): \S")
LOG_TAIL_BYTES = 64_000


def failure_reason(folder: Folder, exit_code: int) -> str:
    """What the program wrote to /opt/ml/output/failure, else the last error line of its log, and its exit code.

    A text that says itself whose fault it was ("ClientError: …") stays as it is; any other is an AlgorithmError.
    """
    text = folder.message("output/failure") or last_error(folder) or "See job logs for more information"
    if not text.startswith(BLAMED):
        text = f"AlgorithmError: {text.removeprefix('Error: ')}"
    suffix = f", exit code: {exit_code}"
    return text[: FAILURE_CHARACTERS - len(suffix)] + suffix


def last_error(folder: Folder) -> str:
    """The log's last line of the form `SomeError: text` or (argparse's) `program: error: text`, or ""."""
    with folder.log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in reversed(lines) if ERROR_LINE.match(line)), "")

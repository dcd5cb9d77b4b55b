"""Why a job's program failed: the FailureReason, as the service words it."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from localcloud.image_table import FILE
from localcloud.sagemaker.images import repository
from localcloud.sagemaker.jobs.folder import FAILURE_CHARACTERS, Folder

BLAMED = ("AlgorithmError:", "ClientError:", "InternalServerError:")
ERROR_LINE = re.compile(r"^(?:[\w.]*(?:Error|Exception)|[\w.-]+: error): \S")
SHOWN_ERROR = re.compile(r"(\w+)\(.*\)$", re.DOTALL)
KILLED = 128 + signal.SIGKILL
VMSTAT = Path("/proc/vmstat")
OUT_OF_MEMORY = (
    "the program was killed when this machine ran out of memory: use less of it, or end what else runs here (on AWS: "
    "an instance type with more)"
)
TRACEBACK = "Traceback (most recent call last):"
LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python3")
LOG_TAIL_BYTES = 64_000
MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w]+)")
EXTRAS = {
    **dict.fromkeys(("numpy", "onnx", "onnxruntime", "PIL", "torch"), "programs"),
    "sklearn": "scikit-learn",
    "xgboost": "xgboost",
}
"""Which extra of the distribution `localcloud` brings a module."""
INSTALL = "pip install '<path to localcloud>[{extra}]'"
"""It is on no index."""
PROGRAMS_EXTRA = INSTALL.format(extra="programs")
NO_FOLDER = re.compile(r"(?:FileNotFoundError|PermissionError|OSError|No such file|[Pp]ermission denied).*/opt/ml\b")
NO_VIEW = (
    " (This machine gives jobs no view of their own, see localcloud status: /opt/ml is not the job's folder. "
    "Use the paths in its arguments, or $SAGEMAKER_BASE_DIR.)"
)


def out_of_memory_kills() -> int:
    """How many processes the kernel has ended for want of memory since the machine started (proc(5), /proc/vmstat)."""
    try:
        text = VMSTAT.read_text(encoding="ascii")
    except OSError:  # no Linux
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)


def failure_reason(
    folder: Folder, exit_code: int, image: str, several: bool = False, kills_before: int | None = None
) -> str:
    """What the program wrote to /opt/ml/output/failure, else the last error line of its log, and its exit code.

    A text that says itself whose fault it was ("ClientError: …") stays as it is; any other is an AlgorithmError. Of an
    error that the program wrote as Python shows it, which is all that the SDK's launcher of `@step` functions writes,
    the places in the program's own code follow; on AWS they are only in the log.
    A program that was killed while the kernel of this machine ended processes for want of memory says so: more of them
    than the `kills_before` it.
    Of `several` instances the one that it is of is named; how AWS does that is not documented.
    """
    text = folder.message("output/failure") or last_error(folder)
    if exit_code == KILLED and not text and kills_before is not None:
        short = out_of_memory_kills() > kills_before
        text = OUT_OF_MEMORY if short else "the program was killed by a signal (SIGKILL), not by the local SageMaker"
    text = text or "See job logs for more information"
    text = explained(text, image) + own_frames(folder, text)
    if not text.startswith(BLAMED):
        text = f"AlgorithmError: {text.removeprefix('Error: ')}"
    names_folder = not folder.private and NO_FOLDER.search(text)
    suffix = f"{NO_VIEW if names_folder else ''}, exit code: {exit_code}{f' (on {folder.host})' if several else ''}"
    return text[: FAILURE_CHARACTERS - len(suffix)] + suffix


def explained(text: str, image: str) -> str:
    """An error's text, with what to do if a library is missing that the image has on AWS."""
    found = MISSING.search(text)
    if not found:
        return text
    name = repository(image)
    extra = EXTRAS.get(found[1])
    ways = [INSTALL.format(extra=extra)] if extra else []
    ways.append(f'name an interpreter that has it in {FILE}: [images."{name}"] interpreter = "…"')
    return f"{text.rstrip('.')}. The interpreter that stands in for {name} has no {found[1]}: {'; or '.join(ways)}"


def own_frames(folder: Folder, text: str) -> str:
    """Where in the program's own code the error of `text` (`ValueError('no rows')`) was raised, or "".

    The lines `File "…", line 3, in train` of the log's last traceback, if that is of this error, without libraries.
    """
    shown = SHOWN_ERROR.match(text)
    lines = _tail(folder)
    starts = [index for index, line in enumerate(lines) if line == TRACEBACK]
    if not shown or not starts:
        return ""
    frames = []
    for line in lines[starts[-1] + 1 :]:
        if line.startswith('  File "'):
            frames.append(line)
        elif not line.startswith(" "):
            raised = line.partition(":")[0].rpartition(".")[2]
            own = [frame for frame in frames if not any(part in frame for part in LIBRARIES)]
            return "".join(f"\n{frame}" for frame in own) if raised == shown[1] else ""
    return ""


def last_error(folder: Folder) -> str:
    """The log's last line of the form `SomeError: text` or (argparse's) `program: error: text`, or ""."""
    return next((line.strip() for line in reversed(_tail(folder)) if ERROR_LINE.match(line)), "")


def _tail(folder: Folder) -> list[str]:
    with folder.log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()

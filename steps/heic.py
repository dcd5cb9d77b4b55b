"""HEIC photographs, as phones keep them, read by pillow-heif: here alone, and in a process of its own.

Its decoder, libheif with libde265, is large, and it was repaired often of late (1.23, 1.1: advisories in 2026): so
no function of the workflow has it, and a picture that crashes it costs that picture. Its wheels hold an encoder under
the GPL, so it is an extra of this project, and a job installs it when the first HEIC comes.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache
from typing import TypeVar

from lambdas.outcomes import BadInputError
from project.errors import SconesError
from steps import requirements

FORMAT = "HEIF"
LIBRARY = "pillow_heif"
SECONDS = 60.0
"""Longest that one picture may take; fifty million pixels take some seconds."""
EXTRA = "pip install 'scones-unlimited[heic]'"

Result = TypeVar("Result")


def in_own_process(work: Callable[..., Result], *arguments: object) -> Result:
    """What `work` answers in a process that has the decoder. It must answer in data: its exceptions stay there.

    Raises:
        BadInputError: ImageRefused: there is no decoder, or it crashed or did not end.
    """
    if not _is_installed():
        raise _refused(f"HEIC, and nothing here reads it; {EXTRA}, or export a JPEG")
    try:
        return _process().submit(work, *arguments).result(SECONDS)
    except BrokenProcessPool:
        _forget()
        raise _refused("its decoder crashed") from None
    except TimeoutError:
        _forget()
        raise _refused(f"its decoder took longer than {SECONDS:.0f} s") from None


@cache
def _is_installed() -> bool:
    if not importlib.util.find_spec(LIBRARY):
        with suppress(SconesError):  # what pip said is in the log, and the pictures are refused by name
            requirements.install("extract", (LIBRARY,), "extract-heic-requirements.txt")
            importlib.invalidate_caches()
    return importlib.util.find_spec(LIBRARY) is not None


@cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_prepare)


def _forget() -> None:
    """End the process; the next picture gets another."""
    pool = _process()
    _process.cache_clear()
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)


def _prepare() -> None:
    """Let Pillow open HEIC, without what photographs hold besides: thumbnails, depth, other pictures."""
    library = importlib.import_module(LIBRARY)
    library.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1, disable_security_limits=False
    )


def _refused(reason: str) -> BadInputError:
    return BadInputError("ImageRefused", f"The picture cannot be used: {reason}.")

"""Keep a server's memory small: what it does not load, and what its threads share."""

from __future__ import annotations

import ctypes
import sys

M_ARENA_MAX = -8
"""Number of the option in glibc's malloc.h."""
ARENAS = 2


def share_arenas() -> None:
    """Let all threads of this process allocate from a few arenas; where the C library has no such option, do nothing.

    glibc gives every thread one of up to eight a processor, and what is freed in one serves no other: servers whose
    threads take turns at large documents keep their peaks several times. Python's lock lets one thread allocate at
    a time anyway. It is not done by MALLOC_ARENA_MAX, which jobs and functions would inherit.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


def leave_out(package: str) -> None:
    """Let importing `package` fail in this process as if it were not installed."""
    sys.modules[package] = None  # type: ignore[assignment]

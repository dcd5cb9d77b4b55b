"""Threads of an execution are forgotten with it.

moto keeps every thread for the end of its own server, and calls a branch's thread by its whole program, printed: 28 KB
stayed of every execution of the inference workflow.
"""

from __future__ import annotations

import threading

from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker

from localcloud.stepfunctions.engine.overrides import put


class _Forgetful(list[threading.Thread]):
    def append(self, thread: threading.Thread) -> None:
        """Keep nothing."""


def _start(self: BranchWorker) -> None:
    self._worker_thread = threading.Thread(target=self._thread_routine, name="branch", daemon=True)
    self._worker_thread.start()


def apply() -> None:
    """Replace moto's list of threads, and the start of a branch."""
    put("TMP_THREADS", utils.TMP_THREADS, _Forgetful())
    BranchWorker.start = _start

"""Print the index that PyTorch is to come from: the one given if it answers in time, else nothing, and why.

Standard library only: it runs before anything is installed. A name that nobody resolves can hold a process longer than
any timeout of a socket, so the question is asked in a thread that nobody waits for.
"""

from __future__ import annotations

import os
import sys
import threading
import urllib.request

SECONDS = 3.0


def answers(index: str) -> bool:
    """Whether the index has a page about torch and sends it within SECONDS."""
    found = threading.Event()

    def ask() -> None:
        try:
            page = f"{index.rstrip('/')}/torch/"
            with urllib.request.urlopen(page, timeout=SECONDS) as answer:  # noqa: S310 - whose address the caller chose
                answer.read(1)
        except (OSError, ValueError):  # refused, too slow, no such page; no address at all
            return
        found.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS)
    return found.is_set()


def main(index: str) -> None:
    """Print `index` or nothing; end at once, whatever the thread still waits for."""
    if index and answers(index):
        sys.stdout.write(f"{index}\n")
    elif index:
        sys.stderr.write(f"{index} does not answer: PyTorch comes from the configured index.\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])

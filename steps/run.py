"""Start a job: `python3 <code>/run.py <job> --options`. This file sits at the root of the code bundle, beside `steps/`.

A known failure is one line, the last on stderr, and exit code 1; wrong usage is exit code 2.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from project.errors import SconesError
from steps import requirements

JOBS = {
    "extract": "steps.extract",
    "manifests": "steps.manifests",
    "train": "steps.train",
    "evaluate": "steps.evaluate",
    "monitor": "steps.monitor",
}
REQUIREMENTS = {
    "extract": (("PIL",), "extract-requirements.txt"),
    "manifests": (("great_expectations", "PIL"), "manifests-requirements.txt"),
    "evaluate": (("PIL",), "evaluate-requirements.txt"),
    "monitor": (("PIL",), "monitor-requirements.txt"),
}
"""What a job needs beyond its container: modules, pinned file.

The scikit-learn image has no Great Expectations, and not in every version Pillow.
"""


def install_missing(job: str) -> None:
    """Install what `job` needs and this interpreter lacks, from the pinned file that travels with the code.

    Raises:
        SconesError: pip failed.
    """
    modules, file = REQUIREMENTS.get(job, ((), ""))
    requirements.install(job, modules, file)


def main(argv: Sequence[str]) -> int:
    """Run the job named first in `argv` with the arguments after it; its exit code."""
    if not argv or argv[0] not in JOBS:
        print(f"Error: no job {argv[0] if argv else ''!r}. Jobs: {', '.join(JOBS)}.", file=sys.stderr)
        return 2
    try:
        install_missing(argv[0])
        return int(importlib.import_module(JOBS[argv[0]]).main(argv[1:]))
    except SconesError as error:
        print(f"Error: {error}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

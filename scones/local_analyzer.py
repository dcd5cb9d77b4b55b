"""Model Monitor's analyzer on the local cloud: this project's for captured pictures, the local cloud's for tables."""

from __future__ import annotations

import json
import os
import sys

from localcloud.programs.model_monitor import job
from steps import run

FORMAT = "dataset_format"
TABLES = ("csv", "json")


def main() -> int:
    """Do the job; its exit code."""
    try:
        of_a_table = any(kind in TABLES for kind in json.loads(os.environ.get(FORMAT) or "{}"))
    except (ValueError, TypeError):
        of_a_table = False  # the analyzer of pictures says what is wrong with it
    return job.run() if of_a_table else run.main(["monitor"])


if __name__ == "__main__":
    sys.exit(main())

"""`python -m localcloud.programs.image_classification train|serve`: the container's two commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

USAGE = "usage: python -m localcloud.programs.image_classification train|serve"


def main(arguments: list[str]) -> int:
    """Run one command; gives the process's exit code."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    # Each command imports what it alone needs: serving starts without PyTorch.
    if arguments == ["train"]:
        from localcloud.programs.image_classification.training_job import run_training_job

        return run_training_job(base)
    if arguments == ["serve"]:
        from localcloud.programs.image_classification.prediction import load_predictor
        from localcloud.programs.serving import serve

        return serve(lambda: load_predictor(base / "model"))
    sys.stderr.write(f"{USAGE}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

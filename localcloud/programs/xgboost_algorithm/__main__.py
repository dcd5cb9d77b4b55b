"""`python -m localcloud.programs.xgboost_algorithm train|serve`: by the algorithm, or by a script if there is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from localcloud.errors import SettingError
from localcloud.programs import handlers, script_mode
from localcloud.programs.serving import serve
from localcloud.programs.xgboost_algorithm import inference, training


def main(arguments: list[str]) -> int:
    """Run the container's command; gives the process's exit code."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    scripted = bool(os.environ.get("SAGEMAKER_PROGRAM"))
    if arguments == ["train"]:
        if scripted or script_mode.hyperparameters(base).get("sagemaker_program"):
            script_mode.main(arguments)
        return training.run_training_job(base)
    if arguments == ["serve"]:
        if scripted:
            return handlers.run(arguments, inference.SCRIPT_DEFAULTS)
        return serve(lambda: inference.load_predictor(base / "model"))
    sys.stderr.write("usage: python -m localcloud.programs.xgboost_algorithm train|serve\n")
    return SettingError.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

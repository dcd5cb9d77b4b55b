"""One run: the environment of Model Monitor's container contract in, three files and a message out.

"Container Contract Inputs" and "Container Contract Outputs" in the developer guide. Without a baseline the run computes
one; with one it also writes constraint_violations.json. Scripts for pre- and postprocessing are refused.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from localcloud.programs.model_monitor import data_quality, model_quality, table

REFUSED = ("record_preprocessor_script", "post_analytics_processor_script")


def run(environment: Mapping[str, str] = os.environ) -> int:
    """Do the job; its exit code."""
    message = Path(environment.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "output" / "message"
    try:
        found = _analyze(environment)
    except (table.TableError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        message.write_text(f"Error: {error}", encoding="utf-8")
        return 1
    said = "Completed: Job completed successfully with no violations."
    if found:
        said = f"CompletedWithViolations: Job completed successfully with {len(found)} violations."
    print(said)
    message.write_text(said, encoding="utf-8")
    return 0


def _analyze(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    for name in REFUSED:
        if environment.get(name):
            raise table.TableError(f"{name} is set; the local analyzer runs no scripts")
    try:
        source, output = Path(environment["dataset_source"]), Path(environment["output_path"])
    except KeyError as error:
        raise table.TableError(f"the job has no environment variable {error.args[0]}") from None
    columns = table.read(source, environment.get("dataset_format", ""))
    statistics, constraints = _document(environment, "statistics"), _document(environment, "constraints")
    quality = model_quality if environment.get("analysis_type") == "MODEL_QUALITY" else data_quality
    output.mkdir(parents=True, exist_ok=True)
    try:
        with np.errstate(over="raise", invalid="raise"):
            profile = quality.profile(columns, environment)
        _write(output / "statistics.json", profile)
        _write(output / "constraints.json", quality.suggested(profile))
    except (ValueError, ArithmeticError) as error:  # numbers beyond what can be added up
        raise table.TableError(f"the data has no statistics: {error}") from None
    if constraints is None:
        return []
    try:
        found = list(quality.violations(columns, profile, statistics or {}, constraints))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise table.TableError(
            f"the baseline is not in Model Monitor's form: {type(error).__name__}: {error}"
        ) from None
    _write(output / "constraint_violations.json", {"violations": found})
    return found


def _document(environment: Mapping[str, str], name: str) -> Any:
    path = environment.get(f"baseline_{name}")
    if not path:
        return None
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise table.TableError(f"the baseline's {name} are not JSON: {error}") from None


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")

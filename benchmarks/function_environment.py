"""What it costs a function to start with the runtime and its layers alone, instead of with everything installed here.

    python benchmarks/function_environment.py [--starts 15]

Python processes that import what a function does, in turns: in this environment, as functions ran before, and as they
run now, with the runtime's folder and our own layer, whose files no process can compile for the next one. Medians in
milliseconds, and the time to build the layer. Goal: at most 150 ms more. Exit code 1 when it is missed.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from infra.lambda_packages import THIS_PYTHON, installed_layer_zip
from localcloud.corrections import runtime_libraries

MOST_MS = 150.0
IMPORTS = {
    "nothing": "import json",
    "boto3": "import json, boto3",
    "boto3 and the layer": "import json, boto3, aws_lambda_powertools; from PIL import Image",
}


def start(command: list[str], program: str, folder: Path) -> float:
    """Milliseconds from starting a Python to its end."""
    began = time.perf_counter()
    subprocess.run([*command, "-B", "-c", program], cwd=folder, check=True)
    return (time.perf_counter() - began) * 1e3


def measure(starts: int) -> dict[str, float | list[float]]:
    """Medians, before and now, of each set of imports."""
    began = time.perf_counter()
    layer = installed_layer_zip()
    figures: dict[str, float | list[float]] = {"layer_s": round(time.perf_counter() - began, 2)}
    with tempfile.TemporaryDirectory() as made:
        zipfile.ZipFile(io.BytesIO(layer)).extractall(made)
        packages = Path(made, "packages")
        runtime_libraries.make_packages(packages)
        libraries = Path(made, "python", "lib", f"python{THIS_PYTHON}", "site-packages")
        path = f"import sys; sys.path[:0] = {[str(libraries), str(packages)]!r}; "
        for name, program in IMPORTS.items():
            pairs = [
                (
                    start([sys.executable], program, libraries.parent),
                    start([runtime_libraries.interpreter(), "-S", "-s"], path + program, libraries.parent),
                )
                for _ in range(starts)
            ]
            figures[name] = [round(statistics.median(column), 1) for column in zip(*pairs, strict=True)]
    return figures


def main() -> int:
    """Print the figures as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=15)
    figures = measure(parser.parse_args().starts)
    print(json.dumps(figures))
    return int(any(isinstance(pair, list) and pair[1] - pair[0] > MOST_MS for pair in figures.values()))


if __name__ == "__main__":
    sys.exit(main())

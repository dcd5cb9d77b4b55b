"""What the template refers to in the bucket: the functions' code, their layer, the state machines' definitions.

Every object is named by what decides its content, so a change of code is a change of a parameter, which updates exactly
the resources that use it, and no change is none::

    lambda/<hash>/functions.zip          the code of all functions
    lambda/<hash>/layer.zip              their libraries, for Lambda's own platform or for this interpreter
    stepfunctions/<hash>/<name>.asl.json one state machine
    code/<hash>/monitor.zip              the program of the monitor's runs, which Python runs as it is
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from infra import lambda_packages
from pipelines.definition.bundle import bundle
from project import s3
from project.names import Names
from stepfunctions import machines

MACHINES = {"DeployDefinition": "deploy", "InferenceDefinition": "inference", "BatchDefinition": "batch"}

Layer = Literal["lambda", "installed", "none"]
"""For Lambda's own platform; of what is installed here, for functions that run in this interpreter; or no layer, so
that the functions have nothing but their runtime."""
MONITOR = "monitor"
"""Name of the job among those of `steps/run.py`."""


@dataclass(frozen=True)
class Artifact:
    """One object of the bucket, the template parameter that holds its key, and how to make it."""

    parameter: str
    key: str
    content: Callable[[], bytes]


def artifacts(layer: Layer) -> list[Artifact]:
    """The artifacts of this checkout.

    Raises:
        SconesError: the layer is to be made of what is installed, and something is not.
    """
    functions = lambda_packages.functions_zip()
    found = [
        Artifact("Functions", f"lambda/{lambda_packages.content_hash(functions)}/functions.zip", lambda: functions)
    ]
    if layer == "lambda":
        found.append(Artifact("Layer", f"lambda/{lambda_packages.layer_hash()}/layer.zip", lambda_packages.layer_zip))
    elif layer == "installed":
        key = f"lambda/{lambda_packages.installed_layer_hash()}/layer.zip"
        found.append(Artifact("Layer", key, lambda_packages.installed_layer_zip))
    for parameter, name in MACHINES.items():
        text = machines.text(name)
        key = f"stepfunctions/{lambda_packages.content_hash(text.encode())}/{name}{machines.SUFFIX}"
        found.append(Artifact(parameter, key, text.encode))
    job = bundle(MONITOR)
    found.append(
        Artifact("MonitorCode", f"code/{job.digest}/{MONITOR}.zip", lambda: lambda_packages.program_zip(job.files))
    )
    return found


def upload(names: Names, wanted: list[Artifact]) -> list[str]:
    """Put what is not in the bucket yet; the keys that were missing.

    Raises:
        SconesError: the layer cannot be built.
        CloudError: the bucket cannot be written.
    """
    missing = [artifact for artifact in wanted if s3.head(names.uri(artifact.key)) is None]
    for artifact in missing:
        s3.upload(artifact.content(), names.uri(artifact.key))
    return [artifact.key for artifact in missing]

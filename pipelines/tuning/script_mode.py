"""A training request as a tuning job can carry it: without an entry point.

CreateHyperParameterTuningJob's AlgorithmSpecification has no ContainerEntrypoint. SageMaker's framework containers run
a script instead (script mode): hyperparameters name it and the archive that holds it. Ours, `steps/command.py`, hands
over to the command of the training step, which travels in the environment.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from functools import cache
from pathlib import Path

from localcloud.contract.definition import Json
from project import s3
from project.names import Names

SCRIPT = Path(__file__).resolve().parents[2] / "steps" / "command.py"


@cache
def archive() -> bytes:
    """sourcedir.tar.gz with the script in it; the same bytes for the same script."""
    content = SCRIPT.read_bytes()
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as raw,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as files,
    ):
        entry = tarfile.TarInfo(SCRIPT.name)
        entry.size = len(content)
        files.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def archive_uri(names: Names) -> str:
    """Where the archive is in the project's bucket."""
    return names.uri("code", hashlib.sha256(archive()).hexdigest()[:16], "sourcedir.tar.gz")


def without_entry_point(request: Json, names: Names) -> Json:
    """The request, with script mode in place of ContainerEntrypoint and ContainerArguments if it has them."""
    algorithm = dict(request["AlgorithmSpecification"])
    words = [*algorithm.pop("ContainerEntrypoint", []), *algorithm.pop("ContainerArguments", [])]
    if not words:
        return request
    command = {f"COMMAND_{number:02d}": word for number, word in enumerate(words)}
    script = {"sagemaker_program": SCRIPT.name, "sagemaker_submit_directory": archive_uri(names)}
    return {
        **request,
        "AlgorithmSpecification": algorithm,
        "Environment": {**request.get("Environment", {}), **command},
        "HyperParameters": {**request["HyperParameters"], **script},
    }


def upload(names: Names) -> None:
    """Put the archive into the bucket, if it is not there."""
    uri = archive_uri(names)
    if s3.head(uri) is None:
        s3.upload(archive(), uri)

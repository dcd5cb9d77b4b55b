"""The model artefact `xgboost-model`.

The developer guide: versions before 1.3 pickle the booster, later ones save it in xgboost's own form. Scripts that read
the artefact depend on which, so the image's tag decides. Of a pickle nothing is built but a booster and its bytes.
"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import xgboost

from localcloud.errors import ArtifactError

NAME = "xgboost-model"
OWN_FORM_FROM = (1, 3)
ALLOWED = {("xgboost.core", "Booster"), ("builtins", "bytearray")}


class _BoosterUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        return super().find_class(module, name)


def is_pickled(image: str) -> bool:
    """Whether the version in an image's tag (`1.0-1`, `0.90-2-cpu-py3`) pickles; one without a version does not."""
    found = re.search(r":(\d+)\.(\d+)", image.rpartition("/")[2])
    return found is not None and (int(found[1]), int(found[2])) < OWN_FORM_FROM


def write_model(booster: xgboost.Booster, folder: Path, image: str) -> None:
    """Write the artefact into a model folder, in the form of the image's version."""
    content = pickle.dumps(booster) if is_pickled(image) else bytes(booster.save_raw(raw_format="ubj"))
    (folder / NAME).write_bytes(content)


def load_model(folder: Path) -> xgboost.Booster:
    """The booster in a model folder's only file, in whichever form.

    Raises:
        ArtifactError: there is not exactly one file, or it is no model.
    """
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    if len(files) != 1:
        raise ArtifactError(f"Loading the model in {folder}: {len(files)} files, where {NAME} alone must be.")
    content = files[0].read_bytes()
    try:
        if content[:1] == b"\x80":  # every pickle since protocol 2 begins so, and no form of xgboost's own
            booster = _BoosterUnpickler(io.BytesIO(content)).load()
        elif content[:1] != b"{":  # xgboost ends the process at what is neither its UBJSON nor its JSON
            raise ValueError("it is neither a pickle nor UBJSON or JSON")
        else:
            booster = xgboost.Booster()
            booster.load_model(bytearray(content))
    except Exception as error:  # a broken pickle may raise anything
        raise ArtifactError(f"Loading the model {files[0]}: {type(error).__name__}: {error}.") from None
    if not isinstance(booster, xgboost.Booster):
        raise ArtifactError(f"Loading the model {files[0]}: it holds a {type(booster).__name__}, not a Booster.")
    return booster

"""Which folder a local cloud keeps everything in."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = ".localcloud"
VARIABLE = "LOCALCLOUD_STATE"


def state_folder(named: Path | None = None, beside: Path | None = None) -> Path:
    """`named`, else `$LOCALCLOUD_STATE`, else the nearest `.localcloud` here or above, else one to be made.

    Args:
        beside: where that one is to be made; None is here.
    """
    if named or os.environ.get(VARIABLE):
        return (named or Path(os.environ[VARIABLE])).resolve()
    here = Path.cwd()
    found = next((folder / FOLDER for folder in (here, *here.parents) if (folder / FOLDER).is_dir()), None)
    return found or (beside or here).resolve() / FOLDER

"""Keep moto's interpreter from loading what it does not need.

It takes one enumeration from `moto.batch.utils`, whose package loads moto's model of EC2 with it: 2 seconds and 100 MB.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def leave_out(package: str) -> None:
    """Let modules of moto's `package` be imported without what the package itself imports.

    Raises:
        ImportError: moto is not installed.
    """
    name = f"moto.{package}"
    found = importlib.util.find_spec("moto")
    if found is None or not found.submodule_search_locations:
        raise ImportError("moto is not installed")
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__path__ = [str(Path(place) / package) for place in found.submodule_search_locations]
        sys.modules[name] = module

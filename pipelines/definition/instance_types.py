"""The instance types that AWS has, by its own service model."""

from __future__ import annotations

import difflib

from localcloud.contract import requests


def unknown_instance_type(name: str, kind: str) -> str:
    """Why AWS's service model has no instance type `name` in its enumeration `kind`, or nothing."""
    known = requests.service().shape_for(kind).enum
    if name in known:
        return ""
    near = difflib.get_close_matches(name, known, n=1)
    return "AWS has no such instance type for this" + (f"; did you mean {near[0]}?" if near else "")

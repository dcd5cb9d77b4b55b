"""Let MiniStack keep of botocore's service models what it reads: their metadata, which tell an answer's Content-Type.

It asks for the model of every service that is called; whole, those of a deployed project take 20 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import ServiceModel
from ministack.core import responses

from localcloud.corrections import seam


def _metadata_only(original: Callable[[str], Any]) -> Callable[[str], Any]:
    uncached: Callable[[str], Any] = vars(original)["__wrapped__"]

    @cache
    def service_model(service: str) -> ServiceModel | None:
        whole = uncached(service)
        return None if whole is None else ServiceModel({"metadata": dict(whole.metadata)}, whole.service_name)

    return service_model


def keep_metadata_only() -> None:
    """Raises SeamError when MiniStack finds the models in another way."""
    if not hasattr(responses._service_model, "__wrapped__"):
        raise seam.SeamError("service_models does not fit this MiniStack: responses._service_model has no cache.")
    seam.replace(__name__, responses, "_service_model", "service", by=_metadata_only)

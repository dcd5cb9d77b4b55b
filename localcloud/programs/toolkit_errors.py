"""The errors of AWS's sagemaker-inference toolkit, as `sagemaker_inference.errors` where that is not installed.

A handler that raises BaseInferenceToolkitError, or a subclass, chooses the status of its answer; whatever else it
raises is a 500. Source: sagemaker_inference 1.10.1, errors.py (arguments and attributes) and transformer.py
(handle_error).
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

NAME = "sagemaker_inference.errors"


class BaseInferenceToolkitError(Exception):
    """An answer with a status, a body (`message`) and a reason phrase of the handler's choice."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        self.status_code = status_code
        self.message = message
        self.phrase = phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The one that handlers usually raise: message and phrase may be left out."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)


class UnsupportedFormatError(Exception):
    """What the toolkit's own decoders raise; a 500 like any other."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")


def make_importable() -> None:
    """Have handlers find `sagemaker_inference.errors`: the installed toolkit's, else these."""
    try:
        importlib.import_module(NAME)
    except ImportError:
        package, module = ModuleType(NAME.partition(".")[0]), ModuleType(NAME)
        for one in (BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError):
            setattr(module, one.__name__, one)
        package.__path__ = []
        package.errors = module  # type: ignore[attr-defined]
        sys.modules |= {package.__name__: package, NAME: module}


def chosen_answer(error: Exception) -> tuple[int, str] | None:
    """Status and message that a handler chose with one of the toolkit's errors; None for any other error."""
    toolkit: Any = sys.modules.get(NAME)
    if toolkit is None or not isinstance(error, toolkit.BaseInferenceToolkitError):
        return None
    chosen: Any = error
    return int(chosen.status_code), str(chosen.message)

"""SageMaker's PyTorch serving container on one machine: `python -m localcloud.programs.pytorch_inference serve`.

The model folder (`$SAGEMAKER_BASE_DIR/model`) holds the weights and `code/inference.py`, whose functions are called as
the PyTorch inference toolkit calls them:

    model_fn(model_dir)                   the model, loaded once
    input_fn(body, content_type)          a request's body to the model's input; str for JSON and CSV, else bytes
    predict_fn(data, model)               the model's output
    output_fn(prediction, accept)         the response's body, or (body, content type)
    transform_fn(model, body, content_type, accept)    instead of the three above

Each may take `context` as its last parameter. A missing one has the toolkit's default, which needs PyTorch; PyTorch is
imported only then, or when the handler itself does. requirements.txt beside the handler is not installed here.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from localcloud.errors import ArtifactError, SettingError
from localcloud.programs import pytorch_defaults
from localcloud.programs.serving import Predict, RequestError, serve

TEXT_TYPES = ("application/json", "application/jsonlines", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")


@dataclass(frozen=True)
class ServingContext:
    """What handlers get as `context`: where the model is, and that it is on the CPU."""

    model_dir: str
    system_properties: dict[str, Any] = field(default_factory=dict)


def load_predictor(model_dir: Path) -> Predict:
    """Import the handlers of `model_dir/code`, load the model with them, and give the prediction function.

    Raises ArtifactError when the folder has no handler, or the handler or the model cannot be loaded.
    """
    code = Path(os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or model_dir / "code")
    program = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    handlers = _handlers(_import_program(code, program), code / program)
    context = ServingContext(str(model_dir), {"gpu_id": None, "model_dir": str(model_dir)})
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "application/json"
    try:
        model = _call(handlers["model_fn"], context, str(model_dir))
    except Exception as error:  # whatever the user's code raises, the model is not there
        traceback.print_exc()
        raise ArtifactError(
            f"Loading the model in {model_dir}: model_fn raised {type(error).__name__}: {error}."
        ) from error

    def predict(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        accept = default_accept if accept in ("", "*/*") else accept
        try:
            received = body.decode("utf-8") if content_type in TEXT_TYPES else body
            if "transform_fn" in handlers:
                response = _call(handlers["transform_fn"], context, model, received, content_type, accept)
            else:
                data = _call(handlers["input_fn"], context, received, content_type)
                prediction = _call(handlers["predict_fn"], context, data, model)
                response = _call(handlers["output_fn"], context, prediction, accept)
            return _response(response, accept)
        except Exception as error:  # the toolkit answers 500 to whatever the user's code raises
            raise RequestError(500, f"{error}\n{traceback.format_exc()}") from error

    return predict


def _import_program(code: Path, program: str) -> ModuleType:
    path = code / program
    if not path.is_file():
        raise ArtifactError(
            f"Loading the model's code: there is no {path}.",
            "Pack the handler as code/inference.py, or name it in SAGEMAKER_PROGRAM.",
        )
    if (code / "requirements.txt").exists():
        print(f"{code / 'requirements.txt'} is not installed: this process's own packages are used.", flush=True)
    sys.path.insert(0, str(code))
    try:
        return importlib.import_module(path.stem)
    except Exception as error:  # the user's module may raise anything while it is imported
        traceback.print_exc()
        raise ArtifactError(f"Importing {path}: {type(error).__name__}: {error}.") from error


def _handlers(module: ModuleType, path: Path) -> dict[str, Callable[..., Any]]:
    """The module's handlers, with the defaults for those it does not have."""
    found = {name: getattr(module, name) for name in HANDLERS if hasattr(module, name)}
    own = [name for name in ("input_fn", "predict_fn", "output_fn") if name in found]
    if "transform_fn" in found and own:
        raise ArtifactError(f"{path} has transform_fn and {', '.join(own)}.", "Keep transform_fn alone, or the others.")
    defaults: dict[str, Callable[..., Any]] = {
        "model_fn": pytorch_defaults.model_fn,
        "input_fn": pytorch_defaults.input_fn,
        "predict_fn": pytorch_defaults.predict_fn,
        "output_fn": pytorch_defaults.output_fn,
    }
    return defaults | found


def _call(handler: Callable[..., Any], context: ServingContext, *arguments: Any) -> Any:
    takes_context = "context" in inspect.signature(handler).parameters
    return handler(*arguments, context=context) if takes_context else handler(*arguments)


def _response(response: Any, accept: str) -> tuple[bytes, str]:
    body, content_type = response if isinstance(response, tuple) else (response, accept)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes | bytearray):
        raise TypeError(f"the response must be str or bytes, and the handler gave {type(body).__name__}")
    return bytes(body), str(content_type)


def main(arguments: list[str]) -> int:
    """Run the container's command `serve`; gives the process's exit code."""
    if arguments != ["serve"]:
        sys.stderr.write("usage: python -m localcloud.programs.pytorch_inference serve\n")
        return SettingError.exit_code
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    return serve(lambda: load_predictor(base / "model"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

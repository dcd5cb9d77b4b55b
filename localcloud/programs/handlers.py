"""The handlers of a framework's serving container: functions in the user's script, called as AWS's toolkits call them.

    model_fn(model_dir)                   the model, loaded once
    input_fn(body, content_type)          a request's body to the model's input; str for JSON and CSV, else bytes
    predict_fn(data, model)               the model's output
    output_fn(prediction, accept)         the response's body, or (body, content type)
    transform_fn(model, body, content_type, accept)    instead of the three above

Each may take `context` as its last parameter, and give its answer headers with context.set_response_header(0, name,
value): `X-Amzn-SageMaker-Custom-Attributes` reaches who invoked the endpoint (pytorch/serve, ts/context.py). A missing
handler has the framework's default, and a missing script all of them, if the framework loads models by itself
(sagemaker-inference-toolkit, transformer.py). A requirements.txt beside the handler is installed first.

The script is named by SAGEMAKER_PROGRAM and lies in SAGEMAKER_SUBMIT_DIRECTORY: a folder, or a tar.gz in S3, which is
unpacked to `$SAGEMAKER_BASE_DIR/code`. Source: sagemaker-inference-toolkit and sagemaker-containers, both Apache-2.0.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from localcloud.errors import ArtifactError, SettingError
from localcloud.programs.requirements import install_requirements
from localcloud.programs.script_mode import unpack_object
from localcloud.programs.serving import Answer, Predict, RequestError, serve
from localcloud.programs.toolkit_errors import chosen_answer

TEXT_TYPES = ("application/json", "application/jsonlines", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
PACK_THE_HANDLER = "Pack the handler as code/inference.py, or name it in SAGEMAKER_PROGRAM."
Defaults = Mapping[str, Callable[..., Any]]
"""What a framework does where the script has no function of that name; without one for model_fn it must have that."""


class UnsupportedTypeError(ValueError):
    """A default handler does not read the request's content type, or does not write what is asked for."""


@dataclass(frozen=True)
class ServingContext:
    """What handlers get as `context`: where the model is, that it is on the CPU, and the headers of this answer."""

    model_dir: str
    system_properties: dict[str, Any] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """Give the answer to request `idx` of the batch a header; a batch here has one."""
        if idx:
            raise IndexError(f"set_response_header: request {idx} of a batch that has one")
        self.response_headers[key] = value


def script(model_dir: Path) -> tuple[Path, str]:
    """The folder with the user's script, and its name: what the variables say, else `code/inference.py` of the model.

    Raises:
        ArtifactError: the source folder in S3 is not there, or no archive.
    """
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or str(model_dir / "code")
    folder = Path(code)
    if code.startswith("s3://"):
        folder = model_dir.parent / "code"
        unpack_object(code, folder)
    return folder, os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"


def load_predictor(model_dir: Path, defaults: Defaults) -> Predict:
    """Import the user's script, load the model with it, and give the prediction function.

    Raises:
        ArtifactError: there is no script, or it or the model cannot be loaded.
    """
    code, program = script(model_dir)
    path = code / program
    alone = "model_fn" in defaults and not path.is_file()
    handlers = dict(defaults) if alone else _handlers(_import_program(code, program), path, defaults)
    loading = ServingContext(str(model_dir), {"gpu_id": None, "model_dir": str(model_dir)})
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "application/json"
    try:
        model = _call(handlers["model_fn"], loading, str(model_dir))
    except Exception as error:  # whatever the user's code raises, the model is not there
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        if alone:
            raise ArtifactError(
                f"Loading the model's code: there is no {path}, and without it {said}.", PACK_THE_HANDLER
            ) from error
        raise ArtifactError(f"Loading the model in {model_dir}: model_fn raised {said}.") from error

    def predict(body: bytes, content_type: str, accept: str) -> Answer:
        context = replace(loading, response_headers={})
        accept = default_accept if accept in ("", "*/*") else accept
        try:
            received = body.decode("utf-8") if content_type in TEXT_TYPES else body
            if "transform_fn" in handlers:
                response = _call(handlers["transform_fn"], context, model, received, content_type, accept)
            else:
                data = _typed(415, handlers["input_fn"], context, received, content_type)
                prediction = _call(handlers["predict_fn"], context, data, model)
                response = _typed(406, handlers["output_fn"], context, prediction, accept)
            answer = _response(response, accept)
            return (*answer, context.response_headers) if context.response_headers else answer
        except RequestError:
            raise
        except Exception as error:  # the toolkit answers 500 to whatever else the user's code raises
            status, says = chosen_answer(error) or (500, str(error))
            raise RequestError(status, f"{says}\n{traceback.format_exc()}") from error

    return predict


def _import_program(code: Path, program: str) -> ModuleType:
    path = code / program
    if not path.is_file():
        raise ArtifactError(f"Loading the model's code: there is no {path}.", PACK_THE_HANDLER)
    install_requirements(code)
    importlib.invalidate_caches()
    sys.path.insert(0, str(code))
    try:
        return importlib.import_module(path.stem)
    except Exception as error:  # the user's module may raise anything while it is imported
        traceback.print_exc()
        raise ArtifactError(f"Importing {path}: {type(error).__name__}: {error}.") from error


def _handlers(module: ModuleType, path: Path, defaults: Defaults) -> dict[str, Callable[..., Any]]:
    """The module's handlers, with the defaults for those it does not have."""
    found = {name: getattr(module, name) for name in HANDLERS if hasattr(module, name)}
    own = [name for name in ("input_fn", "predict_fn", "output_fn") if name in found]
    if "transform_fn" in found and own:
        raise ArtifactError(f"{path} has transform_fn and {', '.join(own)}.", "Keep transform_fn alone, or the others.")
    if "model_fn" not in found and "model_fn" not in defaults:
        raise ArtifactError(f"{path} has no model_fn, and this framework has no default for it.")
    return {**defaults, **found}


def _call(handler: Callable[..., Any], context: ServingContext, *arguments: Any) -> Any:
    takes_context = "context" in inspect.signature(handler).parameters
    return handler(*arguments, context=context) if takes_context else handler(*arguments)


def _typed(status: int, handler: Callable[..., Any], context: ServingContext, *arguments: Any) -> Any:
    """Call a handler; a content type that it does not know is answered with `status`."""
    try:
        return _call(handler, context, *arguments)
    except UnsupportedTypeError as error:
        raise RequestError(status, str(error)) from None


def _response(response: Any, accept: str) -> tuple[bytes, str]:
    body, content_type = response if isinstance(response, tuple) else (response, accept)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes | bytearray):
        raise TypeError(f"the response must be str or bytes, and the handler gave {type(body).__name__}")
    return bytes(body), str(content_type)


def run(arguments: list[str], defaults: Defaults) -> int:
    """Run a framework container's command `serve`; gives the process's exit code."""
    if arguments != ["serve"]:
        sys.stderr.write("usage: python -m localcloud.programs.<framework>_inference serve\n")
        return SettingError.exit_code
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    return serve(lambda: load_predictor(base / "model", defaults))

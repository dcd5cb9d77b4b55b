"""Write down every AWS call that a process makes with botocore: who, what, and on which resource.

Python imports this module at its start when the folder is on PYTHONPATH, before anything else of the program. It does
nothing unless SCONES_RECORDED_CALLS names a file; then each call is one line of JSON in it:

    {"who": "function:scones-unlimited-alert", "call": "sns:Publish", "parameters": {"TopicArn": "arn:aws:sns:..."}}

Of the parameters only what identifies resources is kept, never a body, a message or a picture.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

FILE = "SCONES_RECORDED_CALLS"
IDENTIFIES = ("Name", "Names", "Arn", "ARN", "Bucket", "Key", "Prefix", "Source", "Namespace")
"""How the names of parameters end that say what a call acts on."""


def identifying(value: Any, name: str = "") -> Any:
    """What of a call's parameters says which resources it is about; None when nothing does."""
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := identifying(one, key)) is not None} or None
    if isinstance(value, list):
        return [kept for one in value if (kept := identifying(one, name)) is not None] or None
    return value if isinstance(value, str) and name.endswith(IDENTIFIES) else None


def who() -> str:
    """The Lambda function, job or program that this process is."""
    if function := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return f"function:{function}"
    if "SAGEMAKER_BASE_DIR" in os.environ:
        return "job"
    return "sagemaker" if "localcloud.sagemaker.jobs.child" in sys.modules else "command"


def _record(client: ModuleType) -> None:
    make = client.BaseClient._make_api_call

    @wraps(make)
    def recording(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        call = f"{self.meta.service_model.service_name}:{operation_name}"
        _append({"who": who(), "call": call, "parameters": identifying(api_params) or {}})
        return make(self, operation_name, api_params)

    client.BaseClient._make_api_call = recording


def _append(call: dict[str, Any]) -> None:
    line = json.dumps(call).encode() + b"\n"
    try:
        descriptor = os.open(os.environ[FILE], os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, line)  # one write: lines of several processes do not mix
        os.close(descriptor)
    except OSError as error:  # the program must go on as if nobody looked
        sys.stderr.write(f"not recorded: {error}\n")


def _hand_on(child: Any) -> None:
    """Jobs get a scrubbed environment; let them be recorded as well."""
    child.INHERITED += ("PYTHONPATH", FILE)


HOOKS: dict[str, Callable[[ModuleType], None]] = {
    "botocore.client": _record,
    "localcloud.sagemaker.jobs.child": _hand_on,
}


def _guard() -> Any:
    """The guard's own start-up module, by its file: this process need not have localcloud."""
    path = Path(__file__).parents[3] / "localcloud" / "guard" / "sitecustomize.py"
    spec = importlib.util.spec_from_file_location("guard_at_start", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


guard = _guard()
if FILE in os.environ:
    sys.meta_path.insert(0, guard.AfterImport(HOOKS))
guard.run_the_next_one(__file__)

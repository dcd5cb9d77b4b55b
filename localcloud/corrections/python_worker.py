"""Runs in a Python function's own process: AWS's runtime interface client, fed by MiniStack's pipes instead of HTTP.

MiniStack starts it (`ministack.core.lambda_runtime.Worker`) and writes lines to its standard input: first what the
function is, as JSON; an empty line once "ready" was read; then an envelope of JSON for each invocation. Lines of JSON
go back on what was standard output:

    {"status": "ready"}                                   at once
    {"status": "started"}                                 the handler is imported
    {"status": "ok", "result": JSON text}                 or "bytes": base64, when the handler returned bytes
    {"status": "error" or "failed", "error": JSON text}   of an invocation, or of the import

Both standard streams are the log. A line of `MARK` and the request's id says that an invocation's log is complete.
The module is run as a script from its text alone: it imports nothing of this project. Its argument is the folder of the
runtime's libraries (runtime_libraries.py); it is started without any other one, so without the module `site`.
"""

import base64
import importlib.util
import json
import os
import site
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(1, sys.argv[1])

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import InvocationRequest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller, to_json

MARK = "\0end "
DEPTH_VARIABLE = "_MINISTACK_INVOKE_DEPTH"
DEPTH_HEADER = "X-Ministack-Invoke-Depth"
"""How MiniStack knows that a function calls a function: it stops loops, and never makes such a call wait."""
TASK_ROOT = "/var/task"
"""Where a function's code is on AWS; error documents name it, logs the real folder."""


class Marshaller(LambdaMarshaller):
    """AWS's own, but events have been parsed together with their envelope."""

    def unmarshal_request(self, request: Any, content_type: str = "application/json") -> Any:
        return request


class Pipe:
    """What `awslambdaric.bootstrap.run` asks of the client of the runtime API."""

    marshaller = Marshaller()

    def __init__(self, requests: Any, answers: Any, code: str) -> None:
        self.requests, self.answers, self.code = requests, answers, code
        self.started = False

    def answer(self, **line: Any) -> None:
        self.answers.write(json.dumps(line) + "\n")
        self.answers.flush()

    def wait_next_invocation(self) -> InvocationRequest:
        if not self.started:
            self.started = True
            self.answer(status="started")
        line = self.requests.readline()
        if not line:
            sys.exit(0)
        envelope = json.loads(line)
        details = envelope["ctx"]
        for name, value in {DEPTH_VARIABLE: details.get("depth"), **(details.get("durable") or {})}.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = str(value)
        return InvocationRequest(
            invoke_id=details["request_id"],
            x_amzn_trace_id=details.get("trace_id"),
            invoked_function_arn=details["invoked_function_arn"],
            deadline_time_in_ms=int(time.time() * 1000) + details["timeout_ms"],
            client_context=None,
            cognito_identity=None,
            tenant_id=None,
            content_type="application/json",
            event_body=envelope["event"],
            invocation_id=None,
        )

    def post_invocation_result(self, invoke_id: str, result: Any, content_type: str, invocation_id: Any = None) -> None:
        self.end_log(invoke_id)
        if isinstance(result, bytes):
            self.answer(status="ok", bytes=base64.b64encode(result).decode())
        else:
            self.answer(status="ok", result=result)

    def post_invocation_error(self, invoke_id: str, error: str, xray_fault: str, invocation_id: Any = None) -> None:
        self.end_log(invoke_id)
        self.answer(status="error", error=error.replace(self.code, TASK_ROOT))

    def post_init_error(self, error: dict[str, Any], error_type: str | None = None) -> None:
        self.answer(status="failed", error=to_json(error).replace(self.code, TASK_ROOT))

    def restore_next(self) -> None:
        """SnapStart: the snapshot is this very process."""

    def report_restore_error(self, error: dict[str, Any]) -> None:
        self.post_init_error(error)

    def end_log(self, invoke_id: str) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(2, f"{MARK}{invoke_id}\n".encode())


def set_path(code: str, packages: str, layers: list[str], own: bool) -> None:
    """Search as AWS's bootstrap.py does: code, layers, libraries of the runtime, standard library; .pth files count.

    Args:
        own: whether the function sets PYTHONPATH, which then takes the place of layers, and the runtime comes last.
    """
    sys.path[0] = code
    sys.path.remove(packages)
    if own:
        sys.path.append(packages)
        site.addsitedir(code)
        return
    of_layers = [
        str(Path(folder, "python", inner))
        for inner in (f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", "")
        for folder in reversed(layers)  # the last layer wins, as it does when all are unpacked into /opt
        if Path(folder, "python", inner).is_dir()
    ]
    sys.path[1:1] = [*of_layers, packages]
    for folder in (code, *of_layers):
        site.addsitedir(folder)
    os.environ["PYTHONPATH"] = packages  # AWS's is $LAMBDA_RUNTIME_DIR: children of the function find boto3 too


def do_as_site() -> None:
    """Do what the module `site` does in every other Python but for its folders: exit, help, sitecustomize."""
    site.setquit()
    site.setcopyright()
    site.sethelper()
    if "PYTHONPATH" in os.environ:
        site.execsitecustomize()


class TellDepth:
    """A finder that has every request of boto3 say how deep in calls of functions by functions it is made.

    It waits until the function itself imports botocore, which takes 20 MB and a tenth of a second.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "botocore.handlers":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run: Any = spec.loader.exec_module

            def run_and_add(module: Any) -> None:
                run(module)
                if module.__name__ == name:  # the loader of a zip archive loads every module in it
                    module.BUILTIN_HANDLERS.append(("before-call", add_depth))

            spec.loader.exec_module = run_and_add  # type: ignore[method-assign]
        return spec


def add_depth(params: dict[str, Any], **_: Any) -> None:
    """Put the depth into the headers of a request."""
    if depth := os.environ.get(DEPTH_VARIABLE):
        params["headers"].setdefault(DEPTH_HEADER, depth)


def main() -> None:
    """Serve one function until MiniStack closes the pipe."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what the function and its children print is log
    function = json.loads(requests.readline())
    code = os.environ.get("LAMBDA_TASK_ROOT") or function["code_dir"]
    pipe = Pipe(requests, answers, code)
    pipe.answer(status="ready")
    requests.readline()
    do_as_site()
    layers = [folder for folder in os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if folder]
    set_path(code, sys.argv.pop(), layers, "PYTHONPATH" in function["env"])
    sys.meta_path.insert(0, TellDepth())
    if function.get("snapstart"):
        os.environ[bootstrap.AWS_LAMBDA_INITIALIZATION_TYPE] = bootstrap.INIT_TYPE_SNAP_START
    bootstrap.run(os.environ["_HANDLER"], pipe)


if __name__ == "__main__":
    main()

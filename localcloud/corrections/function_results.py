"""Results, errors and logs of Python functions are what AWS's runtime makes of them."""

from __future__ import annotations

import base64
import json
import os
import queue
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from localcloud.corrections import missing_libraries, python_worker, seam
from localcloud.corrections.private_folders import LAYERS_VARIABLE

BEHAVIOUR = (
    "A Python function's result may hold bytes and Decimals; an error has the exception's class, message, request and "
    "stack; import errors, missing handlers, time-outs and exits have names of their own; logging reaches the log; a "
    "function that raised stays warm, and one that prints nothing answers at once."
)
EVIDENCE = (
    "AWS's own runtime interface client runs in the function's process (PyPI awslambdaric, Apache-2.0). "
    "Sandbox.Timedout and Runtime.ExitError: the developer guide's troubleshooting, and messages in public issues."
)
MINISTACK = "1.5.33"

INIT_SECONDS = 10.0
"""Seconds for importing the handler before the function's own time-out begins (developer guide, init phase)."""
EXIT_SECONDS = 2.0
"""A process that has closed its pipe is about to end; one that goes on without it is ended."""
LOG_PATIENCE = 1.0
"""Seconds to wait for the rest of the log of a process that has ended; its children may hold the pipe open."""


class InitError(RuntimeError):
    """The handler could not be imported; the text is AWS's error document."""


class Failure(str):
    """The text of an error for MiniStack, which carries the whole error document."""

    document: dict[str, Any]


class PythonWorker(lambda_runtime.Worker):
    """A warm process of one Python function that runs python_worker.py."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, {**config, "Environment": {"Variables": _variables(config)}}, code_zip)
        self._layers = config.get("Layers") or []

    def _spawn(self) -> None:
        """Start the process and wait until the handler is imported, but no longer than AWS does.

        Raises:
            InitError: it cannot be imported.
            EOFError: the process ended meanwhile.
        """
        variables = self.config["Environment"]["Variables"]
        variables[LAYERS_VARIABLE] = os.pathsep.join(filter(None, map(_layer_folder, self._layers)))
        self.config["Layers"] = []  # MiniStack would unpack them once more for each process
        super()._spawn()
        self._unread = b""
        self._proc.stdin.write("\n")
        self._proc.stdin.flush()
        try:
            answer = self._receive(INIT_SECONDS)
        except TimeoutError:
            return  # what is left of the import counts as the first invocation
        if answer["status"] == "failed":
            raise InitError(answer["error"])

    def _read_stderr(self) -> None:
        """Collect the log's lines, whatever their bytes; None says that no more will come."""
        lines: queue.Queue[str | None] = self._stderr_queue
        for line in self._proc.stderr.buffer:
            lines.put(line.decode("utf-8", errors="replace").rstrip("\n"))
        lines.put(None)

    def invoke(
        self,
        event: Any,
        request_id: str,
        *,
        trace_id: str | None = None,
        depth: int | None = None,
        durable: dict[str, str] | None = None,
        invoked_function_arn: str | None = None,
    ) -> dict[str, Any]:
        """Run one invocation: status "ok" with the result, or "error" with a `Failure`; and the log."""
        timeout = float(self.config.get("Timeout", 3))
        details = {
            "request_id": request_id,
            "invoked_function_arn": invoked_function_arn or self.config.get("FunctionArn", ""),
            "timeout_ms": int(timeout * 1000),
            "trace_id": trace_id,
            "depth": depth,
            "durable": durable or {},
        }
        with self._lock:
            cold = self._proc is None or self._proc.poll() is not None
            try:
                if cold:
                    self._spawn()
                    self._cold = False
                self._proc.stdin.write(json.dumps({"event": event, "ctx": details}) + "\n")
                self._proc.stdin.flush()
                answer = self._receive(timeout)
                if answer["status"] == "started":
                    answer = self._receive(timeout)
            except InitError as error:
                self._end()
                answer = {"status": "error", "error": {**json.loads(str(error)), "requestId": request_id}}
            except TimeoutError:
                self._end()
                problem = f"Task timed out after {timeout:.2f} seconds"
                answer = {"status": "error", "error": _failure("Sandbox.Timedout", problem, request_id)}
            except (EOFError, BrokenPipeError):
                problem = self._end(EXIT_SECONDS)
                answer = {"status": "error", "error": _failure("Runtime.ExitError", problem, request_id)}
            else:
                if answer["status"] == "error":
                    answer["error"] = json.loads(answer["error"])
            log = self._log(request_id)
        if answer["status"] == "error":
            help_ = missing_libraries.hint(answer["error"].get("errorMessage") or "", self.config["Runtime"])
            log = "\n".join(filter(None, (log, help_)))
        return {**_unpacked(answer), "cold_start": cold, "log": log, "trace": ""}

    def _receive(self, patience: float) -> dict[str, Any]:
        """The next line of the process.

        Raises:
            TimeoutError: it has sent none within so many seconds.
            EOFError: it has ended.
        """
        source, deadline = self._proc.stdout.fileno(), time.monotonic() + patience
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                more = os.read(source, 1 << 16)
                if not more:
                    raise EOFError
                self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)  # type: ignore[no-any-return]

    def _log(self, request_id: str) -> str:
        """The log of an invocation: all of it, as the process says when it is complete."""
        lines = []
        with suppress(queue.Empty):
            while (line := self._stderr_queue.get(timeout=LOG_PATIENCE)) is not None:
                text, mark, of = line.partition(python_worker.MARK)
                if text or not mark:
                    lines.append(text)
                if of == request_id:
                    break
        return "\n".join(lines)

    def _end(self, patience: float = 0.0) -> str:
        """End the process, if it does not so by itself, and say how it ended in AWS's words."""
        process: subprocess.Popen[str] = self._proc
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        process.kill()
        code = process.wait()
        if code == 0:
            return "Runtime exited without providing a reason"
        if code > 0:
            return f"Runtime exited with error: exit status {code}"
        return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"


def _layer_folder(layer: Any) -> str:
    """Where a layer's content is, unpacked once for all functions that have it; "" for one that nobody has here."""
    content = lambda_svc._resolve_layer_zip(layer)
    return lambda_svc._docker_extracted_dir(content, "layer") if content else ""


def _variables(config: dict[str, Any]) -> dict[str, str]:
    """The function's variables, and those of AWS's that MiniStack does not set and the runtime reads."""
    logging = config.get("LoggingConfig") or {}
    set_by_aws = {
        "_HANDLER": config.get("Handler", ""),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}",
    }
    if logging.get("LogFormat") == "JSON":
        set_by_aws["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        set_by_aws["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel", "INFO")
    return {"TZ": ":UTC", **(config.get("Environment") or {}).get("Variables", {}), **set_by_aws}


def _failure(error_type: str, problem: str, request_id: str) -> dict[str, Any]:
    """What the platform itself answers when there is no runtime left to do it."""
    return {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {problem}"}


def _unpacked(answer: dict[str, Any]) -> dict[str, Any]:
    if answer["status"] == "ok":
        content = answer.get("bytes")
        result = json.loads(answer["result"]) if content is None else base64.b64decode(content)
        return {"status": "ok", "result": result}
    failure = Failure(answer["error"]["errorMessage"])
    failure.document = answer["error"]
    return {"status": "error", "error": failure}


def _worker_class(original: Callable[..., Any]) -> Callable[..., Any]:
    def choose(config: dict[str, Any]) -> Any:
        return PythonWorker if str(config.get("Runtime", "")).startswith("python") else original(config)

    return choose


def _execute(original: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack keeps of an error only its message; give the answer the whole document."""

    def execute(func: dict[str, Any], event: Any, request_id: str) -> Any:
        result = original(func, event, request_id)
        message = result["body"].get("errorMessage") if result.get("error") else None
        if isinstance(message, Failure):
            result["body"] = message.document
        return result

    return execute


def apply() -> None:
    """Raises SeamError when MiniStack starts and runs Python functions in another way."""
    init = ("self", "func_name", "config", "code_zip")
    invoke = ("self", "event", "request_id", "trace_id", "depth", "durable", "invoked_function_arn")
    worker = lambda_runtime.Worker
    for name, parameters in (("__init__", init), ("invoke", invoke), ("_spawn", init[:1]), ("_read_stderr", init[:1])):
        seam.original(__name__, worker, name, *parameters)
    seam.original(__name__, lambda_svc, "_resolve_layer_zip", "attachment")
    seam.original(__name__, lambda_svc, "_docker_extracted_dir", "blob", "kind")
    if not isinstance(getattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", None), str):
        raise seam.SeamError(
            "Correction function_results does not fit this MiniStack: lambda_runtime._PYTHON_WORKER_SCRIPT is no text."
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = Path(python_worker.__file__).read_text(encoding="utf-8")
    seam.replace(__name__, lambda_runtime, "_worker_class_for", "config", by=_worker_class)
    seam.replace(__name__, lambda_svc, "_execute_function_warm", "func", "event", "request_id", by=_execute)

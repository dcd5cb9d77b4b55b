"""A program that has imported what verbs of `scones` import, and forks into `scones` for whoever asks on its socket.

    python command_server.py SOCKET      ends when its standard input does

A request is one line of JSON: `command`, `environment`, `folder`, and the `files` that are stdin, stdout and stderr.
The answer is two lines: the number of the process, and at its end its exit code, negative for a signal.
"""

import gc
import importlib
import json
import os
import select
import socketserver
import sys

from pipelines.definition.build import build
from project.names import Names
from project.settings import Settings

STREAMS = ("stdin", "stdout", "stderr")


class Supervisor(socketserver.StreamRequestHandler):
    """One request, in a process forked for it, which forks the command and waits for its end."""

    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        command = os.fork()
        if command == 0:
            self.connection.close()
            os._exit(_run(**request))
        self.wfile.write(b"%d\n" % command)
        _, status = os.waitpid(command, 0)
        self.wfile.write(b"%d\n" % os.waitstatus_to_exitcode(status))


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks for every request."""

    def service_actions(self) -> None:
        super().service_actions()
        if select.select([sys.stdin], [], [], 0)[0]:
            raise SystemExit


def _run(command: list[str], environment: dict[str, str], folder: str, files: list[str]) -> int:
    """Be that command; its exit code."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY), number)
        setattr(sys, STREAMS[number], os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    sys.argv = command
    try:
        importlib.import_module("scones.cli.main").main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def main(address: str) -> None:
    """Import, and serve."""
    gc.set_threshold(200_000, 30, 30)  # as `scones` itself does
    for module in ("infra.stack", "localcloud.up", "scones.cli.main", "scones.reports.execution_page"):
        importlib.import_module(module)
    build(Names(Settings(), "000000000000"))  # nothing but a rendering imports all of the SDK
    gc.freeze()
    with Server(address, Supervisor) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])

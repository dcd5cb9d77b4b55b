"""`python -m localcloud.ministack`: run MiniStack behind the door until SIGTERM or SIGINT.

What is served is MiniStack's ASGI application with our corrections applied (corrections/) and the local Step Functions
in the place of its own (bridge.py), on the server and with the settings that its own command has. Other options are
environment variables (parts.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
from pathlib import Path

from localcloud.memory import leave_out, share_arenas

leave_out("docker")  # before MiniStack is imported: there is none here, and its client takes 16 MB

from hypercorn.asyncio import serve  # noqa: E402
from hypercorn.config import Config  # noqa: E402

from localcloud.bridge import connect  # noqa: E402
from localcloud.corrections import apply_corrections  # noqa: E402
from localcloud.corrections.runtime_libraries import MissingLibraryError  # noqa: E402
from localcloud.corrections.seam import SeamError  # noqa: E402
from localcloud.door import guarded  # noqa: E402
from localcloud.environment import HOST  # noqa: E402
from localcloud.roles import sessions  # noqa: E402
from localcloud.roles.answers import with_roles  # noqa: E402
from localcloud.service_models import keep_metadata_only  # noqa: E402

KEEP_ALIVE_SECONDS = 75  # longer than SDKs keep an idle connection


def main() -> None:
    """Serve on 127.0.0.1:$GATEWAY_PORT; MiniStack saves its state at the end.

    Raises:
        OSError: the port is taken.
        SystemExit: a correction does not fit this MiniStack, or a function's runtime lacks a library.
    """
    parser = argparse.ArgumentParser(prog="python -m localcloud.ministack", description=__doc__)
    parser.add_argument("--stepfunctions", required=True, help="URL at which Step Functions answers")
    parser.add_argument("--sessions", type=Path, help="enforce roles, and keep sessions of them in this file")
    options = parser.parse_args()
    share_arenas()
    try:
        apply_corrections()
        keep_metadata_only()
        application = connect(options.stepfunctions)
        if options.sessions:
            sessions.keep_in(options.sessions)
            application = with_roles(application)
    except (SeamError, MissingLibraryError) as error:
        sys.exit(str(error))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each connection and each function's pipes take some
    config = Config()
    config.bind = [f"{HOST}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    asyncio.run(serve(guarded(application), config))


if __name__ == "__main__":
    main()

"""`python -m localcloud.stepfunctions --state DIR --port N --ministack URL --sagemaker URL`: run until a signal."""

from __future__ import annotations

import logging

from localcloud.roles.client import Roles
from localcloud.service.process import arguments, begin, serve
from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.cloud import DATABASE, StatesCloud
from localcloud.stepfunctions.news import Courier
from localcloud.stepfunctions.protocol import require_whole_stores
from localcloud.stepfunctions.server import application


def main(argv: list[str] | None = None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    Raises:
        SystemExit: another server holds the state folder, or a database in it is damaged.
    """
    parser = arguments("python -m localcloud.stepfunctions", __doc__)
    parser.add_argument("--sagemaker", help="URL of the local SageMaker, when there is one")
    parser.add_argument("--events", action="store_true", help="tell MiniStack's EventBridge of executions")
    parser.add_argument("--enforce-roles", action="store_true", help="act in the name of state machines' roles")
    parser.add_argument("--region", default="us-east-1")
    options = parser.parse_args(argv)
    lock = begin(options.state, "stepfunctions", "Step Functions")
    require_whole_stores(options.state, DATABASE)
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # it tells every failure of a user's state at length
    urls = {"stepfunctions": f"http://127.0.0.1:{options.port}"}
    if options.sagemaker:
        urls |= {"sagemaker": options.sagemaker, "sagemaker-runtime": options.sagemaker}
    roles = Roles(options.ministack, options.region) if options.enforce_roles else None
    if roles:
        del urls["stepfunctions"]  # MiniStack's port leads there too, and looks at policies first
    cloud = StatesCloud(options.state.resolve(), Clients(options.ministack, urls, roles), region=options.region)
    if options.events:
        cloud.tell = Courier(options.ministack).tell
    with lock:
        serve(application(cloud), options.port)


if __name__ == "__main__":
    main()

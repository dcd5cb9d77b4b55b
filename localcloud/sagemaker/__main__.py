"""`python -m localcloud.sagemaker --state DIR --port N --ministack URL`: run the local SageMaker until a signal."""

from __future__ import annotations

import os

from localcloud import image_table
from localcloud.errors import LocalCloudError
from localcloud.roles.client import Roles
from localcloud.sagemaker.cloud import DATABASE, Cloud
from localcloud.sagemaker.server import application
from localcloud.sagemaker.store_file import require_whole_stores
from localcloud.service.process import arguments, begin, serve


def main(argv: list[str] | None = None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    Raises:
        SystemExit: another server holds the state folder, a database in it is damaged, or a row of the image table is
            wrong.
    """
    parser = arguments("python -m localcloud.sagemaker", __doc__)
    parser.add_argument("--region", default="us-east-1", help="the region of requests that are not signed")
    parser.add_argument("--enforce-roles", action="store_true", help="hold callers, jobs and models to their roles")
    options = parser.parse_args(argv)
    lock = begin(options.state, "sagemaker", "SageMaker")
    require_whole_stores(options.state, DATABASE)
    try:
        os.environ[image_table.VARIABLE] = str(image_table.config_file(options.state))
        image_table.programs(image_table.config_file(options.state))
    except LocalCloudError as error:
        raise SystemExit(f"Error: {error}") from None
    url = f"http://127.0.0.1:{options.port}"
    roles = Roles(options.ministack, options.region) if options.enforce_roles else None
    cloud = Cloud(options.state.resolve(), options.ministack, url, region=options.region, roles=roles)
    with lock:
        serve(application(cloud), options.port)


if __name__ == "__main__":
    main()

"""How the endpoint is watched: from the function's environment, and the parameter that says what is attached.

The parameter holds JSON: `scheduler` (see attach.py) and `why` it was taken, `version`, `model_package_arn`,
`endpoint`, `endpoint_config`, `statistics` and `constraints` (S3 addresses of the version's own baseline, or ""),
`quality` (the constraints on model quality, or ""), `since`, and `analysed_until`; the last two in epoch seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lambdas import configuration
from lambdas.objects import parsed
from lambdas.service_errors import calling

WatchRecord = dict[str, Any]


@dataclass(frozen=True)
class Watching:
    """The settings of the monitor.

    Attributes:
        schedule: name of the schedule, of either scheduler, and of the metrics' dimension MonitoringSchedule.
        undelivered_arn: the queue of what the schedule could not deliver.
        code: key in the bucket of the program, a zip that Python runs.
    """

    endpoint: str
    schedule: str
    bucket: str
    scheduler: str
    role_arn: str
    scheduler_role_arn: str
    undelivered_arn: str
    image: str
    instance_type: str
    code: str
    minimum_records: int
    sampling: int


def watching() -> Watching:
    """The settings.

    Raises:
        FailedError: NotConfigured, with the name of the variable.
    """
    return Watching(
        endpoint=configuration.endpoint_name(),
        schedule=configuration.required("MONITOR_SCHEDULE"),
        bucket=configuration.required("BUCKET"),
        scheduler=configuration.required("SCHEDULER"),
        role_arn=configuration.required("JOB_ROLE_ARN"),
        scheduler_role_arn=configuration.required("SCHEDULER_ROLE_ARN"),
        undelivered_arn=configuration.required("UNDELIVERED_ARN"),
        image=configuration.required("JOB_IMAGE"),
        instance_type=configuration.required("INSTANCE_TYPE"),
        code=configuration.required("JOB_CODE"),
        minimum_records=configuration.whole("MINIMUM_RECORDS", 30),
        sampling=configuration.whole("CAPTURE_PERCENTAGE", 100, least=0),
    )


def attached(ssm: Any) -> WatchRecord:
    """What is attached; {} when nothing is."""
    parameter = configuration.required("MONITOR_PARAMETER")
    with calling(f"reading parameter {parameter}"):
        text = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    found: WatchRecord = parsed(text, f"Parameter {parameter}")
    return found


def write_attached(ssm: Any, record: WatchRecord) -> None:
    """Say what is attached."""
    parameter = configuration.required("MONITOR_PARAMETER")
    with calling(f"writing parameter {parameter}"):
        ssm.put_parameter(Name=parameter, Value=json.dumps(record), Type="String", Overwrite=True)

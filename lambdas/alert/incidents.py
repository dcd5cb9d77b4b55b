"""Which problems people know about: one object in S3 for each that is there, `alerts/open/<key>.json`.

A problem is told when it begins, once more after REMIND_SECONDS if it is still there, and when it is over. The object
is made with a conditional write, so of two functions that report one problem at the same moment one tells it. It is
marked as told after the message went out: what SNS did not take is told by the next attempt. The dashboard shows what
the objects say: what it is, the numbers, since when, how often it was reported and told.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.alert.problem import AlertProblem, subject, text
from lambdas.objects import read_json, write_json
from lambdas.service_errors import calling

REMIND_SECONDS = 24 * 3600
TELLING_SECONDS = 45
"""How long the run that opened an incident may take to send its alert; Lambda tries again after a minute."""
OpenIncident = dict[str, Any]


def report(problem: AlertProblem, s3: Any, sns: Any, bucket: str, topic: str, now: datetime) -> bool:
    """Tell people about a problem if they do not know; whether a message went out.

    Raises:
        RetryableError, FailedError: S3 or SNS did not take it; call again.
    """
    key = f"alerts/open/{problem.key}.json"
    known: OpenIncident | None = read_json(s3, bucket, key)
    if not problem.firing:
        if known is None:
            return False
        _publish(sns, topic, problem, known)
        with calling(f"closing s3://{bucket}/{key}"):
            s3.delete_object(Bucket=bucket, Key=key)
        return True
    if known is None:
        known = _open_incident(s3, bucket, key, now)
        if known is None:
            return False  # another run opened it a moment ago, and sends the alert
    elif "told_at" not in known and _age(known, now) < TELLING_SECONDS:
        return False  # the run that opened it is still sending its alert
    known = {**known, "times": known["times"] + 1, "what": problem.what, "measured": list(problem.measured)}
    due = bool(now.timestamp() - known.get("told_at", 0) >= REMIND_SECONDS)
    if due:
        _publish(sns, topic, problem, known)
        known |= {"told_at": now.timestamp(), "told": known.get("told", 0) + 1}
    write_json(s3, bucket, key, known)
    return due


def _age(known: OpenIncident, now: datetime) -> float:
    return (now - datetime.fromisoformat(known["since"])).total_seconds()


def _open_incident(s3: Any, bucket: str, key: str, now: datetime) -> OpenIncident | None:
    made: OpenIncident = {"since": now.astimezone(UTC).isoformat(), "times": 0}
    with calling(f"opening s3://{bucket}/{key}"):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(made, allow_nan=False).encode(), IfNoneMatch="*")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in {409, 412}:
                return None
            raise
    return made


def _publish(sns: Any, topic: str, problem: AlertProblem, known: OpenIncident) -> None:
    since = datetime.fromisoformat(known["since"])
    with calling(f"publishing to {topic}"):
        sns.publish(TopicArn=topic, Subject=subject(problem), Message=text(problem, since, max(1, known["times"])))

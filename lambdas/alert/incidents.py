"""Which problems people know about: one object in S3 for each that is there, `alerts/open/<key>.json`.

A problem is told when it begins, once more after REMIND_SECONDS if it is still there, and when it is over. The object
is made with a conditional write, so of two functions that report one problem at the same moment one tells it. It is
marked as told after the message went out: what SNS did not take is told by the next attempt. The dashboard shows what
the objects say: what it is, the numbers, since when, how often it was reported and told.
"""

from __future__ import annotations

import json
from dataclasses import replace
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
        _close_incident(s3, bucket, key)
        return True
    if known and problem.version and known.get("version", "") not in {"", problem.version}:
        _close_incident(s3, bucket, key)  # that of a version which was replaced: this one begins anew
        known = None
    if known is None:
        known = _open_incident(s3, bucket, key, now)
        if known is None:
            return False  # another run opened it a moment ago, and sends the alert
    elif "told_at" not in known and _age(known, now) < TELLING_SECONDS:
        return False  # the run that opened it is still sending its alert
    problem = _most_precise(problem, known)
    known = {**known, "times": known["times"] + 1, "what": problem.what, "measured": list(problem.measured)}
    known |= {"version": problem.version, "by_run": problem.by_run}
    due = bool(now.timestamp() - known.get("told_at", 0) >= REMIND_SECONDS)
    if due:
        _publish(sns, topic, problem, known)
        known |= {"told_at": now.timestamp(), "told": known.get("told", 0) + 1}
    write_json(s3, bucket, key, known)
    return due


def _most_precise(problem: AlertProblem, known: OpenIncident) -> AlertProblem:
    """The problem in the words of the run that measured it: an alarm knows one number of it, and no feature."""
    if problem.by_run or not known.get("by_run"):
        return replace(problem, version=problem.version or known.get("version", ""))
    said = {"what": known["what"], "measured": tuple(known["measured"]), "version": known.get("version", "")}
    return replace(problem, **said, by_run=True)


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


def _close_incident(s3: Any, bucket: str, key: str) -> None:
    with calling(f"closing s3://{bucket}/{key}"):
        s3.delete_object(Bucket=bucket, Key=key)


def _publish(sns: Any, topic: str, problem: AlertProblem, known: OpenIncident) -> None:
    since = datetime.fromisoformat(known["since"])
    with calling(f"publishing to {topic}"):
        sns.publish(TopicArn=topic, Subject=subject(problem), Message=text(problem, since, max(1, known["times"])))

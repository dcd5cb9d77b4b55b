"""Lambda function Alert: alarms (from SNS), runs of the monitor and failed pipelines (from EventBridge) to messages.

It raises when a message or metric could not be sent: Lambda tries twice more, and then keeps the event in the queue of
undelivered events. Whatever was done before is found done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.alert import alarms, runs
from lambdas.alert.incidents import report
from lambdas.alert.problem import AlertProblem
from lambdas.objects import parsed
from lambdas.service_errors import calling

PROCESSING = "SageMaker Processing Job State Change"
PIPELINE = "SageMaker Model Building Pipeline Execution Status Change"
VERDICT = "Monitor Verdict"
SOURCE = "scones.monitor"
HEAD_START_SECONDS = 10.0
"""Before an alarm on what a run measured is told: the run tells the same problem, and can name the features."""

log = telemetry.logger("alert")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with the keys of the problems that people were told about, or told that they are over."""
    bucket, topic = configuration.required("BUCKET"), configuration.required("ALERTS_TOPIC")
    now, told = datetime.now(UTC), list[str]()
    for problem in _collect_problems(event):
        if report(problem, clients.s3(), clients.sns(), bucket, topic, now):
            told.append(problem.key)
    log.info("reported", extra={"told": told})
    return {"told": told}


def _collect_problems(event: dict[str, Any]) -> Iterator[AlertProblem]:
    project = configuration.required("PROJECT")
    for record in event.get("Records", []):
        message = parsed(record["Sns"]["Message"], "The alarm's message")
        if message["NewStateValue"] == "ALARM" and alarms.key(message, project) in alarms.JUDGED:
            time.sleep(HEAD_START_SECONDS)
        yield from _follow_alarm(message, project)
    if event.get("detail-type") == PROCESSING:
        yield from _judge_run(event["detail"]["ProcessingJobName"])
    elif event.get("detail-type") == PIPELINE:
        yield _of_pipeline(event["detail"])


def _follow_alarm(message: dict[str, Any], project: str) -> Iterator[AlertProblem]:
    """The problem that the alarm tells, again if the alarm has changed by the time that it was reported.

    The message of that change may be heard by another worker in the same second, which then finds nothing to end, or
    ends what begins anew. Of two workers the one that writes last also looks last.
    """
    told = None
    while (present := alarms.present(message, clients.cloudwatch()))[0] != told:
        told, reason = present
        if found := alarms.problem(message, project, told, reason):
            yield found


def _judge_run(name: str) -> Iterator[AlertProblem]:
    with calling(f"looking at {name}"):
        job = clients.sagemaker().describe_processing_job(ProcessingJobName=name)
    if job.get("Environment", {}).get("sagemaker_endpoint_name") != configuration.endpoint_name():
        return  # another project's
    found = runs.summary(clients.s3(), job) if job["ProcessingJobStatus"] == "Completed" else None
    broken = runs.violations(clients.s3(), job) if found else []
    share = runs.captured_share(clients.cloudwatch(), found, job) if found else None
    yield from runs.problems(job, found, broken, share)
    runs.publish(clients.cloudwatch(), found, job, share)  # afterwards: alarms on these metrics know less
    if found:
        _announce(job, found, broken)


def _announce(job: dict[str, Any], found: dict[str, Any], broken: list[dict[str, str]]) -> None:
    """The verdict as an event of our own: what a rule can act on, such as training again."""
    features, name = runs.drifted(broken), job["ProcessingJobName"]
    detail = {
        "outcome": found["outcome"],
        "endpoint": found["endpoint"],
        "job": name,
        "features": features,
        "reason": f"{found['outcome']} {' '.join(features)} in {name}",
    }
    entry = {"Source": SOURCE, "DetailType": VERDICT, "Detail": json.dumps(detail, allow_nan=False)}
    with calling("announcing the verdict"):
        clients.events().put_events(Entries=[entry])


def _of_pipeline(detail: dict[str, Any]) -> AlertProblem:
    execution, failed = detail["pipelineExecutionArn"], detail["currentPipelineExecutionStatus"] != "Succeeded"
    name = execution.rpartition("/")[2]
    return AlertProblem(
        "pipeline", failed, f"Pipeline execution {name} failed" if failed else "A pipeline execution succeeded",
        (f"{execution}",), (f"scones status {name}", f"scones resume {name}"),
    )  # fmt: skip

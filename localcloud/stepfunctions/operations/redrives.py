"""Redrive: an execution that did not succeed goes on where it stopped."""

from __future__ import annotations

import time

from localcloud.stepfunctions import lifecycle
from localcloud.stepfunctions.cloud import RUNS_AT_ONCE, StatesCloud
from localcloud.stepfunctions.engine.run import Request
from localcloud.stepfunctions.lifecycle import KIND
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.executions import existing
from localcloud.stepfunctions.protocol import Body, ServiceError
from localcloud.stepfunctions.redrive import refusal

TOKENS = 10
TOKEN_SECONDS = 15 * 60
"""The API reference: the last 10 tokens are known, for 15 minutes."""


@operation("RedriveExecution")
def redrive(cloud: StatesCloud, request: Body) -> Body:
    """Let the execution go on from its unsuccessful states; the same token again changes nothing."""
    with cloud.starting:
        execution = existing(cloud, request["executionArn"])
        token, now = request.get("clientToken"), time.time()
        tokens = [one for one in execution.body.get("redriveTokens", []) if now - one[1] <= TOKEN_SECONDS]
        for known, moment in tokens:
            if known == token:
                return {"redriveDate": moment}
        if execution.body.get("mapRunArn"):
            message = "Child workflow executions of a Map Run are redriven with the execution that started the Map Run"
            raise ServiceError("ExecutionNotRedrivable", message)
        last = cloud.store.events(execution.arn, None, 1, newest_first=True)
        if reason := refusal(execution, last[0]["id"] if last else 0):
            raise ServiceError("ExecutionNotRedrivable", reason)
        if len(cloud.runs) >= RUNS_AT_ONCE:
            raise ServiceError("ExecutionLimitExceeded", f"{RUNS_AT_ONCE} executions run already.")
        machine = cloud.store.revision(execution.body["revision"])
        again = lifecycle.redriven(cloud, execution, machine["definition"])
        if token:
            kept = [*tokens, [token, again.moment]][-TOKENS:]
            cloud.store.update(KIND, execution.name, {"redriveTokens": kept})
        made = Request(
            arn=execution.arn,
            name=execution.body["name"],
            machine=execution.parent,
            machine_name=machine["name"],
            role=machine["roleArn"],
            definition=machine["definition"],
            input=execution.body["input"],
            express=False,
            account=cloud.account,
            region=cloud.region,
            started=execution.body["startDate"],
            logging=machine["loggingConfiguration"],
        )
        cloud.tell(existing(cloud, execution.arn))
        lifecycle.begin(cloud, made, redrive=again)
    return {"redriveDate": again.moment}

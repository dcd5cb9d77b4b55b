"""The answers to Callback steps."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import records
from localcloud.sagemaker.errors import conflict, not_found
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.store import Body


@operation("SendPipelineExecutionStepSuccess")
def succeed(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Let the step of the token succeed with these outputs."""
    outputs = {item["Name"]: item["Value"] for item in request.get("OutputParameters", [])}
    return _answer(cloud, request, {"Succeeded": True, "Outputs": outputs})


@operation("SendPipelineExecutionStepFailure")
def fail(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Let the step of the token fail for this reason."""
    return _answer(cloud, request, {"Succeeded": False, "Reason": request.get("FailureReason", "")})


def _answer(cloud: Cloud, request: dict[str, Any], answer: Body) -> dict[str, Any]:
    """Keep the answer for the execution; the same request a second time changes nothing."""
    token = request["CallbackToken"]
    whole = {**answer, "ClientRequestToken": request["ClientRequestToken"]}
    with cloud.store.transaction():
        waiting = cloud.store.find(records.CALLBACK, token)
        if waiting is None:
            raise not_found(f"There is no callback with the token {token}.")
        run = records.execution(cloud, waiting.body["Execution"])
        known = waiting.body.get("Answer")
        if known is None:
            step = cloud.store.find(records.STEP, f"{run.name}/{waiting.body['Step']}")
            token_now = step.body.get("Metadata", {}).get("Callback", {}).get("CallbackToken") if step else None
            if step is None or token_now != token or step.status in records.ENDED:
                raise conflict(f"The step {waiting.body['Step']} of {run.arn} does not wait for an answer any more.")
            cloud.store.update(records.CALLBACK, token, {"Answer": whole})
        elif known != whole:
            raise conflict(f"The callback with the token {token} has been answered before.")
    cloud.wake()
    return {"PipelineExecutionArn": run.arn}

"""Rules and schedules start pipelines of the local SageMaker."""

from __future__ import annotations

import http.client
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ministack.services import eventbridge

from localcloud.corrections import seam
from localcloud.regions import signed_for

BEHAVIOUR = (
    "A rule's or a schedule's target may be a SageMaker pipeline: it is started with SageMakerPipelineParameters."
)
EVIDENCE = (
    "EventBridge's user guide, 'Event bus targets', and the Scheduler's, 'Using templated targets'; the SageMaker SDK "
    "3 makes such schedules (sagemaker/mlops/workflow/pipeline.py, put_triggers)."
)
MINISTACK = "1.5.33"

ADDRESS_VARIABLE = "AWS_ENDPOINT_URL_SAGEMAKER"
PATIENCE_SECONDS = 60.0

log = logging.getLogger(__name__)


def _with_pipelines(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        parts = target.get("Arn", "").split(":", 5)
        if len(parts) < 6 or parts[2] != "sagemaker" or not parts[5].startswith("pipeline/"):
            return original(target, event, rule, view)
        # a thread: SageMaker asks MiniStack for the pipeline's files and roles, and this may be a request's own thread
        arguments = (target, parts[3], rule.get("Arn", "an event"))
        threading.Thread(target=_start_pipeline, args=arguments, daemon=True).start()
        return None

    return invoke


def _start_pipeline(target: dict[str, Any], region: str, source: str) -> None:
    """Start an execution; what refuses it is a line of the log, as for other targets."""
    parameters = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    request = {
        "PipelineName": target["Arn"],
        "PipelineParameters": parameters,
        "ClientRequestToken": str(uuid.uuid4()),
    }
    headers = {
        "X-Amz-Target": "SageMaker.StartPipelineExecution",
        "Content-Type": "application/x-amz-json-1.1",
        **signed_for(region, "sagemaker"),
    }
    connection = http.client.HTTPConnection(urlsplit(os.environ[ADDRESS_VARIABLE]).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", "/", json.dumps(request).encode(), headers)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        log.warning("%s did not start %s: the local SageMaker does not answer: %s", source, target["Arn"], error)
        return
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        log.warning("%s did not start %s: %s", source, target["Arn"], said)


def apply() -> None:
    """Raises SeamError when MiniStack calls targets in another way."""
    seam.replace(__name__, eventbridge, "_invoke_target", "target", "event", "rule", "view", by=_with_pipelines)

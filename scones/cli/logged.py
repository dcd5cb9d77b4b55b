"""Whose log a name stands for: the job of a step, a function, an endpoint, an execution of a state machine."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.contract.definition import steps
from localcloud.inventory import Entry
from pipelines.runs import executions
from project import aws, settings
from project.errors import UsageError
from project.names import Names
from project.waiting import wait_between_looks

JOBS = {
    # member of a step's metadata: (its member that names what ran, what that is)
    "TrainingJob": ("Arn", "training job"),
    "ProcessingJob": ("Arn", "processing job"),
    "TransformJob": ("Arn", "transform job"),
    "QualityCheck": ("CheckJobArn", "processing job"),
    "ClarifyCheck": ("CheckJobArn", "processing job"),
    "Lambda": ("Arn", "function"),
}
THE_ENDPOINT = "endpoint"
MISSING = {"ResourceNotFoundException", "ResourceNotFound", "ValidationException"}
"""What Lambda says of a function that there is none of, and SageMaker of jobs and endpoints."""


def find(name: str, execution: str | None, wait: bool) -> Entry:
    """What writes the log that `name` asks for; with `execution` only its steps are looked at.

    With `wait` a step is waited for that the execution has not reached.

    Raises:
        UsageError: nothing has that name, or what has it writes no log.
    """
    if name.startswith("arn:aws:states:"):
        return _entry("execution", name)
    arn = executions.resolve(settings.load().pipeline_name, execution) if execution else _latest()
    types = {step.name: step.type for step in steps(executions.definition(arn))} if arn else {}
    if arn and name in types:
        return _of_step(arn, name, types[name], wait)
    found = None if execution else _endpoint(name) or _function(name) or _named_job(name)
    if found:
        return found
    whose = f"step of execution {executions.execution_id(arn)}" if arn else "execution of the pipeline yet"
    others = "" if execution else ", function, job or endpoint of that name"
    listed = f"Steps: {', '.join(types)}. " if types else ""
    raise UsageError(f"Nothing is called {name!r}: no {whose}{others}.", f"{listed}The endpoint: {THE_ENDPOINT}.")


def _latest() -> str | None:
    """The latest execution; None when there is none, which leaves functions and endpoints to ask for."""
    try:
        return executions.resolve(settings.load().pipeline_name, None)
    except UsageError:
        return None


def _entry(kind: str, arn: str) -> Entry:
    name = arn.rpartition("/")[2] if "/" in arn else arn.rpartition(":")[2]
    return Entry(kind=kind, name=name, status="", created="", arn=arn)


def _endpoint(name: str) -> Entry | None:
    own = Names(settings.load()).endpoint
    found = _asked("sagemaker", "describe_endpoint", EndpointName=own if name == THE_ENDPOINT else name)
    return Entry("endpoint", found["EndpointName"], "", "", found["EndpointArn"]) if found else None


def _function(name: str) -> Entry | None:
    for whole in (f"{settings.load().project}-{name}", name):
        if found := _asked("lambda", "get_function_configuration", FunctionName=whole):
            return Entry("function", found["FunctionName"], "", "", found["FunctionArn"])
    return None


def _asked(service: str, operation: str, **request: str) -> dict[str, Any] | None:
    """The answer about something of that name; None if there is no such thing."""
    with aws.explained(f"looking for {' '.join(request.values())}"):
        try:
            answer: dict[str, Any] = getattr(aws.client(service), operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            return None
    return answer


def _named_job(name: str) -> Entry | None:
    for kind in ("processing", "training", "transform"):
        title = f"{kind.title()}Job"
        if found := _asked("sagemaker", f"describe_{kind}_job", **{f"{title}Name": name}):
            return _entry(f"{kind} job", found[f"{title}Arn"])
    return None


def _of_step(arn: str, name: str, kind: str, wait: bool) -> Entry:
    for _ in wait_between_looks(longest=5.0):
        reached = next((one for one in executions.list_steps(arn) if one["StepName"] == name), None)
        if reached and (found := _job(reached)):
            return found
        source = (reached or {}).get("CacheHitResult", {}).get("SourcePipelineExecutionArn")
        if source and source != arn:
            return _of_step(source, name, kind, wait)
        if not wait or executions.describe(arn)["PipelineExecutionStatus"] not in executions.RUNNING:
            break
    said = f"is {reached['StepStatus']} and has no job that writes a log" if reached else "was not reached"
    identifier = executions.execution_id(arn)
    raise UsageError(f"Step {name} ({kind}) of execution {identifier} {said}.", f"See: scones status {identifier}.")


def _job(step: dict[str, Any]) -> Entry | None:
    for member, (key, kind) in JOBS.items():
        if arn := step.get("Metadata", {}).get(member, {}).get(key):
            return _entry(kind, str(arn))
    return None

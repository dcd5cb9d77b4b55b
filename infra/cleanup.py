"""Everything of the project that bills, found by its names and deleted in an order in which nothing is still in use.

Schedules first, because they start jobs; executions and searches, because they do too; the endpoint before its
configurations and these before their models; the stack (state machines, functions, rules, alarms); the builds' stack
after it, because the stack's roles are limited by its policy; the log groups last, because a function that still runs
would make its group again. Captured data only when asked. Every kind is looked for by itself: what AWS refuses to list
(Model Monitor is closed to newer accounts) keeps nothing else from being found, and is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import hosted, stack, template
from infra.changesets import wait_until_done
from project import aws
from project.errors import CloudError
from project.names import Names

CAPTURES = "captures/"


@dataclass(frozen=True)
class Item:
    """One thing to delete: what it is, its name or ARN, and what it costs as long as it is there."""

    kind: str
    name: str
    bills: str


@dataclass(frozen=True)
class Found:
    """What is there, in the order in which it is to be deleted, and why kinds of it could not be listed."""

    items: tuple[Item, ...]
    unlisted: tuple[str, ...]


def found(names: Names, data: bool) -> Found:
    """What is there now.

    Args:
        data: captured requests and answers as well.
    """
    items, unlisted = list[Item](), list[str]()
    for what, look in _LOOKS.items():
        if what == "captured data" and not data:
            continue
        try:
            with aws.explained(f"listing {what} of project {names.settings.project}"):
                items += look(names)
        except CloudError as error:
            unlisted.append(str(error))
    return Found(tuple(items), tuple(unlisted))


def delete(names: Names, item: Item, say: Callable[[str], None]) -> None:
    """Delete one item; one that is gone already is no error.

    Raises:
        CloudError: AWS refuses.
    """
    with aws.explained(f"deleting {item.kind} {item.name}"):
        try:
            _DELETE[item.kind](names, item.name, say)
        except ClientError as error:
            if not _is_gone(error):
                raise


def kept(names: Names) -> str:
    """What a cleanup leaves, and what that bills."""
    return (
        f"Kept: bucket {names.bucket} with archives, models and outputs (S3 storage bills), the pipeline and the model "
        "registry (free), and logs of jobs, which all projects share, under /aws/sagemaker."
    )


def _monitoring_schedules(names: Names) -> Iterator[Item]:
    sagemaker, project = aws.client("sagemaker"), names.settings.project
    for one in _pages(sagemaker, "list_monitoring_schedules", "MonitoringScheduleSummaries", NameContains=project):
        if one.get("EndpointName") == names.endpoint:
            yield Item("monitoring schedule", one["MonitoringScheduleName"], "its jobs")


def _schedules(names: Names) -> Iterator[Item]:
    """What the monitor's function makes where Model Monitor is closed."""
    for one in _pages(aws.client("scheduler"), "list_schedules", "Schedules", NamePrefix=names.monitor):
        if one["Name"] == names.monitor:
            yield Item("schedule", names.monitor, "the jobs that it starts")


def _endpoints(names: Names) -> Iterator[Item]:
    if hosted.described(names.endpoint):
        yield Item("endpoint", names.endpoint, "by the hour")


def _staging_endpoints(names: Names) -> Iterator[Item]:
    """Those that an execution left: its end removes them, if the function that does so can."""
    for one in _pages(aws.client("sagemaker"), "list_endpoints", "Endpoints", NameContains=names.staging):
        if re.fullmatch(_staged(names), one["EndpointName"]) and one["EndpointStatus"] != "Deleting":
            yield Item("endpoint", one["EndpointName"], "by the hour, or by the request")


def _alarms(names: Names) -> Iterator[Item]:
    """Those that functions make, and the stack does not know: of an update, and on missing runs of the monitor."""
    own = re.compile(rf"{_hosted_version(names)}-(errors|latency)|{re.escape(names.monitor)}-missing")
    asked = {"AlarmNamePrefix": f"{names.settings.project}-"}
    for one in _pages(aws.client("cloudwatch"), "describe_alarms", "MetricAlarms", **asked):
        if own.fullmatch(one["AlarmName"]):
            yield Item("alarm", one["AlarmName"], "by the month")


def _endpoint_configs(names: Names) -> Iterator[Item]:
    own = re.compile(rf"{_hosted_version(names)}|{_staged(names)}-(instance|serverless)")
    asked = {"NameContains": f"{names.settings.project}-"}
    for one in _pages(aws.client("sagemaker"), "list_endpoint_configs", "EndpointConfigs", **asked):
        if own.fullmatch(one["EndpointConfigName"]):
            yield Item("endpoint configuration", one["EndpointConfigName"], "nothing")


def _models(names: Names) -> Iterator[Item]:
    asked = {"NameContains": f"{names.settings.project}-v"}
    for one in _pages(aws.client("sagemaker"), "list_models", "Models", **asked):
        if re.fullmatch(_hosted_version(names), one["ModelName"]):
            yield Item("model", one["ModelName"], "nothing")


def _pipeline_models(names: Names) -> Iterator[Item]:
    """Those of pipeline steps, which nothing else deletes. Their names say no project; their role does."""
    sagemaker = aws.client("sagemaker")
    for one in _pages(sagemaker, "list_models", "Models", NameContains="pipelines-"):
        if sagemaker.describe_model(ModelName=one["ModelName"]).get("ExecutionRoleArn") == names.pipeline_role:
            yield Item("model", one["ModelName"], "nothing")


def _hosted_version(names: Names) -> str:
    """As the deploy workflow names configurations and models; what only begins like it is another project's."""
    return rf"{re.escape(names.settings.project)}-v\d+-[0-9a-f]{{8}}"


def _staged(names: Names) -> str:
    """As the pipeline names its staging endpoints: by their execution."""
    return rf"{re.escape(names.staging)}-[a-z0-9]{{12}}"


def _stacks(names: Names) -> Iterator[Item]:
    if stack.status_of(names.stack):
        yield Item("stack", names.stack, "calls, alarms, logs")


def _build_stacks(names: Names) -> Iterator[Item]:
    if _builds_here(names):
        yield Item("build stack", _build_stack(names), "builds by the minute, their logs")


def _own_log_groups(names: Names) -> Iterator[Item]:
    project, own = names.settings.project, _log_groups(names)
    for prefix in (f"/aws/lambda/{project}", f"/aws/sagemaker/Endpoints/{project}", f"/aws/codebuild/{project}"):
        for one in _pages(aws.client("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            if one["logGroupName"] in own or re.fullmatch(
                f"/aws/sagemaker/Endpoints/{_staged(names)}", one["logGroupName"]
            ):
                yield Item("log group", one["logGroupName"], "storage")


def _captures(names: Names) -> Iterator[Item]:
    if any(_versions(names)):
        yield Item("captured data", names.uri(CAPTURES), "storage")


def _build_stack(names: Names) -> str:
    """What docs/aws.md calls the stack of infra/ci.yaml: build project, report group, their role, the boundary."""
    return f"{names.stack}-ci"


def _builds_here(names: Names) -> bool:
    """Whether the build stack is there. Another project may have that very name: the stack's parameter tells."""
    if stack.status_of(_build_stack(names)) is None:
        return False
    [described] = aws.client("cloudformation").describe_stacks(StackName=_build_stack(names))["Stacks"]
    given = {one["ParameterKey"]: one.get("ParameterValue") for one in described.get("Parameters", [])}
    return given.get("ProjectName") == names.settings.project


def _log_groups(names: Names) -> set[str]:
    """Names of the log groups of the project's functions, endpoint and builds."""
    project = names.settings.project
    groups = (one for one in template.load()["Resources"].values() if one["Type"] == "AWS::Logs::LogGroup")
    functions = {one["Properties"]["LogGroupName"]["Fn::Sub"].replace("${ProjectName}", project) for one in groups}
    return functions | {f"/aws/sagemaker/Endpoints/{names.endpoint}", f"/aws/codebuild/{project}"}


def _executions(names: Names) -> Iterator[Item]:
    """Executions of the pipeline that are still at work."""
    sagemaker = aws.client("sagemaker")
    name = names.settings.pipeline_name
    try:
        for one in _pages(sagemaker, "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=name):
            if one["PipelineExecutionStatus"] in {"Executing", "Stopping"}:
                yield Item("pipeline execution", one["PipelineExecutionArn"], "its jobs, by the second")
    except ClientError as error:
        if not _is_gone(error):
            raise


def _searches(names: Names) -> Iterator[Item]:
    """Hyperparameter searches that are still at work."""
    sagemaker, searches = aws.client("sagemaker"), "HyperParameterTuningJobSummaries"
    for one in _pages(sagemaker, "list_hyper_parameter_tuning_jobs", searches, NameContains=names.settings.project):
        name = one["HyperParameterTuningJobName"]
        if one["HyperParameterTuningJobStatus"] in {"InProgress", "Stopping"} and _is_ours(names, name):
            yield Item("tuning job", name, "its jobs, by the second")


def _is_ours(names: Names, search: str) -> bool:
    described = aws.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=search)
    return bool(described["TrainingJobDefinition"]["RoleArn"] == names.pipeline_role)


def _pages(client: Any, operation: str, members: str, **request: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**request):
        yield from page[members]


def _versions(names: Names) -> Iterator[list[dict[str, str]]]:
    """Captured objects with all their versions and delete markers, as DeleteObjects takes them, page by page."""
    pages = aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=names.bucket, Prefix=CAPTURES)
    try:
        for page in pages:
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if listed:
                yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _stop_execution(_: Names, arn: str, say: Callable[[str], None]) -> None:
    client = aws.client("sagemaker")
    if client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        client.stop_pipeline_execution(PipelineExecutionArn=arn)
    say("Its jobs have up to two minutes to end.")
    for _turn in wait_until_done(f"waiting for {arn} to stop"):
        status = client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status not in {"Executing", "Stopping"}:
            return


def _stop_search(_: Names, name: str, say: Callable[[str], None]) -> None:
    client = aws.client("sagemaker")

    def status() -> str:
        answer = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return str(answer["HyperParameterTuningJobStatus"])

    if status() == "InProgress":
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    say("Its jobs have up to two minutes to end.")
    for _turn in wait_until_done(f"waiting for {name} to stop"):
        if status() not in {"InProgress", "Stopping"}:
            return


def _delete_captures(names: Names, _: str, __: Callable[[str], None]) -> None:
    for batch in _versions(names):
        aws.client("s3").delete_objects(Bucket=names.bucket, Delete={"Objects": batch, "Quiet": True})


def _sagemaker(operation: str, argument: str) -> Callable[[Names, str, Callable[[str], None]], None]:
    def call(_: Names, name: str, __: Callable[[str], None]) -> None:
        getattr(aws.client("sagemaker"), operation)(**{argument: name})

    return call


_LOOKS: dict[str, Callable[[Names], Iterator[Item]]] = {
    "monitoring schedules": _monitoring_schedules,
    "schedules": _schedules,
    "pipeline executions": _executions,
    "tuning jobs": _searches,
    "endpoints": _endpoints,
    "staging endpoints": _staging_endpoints,
    "alarms": _alarms,
    "endpoint configurations": _endpoint_configs,
    "models": _models,
    "models of pipeline steps": _pipeline_models,
    "the stack": _stacks,
    "the build stack": _build_stacks,
    "log groups": _own_log_groups,
    "captured data": _captures,
}
"""In the order in which what they find is to be deleted."""
_DELETE: dict[str, Callable[[Names, str, Callable[[str], None]], object]] = {
    "monitoring schedule": _sagemaker("delete_monitoring_schedule", "MonitoringScheduleName"),
    "schedule": lambda _, name, __: aws.client("scheduler").delete_schedule(Name=name),
    "pipeline execution": _stop_execution,
    "tuning job": _stop_search,
    "alarm": lambda _, name, __: aws.client("cloudwatch").delete_alarms(AlarmNames=[name]),
    "endpoint": lambda _, name, say: hosted.delete(name, say),
    "endpoint configuration": _sagemaker("delete_endpoint_config", "EndpointConfigName"),
    "model": _sagemaker("delete_model", "ModelName"),
    "stack": lambda _, name, __: stack.delete(name),
    "build stack": lambda _, name, __: stack.delete(name),
    "log group": lambda _, name, __: aws.client("logs").delete_log_group(logGroupName=name),
    "captured data": _delete_captures,
}


def _is_gone(error: ClientError) -> bool:
    """Whether AWS says, in one of the ways in which its services do, that there is no such thing."""
    answer = error.response["Error"]
    known = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchBucket"}
    return answer.get("Code") in known or "Could not find" in answer.get("Message", "")

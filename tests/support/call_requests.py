"""What IAM must allow for a recorded API call: its action, the resources that it names, the roles that it passes on.

After AWS's service authorization reference. A call that is not in these tables is an error which names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iam_support import ACCOUNT, Request, arn

Parameters = dict[str, Any]

ACTIONS = {  # where the action is not called as the operation is
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "lambda:Invoke": "lambda:InvokeFunction",
}
FREE = {"sts:GetCallerIdentity"}  # nobody can be refused these

_MODEL = [("model/", "ModelName")]
_ENDPOINT = [("endpoint/", "EndpointName")]
_CONFIG = [("endpoint-config/", "EndpointConfigName")]
_JOB = [("processing-job/", "ProcessingJobName")]
_CHECK = [("data-quality-job-definition/", "JobDefinitionName")]
_SCHEDULE = [("monitoring-schedule/", "MonitoringScheduleName")]
_PIPELINE = [("pipeline/", "PipelineName")]
_STACK = [("stack/", "StackName")]

ACTS_ON: dict[str, list[tuple[str, str]]] = {  # the resource's ARN is the parameter, or ends with prefix and parameter
    **{f"sagemaker:{verb}Model": _MODEL for verb in ("Create", "Delete", "Describe")},
    **{f"sagemaker:{verb}EndpointConfig": _CONFIG for verb in ("Create", "Delete", "Describe")},
    **{f"sagemaker:{verb}Endpoint": _ENDPOINT + _CONFIG for verb in ("Create", "Update")},
    **{f"sagemaker:{verb}Endpoint": _ENDPOINT for verb in ("Delete", "Describe", "Invoke")},
    **{f"sagemaker:{verb}ProcessingJob": _JOB for verb in ("Create", "Describe")},
    **{f"sagemaker:{verb}DataQualityJobDefinition": _CHECK for verb in ("Create", "Delete", "Describe")},
    **{f"sagemaker:{verb}MonitoringSchedule": _SCHEDULE for verb in ("Create", "Delete", "Describe", "Update")},
    **{f"sagemaker:{verb}Pipeline": _PIPELINE for verb in ("Create", "Describe", "Update")},
    "sagemaker:ListPipelineExecutions": _PIPELINE,
    "sagemaker:ListPipelineVersions": _PIPELINE,
    "sagemaker:StartPipelineExecution": _PIPELINE,
    "sagemaker:ListPipelineExecutionSteps": [("", "PipelineExecutionArn")],
    "sagemaker:ListPipelineParametersForExecution": [("", "PipelineExecutionArn")],
    "sagemaker:DescribeModelPackage": [("model-package/", "ModelPackageName")],
    "sagemaker:ListModelPackages": [("model-package-group/", "ModelPackageGroupName")],
    "sagemaker:ListTags": [("", "ResourceArn")],
    "sagemaker:ListDataQualityJobDefinitions": [],
    "sagemaker:ListProcessingJobs": [],
    **{f"scheduler:{verb}Schedule": [("schedule/default/", "Name")] for verb in ("Create", "Delete", "Update")},
    "cloudwatch:GetMetricStatistics": [],
    "cloudwatch:PutMetricAlarm": [("alarm:", "AlarmName")],
    "events:EnableRule": [("rule/", "Name")],
    "logs:DescribeLogGroups": [],
    **{f"logs:{verb}": [("log-group:", "logGroupName")] for verb in ("CreateLogGroup", "PutRetentionPolicy")},
    "sns:Publish": [("", "TopicArn")],
    "ssm:GetParameter": [("parameter", "Name")],
    "ssm:PutParameter": [("parameter", "Name")],
    "lambda:Invoke": [("function:", "FunctionName")],
    "iam:GetPolicy": [("", "PolicyArn")],
    "iam:GetRole": [(f"arn:aws:iam::{ACCOUNT}:role/", "RoleName")],
    **{f"cloudformation:{verb}ChangeSet": _STACK for verb in ("Create", "Delete", "Describe", "Execute")},
    **{f"cloudformation:{what}": _STACK for what in ("DescribeEvents", "DescribeStackEvents", "DescribeStacks")},
    "cloudformation:DeleteStack": _STACK,
}
OBJECTS = {"CompleteMultipartUpload", "CreateMultipartUpload", "GetObject", "HeadObject", "PutObject", "UploadPart"}
OBJECTS |= {"DeleteObject"}
BUCKETS = {"GetBucketLocation", "GetBucketVersioning", "HeadBucket", "ListObjectsV2"}


def requests_of(call: str, parameters: Parameters) -> list[Request]:
    """What `service:Operation` with these parameters asks IAM for.

    Raises:
        AssertionError: the tables do not know the operation.
    """
    call = call.replace("sagemaker-runtime:", "sagemaker:")
    if call in FREE:
        return []
    action = ACTIONS.get(call, call)
    asked = [Request(action, resource, context) for resource, context in _on(call, parameters)]
    if _tags(parameters):
        asked += [Request("sagemaker:AddTags", one.resource) for one in asked if action.startswith("sagemaker:Create")]
    return asked + list(_passed(call.partition(":")[0], parameters)) + list(_alarms(parameters))


def _on(call: str, parameters: Parameters) -> Iterator[tuple[str, dict[str, str]]]:
    service, _, operation = call.partition(":")
    if service == "s3":
        assert operation in OBJECTS | BUCKETS, f"say in call_requests.py what {call} acts on"
        key = f"/{parameters['Key']}" if operation in OBJECTS else ""
        yield f"arn:aws:s3:::{parameters['Bucket']}{key}", {}
    elif call == "cloudwatch:PutMetricData":
        yield "*", {"cloudwatch:namespace": parameters["Namespace"]}
    elif call in {"cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"}:
        for name in parameters["AlarmNames"]:
            yield arn("cloudwatch", f"alarm:{name}"), {}
    elif call == "events:PutEvents":
        for entry in parameters["Entries"]:
            bus = entry.get("EventBusName", "default")
            yield arn("events", f"event-bus/{bus}"), {"events:source": entry["Source"]}
    elif call == "sagemaker:UpdateModelPackage":
        decided = {"ModelApprovalStatus"} & set(parameters)
        yield parameters["ModelPackageArn"], {f"sagemaker:{name}": parameters[name] for name in decided}
    else:
        assert call in ACTS_ON, f"say in call_requests.py what {call} acts on"
        for prefix, parameter in ACTS_ON[call]:
            yield _resource(service, prefix, parameters[parameter]), {}
        if not ACTS_ON[call]:
            yield "*", {}


def _resource(service: str, prefix: str, named: str) -> str:
    if named.startswith("arn:"):
        return named
    whole = f"{prefix}{named}/0123" if service == "cloudformation" else f"{prefix}{named}"  # a stack's ARN has an id
    return whole if whole.startswith("arn:") else arn(service, whole)


def _tags(parameters: Parameters) -> bool:
    return bool(parameters.get("Tags"))


def _passed(service: str, value: Any, name: str = "") -> Iterator[Request]:
    """Every role that the caller gives to the service."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _passed(service, one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _passed(service, one, name)
    elif name in {"RoleArn", "ExecutionRoleArn"}:
        yield Request("iam:PassRole", value, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _alarms(parameters: Parameters) -> Iterator[Request]:
    """SageMaker looks, in the caller's name, at the alarms that an update is to roll back on."""
    rollback = parameters.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    for alarm in rollback.get("Alarms", []):
        yield Request("cloudwatch:DescribeAlarms", arn("cloudwatch", f"alarm:{alarm['AlarmName']}"))

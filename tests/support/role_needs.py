"""What every role of the template must be able to do, and what none may.

What a Lambda function calls is read from its source, what a state machine calls from its definition, what the jobs of
the pipeline need from the rendered pipeline. What they are seen to call is judged by recorded_calls.py.
"""

from __future__ import annotations

import json
import re
from typing import Any

from golden import GOLDEN
from iam_support import (
    ACCOUNT,
    BUCKET,
    PROJECT,
    REGION,
    RESOURCES,
    Request,
    arn,
    arn_of,
    objects,
    passing,
    resolved,
)
from lambda_calls import operations

from stepfunctions import machines

FUNCTIONS = [logical for logical, one in RESOURCES.items() if one["Type"] == "AWS::Lambda::Function"]
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
VERSION = f"{PROJECT}-v7-0123abcd"
ENDPOINT = arn("sagemaker", f"endpoint/{PROJECT}")
CONFIG = arn("sagemaker", f"endpoint-config/{VERSION}")
GROUP = arn("sagemaker", f"model-package-group/{PROJECT}")
PACKAGE = arn("sagemaker", f"model-package/{PROJECT}/7")
PIPELINE = arn("sagemaker", f"pipeline/{PROJECT}")
SCHEDULE = arn("sagemaker", f"monitoring-schedule/{PROJECT}-monitor")
OTHER_SCHEDULE = arn("scheduler", f"schedule/default/{PROJECT}-monitor")
SCALED = arn("application-autoscaling", "scalable-target/1234abcd")
CHECK = arn("sagemaker", f"data-quality-job-definition/{PROJECT}-monitor-v7-0123abcd")
RUN = arn("sagemaker", f"processing-job/{PROJECT}-monitor-2026112010")

# What an operation acts on, by the naming rules of the code that calls it. A list: each is asked for.
ACTS_ON: dict[str, list[str]] = {
    **{f"application-autoscaling:{verb}": [SCALED] for verb in ("DeregisterScalableTarget", "PutScalingPolicy")},
    "application-autoscaling:RegisterScalableTarget": [SCALED],
    "events:EnableRule": [arn("events", f"rule/{PROJECT}-incoming")],
    "sagemaker:CreateEndpoint": [ENDPOINT, CONFIG],
    "sagemaker:CreateEndpointConfig": [CONFIG],
    "sagemaker:CreateModel": [arn("sagemaker", f"model/{VERSION}")],
    "sagemaker:DeleteEndpoint": [ENDPOINT],
    "sagemaker:DeleteEndpointConfig": [CONFIG],
    "sagemaker:DeleteModel": [arn("sagemaker", f"model/{VERSION}")],
    "sagemaker:DescribeEndpoint": [ENDPOINT],
    "sagemaker:DescribeEndpointConfig": [CONFIG],
    "sagemaker:DescribeModel": [arn("sagemaker", f"model/{VERSION}")],
    "sagemaker:DescribeModelPackage": [PACKAGE],
    "sagemaker:InvokeEndpoint": [ENDPOINT],
    "sagemaker:ListModelPackages": [GROUP],
    "sagemaker:UpdateEndpoint": [ENDPOINT, CONFIG],
    # the monitor, what it tells, and what follows
    **{f"sagemaker:{verb}DataQualityJobDefinition": [CHECK] for verb in ("Create", "Delete", "Describe")},
    **{f"sagemaker:{verb}MonitoringSchedule": [SCHEDULE] for verb in ("Create", "Delete", "Describe", "Update")},
    **{f"scheduler:{verb}Schedule": [OTHER_SCHEDULE] for verb in ("Create", "Delete", "Update")},
    "sagemaker:ListDataQualityJobDefinitions": ["*"],
    "sagemaker:ListProcessingJobs": ["*"],
    "sagemaker:CreateProcessingJob": [RUN],
    "sagemaker:DescribeProcessingJob": [RUN],
    "sagemaker:ListPipelineExecutions": [PIPELINE],
    "sagemaker:ListPipelineParametersForExecution": [f"{PIPELINE}/execution/abcdefghijkl"],
    "sagemaker:ListPipelineExecutionSteps": [f"{PIPELINE}/execution/abcdefghijkl"],
    "sagemaker:StartPipelineExecution": [PIPELINE],
    "sagemaker:UpdateModelPackage": [PACKAGE],
    "cloudwatch:DescribeAlarms": [arn("cloudwatch", f"alarm:{PROJECT}-endpoint-5xx")],
    "cloudwatch:GetMetricStatistics": ["*"],
    "events:PutEvents": [arn("events", "event-bus/default")],
    "sns:Publish": [arn("sns", f"{PROJECT}-alerts")],
}
ALARMS = {"Deploy": f"{VERSION}-errors", "Monitor": f"{PROJECT}-monitor-missing"}  # that functions make and delete
SCALES = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}
CONTEXT = {
    "events:PutEvents": {"events:source": "scones.monitor"},
    **{action: SCALES for action in ACTS_ON if action.startswith("application-autoscaling:")},
}
PASSES = {
    "sagemaker:CreateModel": [passing(f"{PROJECT}-model")],
    "sagemaker:CreateProcessingJob": [passing(f"{PROJECT}-pipeline")],
    "sagemaker:CreateDataQualityJobDefinition": [passing(f"{PROJECT}-pipeline")],
    "scheduler:CreateSchedule": [passing(f"{PROJECT}-scheduler", "scheduler.amazonaws.com")],
}
OF_SCALING = [  # what Application Auto Scaling asks of its caller (SageMaker guide, auto scaling prerequisites)
    Request("sagemaker:UpdateEndpointWeightsAndCapacities", ENDPOINT),
    *(
        Request(
            f"cloudwatch:{verb}", arn("cloudwatch", f"alarm:TargetTracking-endpoint/{PROJECT}/variant/AllTraffic-1")
        )
        for verb in ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm")
    ),
    Request(
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"},
    ),
]
STAGED = arn("sagemaker", f"endpoint/{PROJECT}-staging-abcdefghijkl")
STAGED_CONFIG = arn("sagemaker", f"endpoint-config/{PROJECT}-staging-abcdefghijkl-instance")
OF_STAGING = {
    **{f"sagemaker:{verb}Endpoint": [STAGED] for verb in ("Delete", "Describe", "Invoke")},
    **{f"sagemaker:{verb}EndpointConfig": [STAGED_CONFIG] for verb in ("Delete", "Describe")},
}
"""Where the staging function does what the others do elsewhere."""
READS = {  # keys that a function reads, and the prefix that it writes
    "SerializeImage": ["incoming/1.png", "invoked/0/1.png", "anywhere/else.jpg"],
    "ClassifyBatch": ["incoming/1.png", "batches/b/work.json"],
    "SummariseBatch": ["batches/b/results/1.json"],
    "Monitor": ["executions/e/Evaluate/baseline/statistics.json"],
    "Staging": ["executions/e/BuildManifests/test/1.png", "executions/e/StagingEndpoint/captures/e/AllTraffic/1.jsonl"],
    "Retrain": ["reviewed/newest.json"],
    "Alert": ["monitor/m/2026/11/20/10/constraint_violations.json", "alerts/open/drift.json"],
}
WRITES = {
    **{key: ["batches/b/results/1.json"] for key in ("ListImages", "ClassifyBatch", "SummariseBatch")},
    "Monitor": ["monitor-inputs/m/1.manifest"],
    "Alert": ["alerts/open/drift.json"],
    "Staging": ["executions/e/TestStaging/staging.json"],
}
NOT_WRITTEN = {
    "THRESHOLD_PARAMETER",
    "UNFAMILIARITY_PARAMETER",
    "LIVE_PARAMETER",
}  # by whoever is not Deploy: people and Deploy write them

NOBODY = [
    Request("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-new"),
    Request("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-pipeline"),
    Request("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-pipeline"),
    passing("Administrator"),
    passing(f"{PROJECT}-pipeline", "ec2.amazonaws.com"),
    passing(f"{PROJECT}-pipeline", "lambda.amazonaws.com"),
    passing(f"{PROJECT}-model", "glue.amazonaws.com"),
    Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator"),
    Request("s3:DeleteBucket", BUCKET_ARN),
    Request("s3:PutBucketPolicy", BUCKET_ARN),
    Request("s3:DeleteObjectVersion", f"{BUCKET_ARN}/models/1/model.tar.gz"),
    Request("s3:GetObject", f"arn:aws:s3:::somebody-elses-{BUCKET}/secret"),
    Request("s3:PutObject", f"arn:aws:s3:::{PROJECT}-backup/1"),
    Request("sagemaker:UpdateModelPackage", PACKAGE, {"sagemaker:ModelApprovalStatus": "Approved"}),  # a person's word
    Request("sagemaker:DeleteModelPackage", PACKAGE),
    Request("sagemaker:DeleteEndpoint", arn("sagemaker", "endpoint/another")),
    Request("sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/another")),
    Request("sagemaker:CreateNotebookInstance", arn("sagemaker", "notebook-instance/n")),
    Request("lambda:UpdateFunctionCode", arn("lambda", f"function:{PROJECT}-deploy")),
    Request("ssm:PutParameter", arn("ssm", f"parameter/{PROJECT}/inference/threshold")),
    Request("ssm:GetParameter", arn("ssm", "parameter/another/secret")),
    Request("states:StartExecution", arn("states", "stateMachine:another")),
    Request("lambda:InvokeFunction", arn("lambda", "function:another")),
    Request("sns:Publish", arn("sns", "another")),
    Request("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:s")),
    Request("kms:Decrypt", arn("kms", "key/k")),
    Request("ec2:RunInstances", arn("ec2", "instance/*")),
    Request("logs:DeleteLogGroup", arn("logs", f"log-group:/aws/lambda/{PROJECT}-deploy:*")),
    Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/Billing"}),
    Request("cloudwatch:DeleteAlarms", arn("cloudwatch", f"alarm:{PROJECT}-endpoint-5xx")),
    Request("cloudwatch:DeleteAlarms", arn("cloudwatch", f"alarm:{PROJECT}-monitor-failed")),
]


def of_function(logical: str) -> list[Request]:
    """What the function's code calls, and what Lambda does in its name."""
    properties = {key: resolved(RESOURCES[logical]["Properties"][key]) for key in ("Handler", "Environment")}
    logs = arn_of(f"{logical}Logs")
    needed = [Request("logs:CreateLogStream", logs), Request("logs:PutLogEvents", logs)]
    for service, operation in sorted(operations(properties["Handler"].split(".")[1])):
        needed += _requests(logical, f"{service.removesuffix('-runtime')}:{operation}", properties)
    if f"{logical}Retries" in RESOURCES:  # Lambda itself delivers what the function gave up on
        needed.append(Request("sqs:SendMessage", arn_of("UndeliveredEvents")))
    if logical == "Deploy":  # UpdateEndpoint looks at the alarms that it is to roll back on
        needed.append(Request("cloudwatch:DescribeAlarms", arn("cloudwatch", f"alarm:{VERSION}-errors")))
        needed += OF_SCALING
    return needed


def _requests(logical: str, action: str, properties: dict[str, Any]) -> list[Request]:
    reads, writes = READS.get(logical, []), WRITES.get(logical, [])
    if action in {"s3:GetObject", "s3:HeadObject"}:
        # S3 says 404 instead of 403 about a missing object only to those who may list.
        return [*(Request("s3:GetObject", one) for one in objects(*reads)), Request("s3:ListBucket", BUCKET_ARN)]
    if action == "s3:ListObjectsV2":
        return [Request("s3:ListBucket", BUCKET_ARN)]
    if action in {"s3:PutObject", "s3:DeleteObject"}:
        return [Request(action, one) for one in objects(*writes)]
    if action in {"ssm:GetParameter", "ssm:PutParameter"}:
        variables = properties["Environment"]["Variables"]
        named = {name: value for name, value in variables.items() if name.endswith("_PARAMETER")}
        if action == "ssm:PutParameter" and logical != "Deploy":
            named = {name: value for name, value in named.items() if name not in NOT_WRITTEN}
        assert named, f"{logical} calls {action} on a parameter that its environment does not name"
        return [Request(action, arn("ssm", f"parameter{value}")) for value in named.values()]
    if action in {"cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"}:
        return [Request(action, arn("cloudwatch", f"alarm:{ALARMS[logical]}"))]
    if action == "cloudwatch:PutMetricData":
        analysed = [f"aws/sagemaker/Endpoints/data-metrics/{PROJECT}"] if logical == "Alert" else []
        spaces = ("Scones/Monitoring", *analysed)
        return [Request(action, "*", {"cloudwatch:namespace": space}) for space in spaces]
    assert action in ACTS_ON, f"{logical} calls {action}: say in ACTS_ON what on"
    on = (OF_STAGING if logical == "Staging" else {}).get(action, ACTS_ON[action])
    asked = [Request(action, one, CONTEXT.get(action, {})) for one in on]
    return asked + PASSES.get(action, [])


def of_machine(name: str) -> list[Request]:
    """What the state machine's definition calls."""
    filled = RESOURCES[f"{name.title()}Workflow"]["Properties"]["DefinitionSubstitutions"]
    values = {key: resolved(value) for key, value in filled.items()}
    own = arn("states", f"stateMachine:{PROJECT}-{name}")
    needed: list[Request] = []
    for _, scope in machines.scopes(machines.load(name)):
        for state in scope["States"].values():
            resource, parameters = state.get("Resource", ""), json.dumps(state.get("Parameters", {}))
            targets = [values[one] for one in re.findall(r"\$\{(\w+)\}", parameters)]
            if resource.startswith("arn:aws:states:::lambda:invoke"):
                needed += [Request("lambda:InvokeFunction", target) for target in targets]
            elif resource.startswith("arn:aws:states:::sns:publish"):
                needed += [Request("sns:Publish", target) for target in targets]
            else:
                assert not resource, f"say which permission {resource} needs"
            if "ItemReader" in state:
                needed += [Request("s3:GetObject", one) for one in objects("batches/b/work.json")]
            if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
                running = arn("states", f"execution:{PROJECT}-{name}/1")
                needed += [Request("states:StartExecution", own)]
                needed += [Request(f"states:{verb}Execution", running) for verb in ("Describe", "Stop")]
    return list(dict.fromkeys(needed))


def of_events() -> list[Request]:
    """What the rules start."""
    targets = [target for one in RESOURCES.values() if one["Type"] == "AWS::Events::Rule" for target in _targets(one)]
    return [Request("states:StartExecution", resolved(target["Arn"])) for target in targets]


def _targets(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in rule["Properties"]["Targets"] if one.get("RoleArn") == {"Fn::GetAtt": ["EventsRole", "Arn"]}]


KINDS = {"Processing": "ProcessingJob", "Training": "TrainingJob", "Transform": "TransformJob", "Model": "Model"}


def of_pipeline() -> list[Request]:
    """What the steps of both golden definitions need, and their containers."""
    needed = [passing(f"{PROJECT}-pipeline"), Request("ecr:GetAuthorizationToken")]
    for file in GOLDEN.glob("definition-*.json"):
        text = file.read_text(encoding="utf-8")
        for step in json.loads(text)["Steps"]:
            if kind := KINDS.get(step["Type"]):
                resource = re.sub(r"(?<=.)([A-Z])", r"-\1", kind).lower()
                made = arn("sagemaker", f"{resource}/pipelines-abc-{step['Name']}-xyz")
                verbs = ("Create", "Describe") if kind == "Model" else ("Create", "Describe", "Stop")
                needed += [Request(f"sagemaker:{verb}{kind}", made) for verb in verbs]
                needed.append(Request("sagemaker:AddTags", made))
        for account, image in re.findall(rf"(\d{{12}})\.dkr\.ecr\.{REGION}\.amazonaws\.com/([\w-]+):", text):
            repository = f"arn:aws:ecr:{REGION}:{account}:repository/{image}"
            actions = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
            needed += [Request(f"ecr:{action}", repository) for action in actions]
    for resource in (STAGED, STAGED_CONFIG):
        kind = "EndpointConfig" if resource == STAGED_CONFIG else "Endpoint"
        needed += [Request(f"sagemaker:{verb}", resource) for verb in (f"Create{kind}", f"Describe{kind}", "AddTags")]
    needed += [Request("sagemaker:CreateEndpoint", STAGED_CONFIG), Request("lambda:InvokeFunction", arn_of("Staging"))]
    needed += [Request(f"sagemaker:{verb}ModelPackageGroup", GROUP) for verb in ("Create", "Describe")]
    needed += [Request(f"sagemaker:{verb}ModelPackage", PACKAGE) for verb in ("Create", "Describe")]
    needed += [Request("s3:ListBucket", BUCKET_ARN), Request("s3:GetBucketLocation", BUCKET_ARN)]
    read = (
        "code/0/run.py",
        "data/0/cifar.tar.gz",
        "reviewed/0/reviewed.json",
        "executions/e/Evaluate/evaluation/evaluation.json",
        "models/j/output/m",
    )
    needed += [Request("s3:GetObject", one) for one in objects(*read)]
    needed += [Request("s3:PutObject", one) for one in objects("executions/e/Train/1", "models/j/output/model.tar.gz")]
    logs = arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:pipelines-abc/algo-1")
    needed += [Request(f"logs:{verb}", logs) for verb in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")]
    namespace = {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
    return list(dict.fromkeys([*needed, Request("cloudwatch:PutMetricData", "*", namespace)]))


def of_model() -> list[Request]:
    """What an endpoint's instances do in the model role's name."""
    logs = arn("logs", f"log-group:/aws/sagemaker/Endpoints/{PROJECT}:log-stream:AllTraffic/i")
    return [
        *(Request("s3:GetObject", one) for one in objects("models/j/output/model.tar.gz")),
        *(Request("s3:PutObject", one) for one in objects(f"captures/{PROJECT}/AllTraffic/2026/11/20/10/1.jsonl")),
        *(Request(f"logs:{verb}", logs) for verb in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")),
        Request("ecr:GetAuthorizationToken"),
        Request("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:811284229777:repository/image-classification"),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}),
    ]


NEEDED: dict[str, list[Request]] = {
    **{f"{logical}Role": of_function(logical) for logical in FUNCTIONS},
    **{f"{name.title()}WorkflowRole": of_machine(name) for name in machines.names()},
    "EventsRole": of_events(),
    "PipelineRole": of_pipeline(),
    "ModelRole": of_model(),
    "SchedulerRole": [
        Request("lambda:InvokeFunction", arn_of("Monitor")),
        Request("sqs:SendMessage", arn_of("UndeliveredEvents")),
    ],
}

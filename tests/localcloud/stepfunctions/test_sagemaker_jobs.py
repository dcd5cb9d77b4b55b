"""State machines run SageMaker's jobs and wait for them, as strangers write them.

AWS: developer guide, "Create and manage Amazon SageMaker AI jobs with Step Functions" and "Run a Job (.sync)"; recorded
answers of other `.sync` integrations for the events, and for States.TaskFailed with the job as cause.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import textwrap
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from job_support import DONE, SLEEPS, Bucket, processing, training, transform, unique
from stepfunctions_support import ROLE, Machines
from tuning_support import tuning

RESOURCE = "arn:aws:states:::sagemaker:"
PYTORCH_SERVING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"
RETRIES = [{"ErrorEquals": ["SageMaker.AmazonSageMakerException"], "IntervalSeconds": 1, "MaxAttempts": 1}]


@pytest.fixture
def sagemaker(on_local_cloud: LocalCloud) -> Any:
    return boto3.client("sagemaker")


@pytest.fixture
def machines(on_local_cloud: LocalCloud) -> Iterator[Machines]:
    yield Machines(boto3.client("stepfunctions"))


def task(action: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": RESOURCE + action, "Parameters": parameters, "End": True, **more}


def test_a_processing_and_a_training_job_run_one_after_the_other(machines: Machines, bucket: Bucket) -> None:
    process = processing(bucket, "print('prepared')")
    name = process.pop("ProcessingJobName")
    code = "import os; open(os.environ['SAGEMAKER_BASE_DIR'] + '/model/weights', 'w').write('w')"
    train = training(bucket, code)
    del train["TrainingJobName"]
    states = {
        "Process": {
            **task("createProcessingJob.sync", {**process, "ProcessingJobName.$": "$.name"}),
            "Retry": RETRIES,
            "ResultPath": "$.processed",
            "Next": "Train",
        },
        "Train": {
            **task(
                "createTrainingJob.sync",
                {**train, "TrainingJobName.$": "States.Format('{}-train', $.processed.ProcessingJobName)"},
            ),
            "ResultSelector": {
                "model.$": "$.ModelArtifacts.S3ModelArtifacts",
                "status.$": "$.TrainingJobStatus",
                "rate.$": "$.HyperParameters.epochs",
                "created.$": "$.CreationTime",
            },
            "ResultPath": "$.trained",
        },
    }
    del states["Process"]["End"]
    ended = machines.run(states, {"name": name}, unique("train"))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    output = json.loads(ended["output"])
    assert output["processed"]["ProcessingJobStatus"] == "Completed"
    assert "SdkHttpMetadata" not in output["processed"]
    trained = output["trained"]
    assert (trained["status"], trained["rate"]) == ("Completed", "2")
    assert trained["model"] == bucket.uri(f"models/{name}-train/output/model.tar.gz")
    assert isinstance(trained["created"], int) and trained["created"] > 1_600_000_000_000  # milliseconds
    kinds = [event["type"] for event in machines.events(ended["executionArn"])]
    job = ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"]
    assert kinds == ["ExecutionStarted", *job, *job, "ExecutionSucceeded"]
    submitted = next(e for e in machines.events(ended["executionArn"]) if e["type"] == "TaskSubmitted")
    details = submitted["taskSubmittedEventDetails"]
    assert (details["resource"], details["resourceType"]) == ("createProcessingJob.sync", "sagemaker")
    assert {"ProcessingJobArn", "SdkHttpMetadata"} <= set(json.loads(details["output"]))


def test_a_job_that_fails_fails_its_state_with_the_job_as_cause(machines: Machines, bucket: Bucket) -> None:
    states = {
        "Process": task(
            "createProcessingJob.sync",
            processing(bucket, "raise SystemExit('no wheels')"),
            Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Tell"}],
        ),
        "Tell": {"Type": "Pass", "Parameters": {"job.$": "States.StringToJson($.error.Cause)"}, "End": True},
    }
    ended = machines.run(states, {}, unique("fails"))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    job = json.loads(ended["output"])["job"]
    assert job["ProcessingJobStatus"] == "Failed"
    assert "AlgorithmError" in job["FailureReason"]


def test_a_request_that_sagemaker_refuses_fails_under_awss_names(machines: Machines, bucket: Bucket) -> None:
    request = processing(bucket, "print(1)")
    twice = {
        "First": {**task("createProcessingJob", request, ResultPath=None), "Next": "Second"},
        "Second": task("createProcessingJob.sync", request, ResultPath=None),
    }
    del twice["First"]["End"]
    ended = machines.run(twice, {}, unique("twice"))
    assert (ended["status"], ended["error"]) == ("FAILED", "SageMaker.ResourceInUseException")
    assert "(Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceInUse; Request ID: " in ended["cause"]
    unnamed = {**request, "ProcessingJobName": "no blanks"}
    retried = machines.run({"Process": task("createProcessingJob.sync", unnamed, Retry=RETRIES)}, {}, unique("refused"))
    assert retried["error"] == "SageMaker.AmazonSageMakerException"
    kinds = [event["type"] for event in machines.events(retried["executionArn"])]
    assert kinds.count("TaskFailed") == 2, "its Retry did not match"


def test_a_field_that_the_operation_does_not_have_ends_the_execution(machines: Machines) -> None:
    parameters = {"ModelName": "m", "ExecutionRoleArn": ROLE, "S3Operations": {"S3Upload": []}}
    ended = machines.run({"Create Model": task("createModel", parameters)}, {}, unique("field"))
    assert ended["error"] == "States.Runtime"
    assert ended["cause"].startswith("An error occurred while executing the state 'Create Model' (entered at the event")
    assert ended["cause"].endswith('Task: [The field "S3Operations" is not supported by Step Functions]')


def started(sagemaker: Any, name: str) -> bool:
    try:
        return sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "InProgress"
    except ClientError:
        return False


def status(sagemaker: Any, name: str) -> Any:
    return sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]


def test_a_stopped_execution_stops_its_job(machines: Machines, sagemaker: Any, bucket: Bucket) -> None:
    request = processing(bucket, SLEEPS)
    name = request["ProcessingJobName"]
    machine = machines.make({"Process": task("createProcessingJob.sync", request)}, unique("stopped"))
    execution = machines.client.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(lambda: started(sagemaker, name))
    machines.client.stop_execution(executionArn=execution, error="Enough", cause="of it")
    assert machines.ended(execution)["status"] == "ABORTED"
    eventually(lambda: status(sagemaker, name) in DONE)
    assert status(sagemaker, name) == "Stopped"
    assert machines.events(execution)[-1]["type"] == "ExecutionAborted"


def test_a_branch_that_fails_stops_the_jobs_of_the_others(machines: Machines, sagemaker: Any, bucket: Bucket) -> None:
    request = processing(bucket, SLEEPS)
    name = request["ProcessingJobName"]
    asks = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeProcessingJob",
        "Parameters": {"ProcessingJobName": name},
        "Retry": [{"ErrorEquals": ["SageMaker.SageMakerException"], "IntervalSeconds": 1, "MaxAttempts": 20}],
        "Next": "Give up",
    }
    gives_up = {"Type": "Fail", "Error": "GaveUp"}
    branches = [
        {"StartAt": "Process", "States": {"Process": task("createProcessingJob.sync", request)}},
        {"StartAt": "Ask", "States": {"Ask": asks, "Give up": gives_up}},
    ]
    ended = machines.run({"Both": {"Type": "Parallel", "Branches": branches, "End": True}}, {}, unique("branches"))
    assert (ended["status"], ended["error"]) == ("FAILED", "GaveUp")
    eventually(lambda: status(sagemaker, name) == "Stopped")


def test_a_job_that_takes_too_long_is_stopped_and_its_state_can_catch_the_timeout(
    machines: Machines, sagemaker: Any, bucket: Bucket
) -> None:
    request = processing(bucket, SLEEPS)
    catch = [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "Late"}]
    states = {
        "Process": task("createProcessingJob.sync", request, TimeoutSeconds=1, Catch=catch),
        "Late": {"Type": "Pass", "End": True},
    }
    ended = machines.run(states, {}, unique("late"))
    assert json.loads(ended["output"])["error"]["Error"] == "States.Timeout"
    eventually(lambda: status(sagemaker, request["ProcessingJobName"]) == "Stopped")
    kinds = [event["type"] for event in machines.events(ended["executionArn"])]
    assert "TaskTimedOut" in kinds and "TaskSucceeded" not in kinds


INFERENCE = """
    import json

    def model_fn(folder):
        return "model"

    def transform_fn(model, body, content_type, accept):
        return json.dumps(len(body)), accept
"""


def archive(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return data.getvalue()


def test_a_model_scores_a_folder_and_is_described(machines: Machines, bucket: Bucket) -> None:
    bucket.put("model.tar.gz", archive({"code/inference.py": textwrap.dedent(INFERENCE)}))
    bucket.put("in/a.png", b"123")
    request = transform(bucket, unique("model"))

    def call(resource: str, arguments: dict[str, Any], after: str, **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Arguments": arguments,
            **more,
            **({"Next": after} if after else {"End": True}),
        }

    container = {"Image": PYTORCH_SERVING, "ModelDataUrl": bucket.uri("model.tar.gz")}
    model = {"ModelName": "{% $name %}", "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    variant = {"VariantName": "all", "ModelName": "{% $name %}", "InitialInstanceCount": 1}
    config = {"EndpointConfigName": "{% $name %}", "ProductionVariants": [{**variant, "InstanceType": "ml.m5.large"}]}
    job = {"job": "{% $states.result %}"}
    states: dict[str, Any] = {
        "Name": {"Type": "Pass", "Assign": {"name": request["ModelName"]}, "Next": "Make"},
        "Make": call("sagemaker:createModel", model, "Score"),
        "Score": call("sagemaker:createTransformJob.sync", request, "Configure", Assign=job),
        "Configure": call("sagemaker:createEndpointConfig", config, "Describe"),
        "Describe": call(
            "aws-sdk:sagemaker:describeEndpointConfig",
            {"EndpointConfigName": "{% $name %}"},
            "",
            Output={
                "status": "{% $job.TransformJobStatus %}",
                "took": "{% $job.TransformEndTime - $job.TransformStartTime %}",
                "config": "{% $states.result %}",
            },
        ),
    }
    ended = machines.run(states, {}, unique("scores"), QueryLanguage="JSONata")
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    output = json.loads(ended["output"])
    assert output["status"] == "Completed"
    assert output["took"] >= 0
    assert bucket.get("scored/a.png.out") == b"3"
    described = output["config"]
    assert described["ProductionVariants"][0]["InitialInstanceCount"] == 1
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}([.][0-9]{3})?Z", described["CreationTime"])  # as Java prints an instant
    assert "SdkHttpMetadata" not in described


def test_a_tuning_job_tells_its_best_training_job(machines: Machines, bucket: Bucket) -> None:
    source = bucket.put("source.tar.gz", archive({"train.py": "print('score=0.5')"}))
    tune = task("createHyperParameterTuningJob.sync", tuning(bucket, "train.py", source))
    best = "$.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value"
    ended = machines.run({"Tune": {**tune, "OutputPath": best}}, {}, unique("tunes"))
    assert (ended["status"], ended.get("output")) == ("SUCCEEDED", "0.5")


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("sagemaker:createModel.sync", "is not recognized. The value is not a valid resource ARN"),
        ("sagemaker:createTrainingJob.waitForTaskToken", "is not recognized. The value is not a valid resource ARN"),
        ("sagemaker:describeTrainingJob", "is not recognized. The value is not a valid resource ARN"),
        ("sagemaker:createLabelingJob.sync", "The local SageMaker has no labeling jobs"),
        ("aws-sdk:s3:getobject", "is not recognized. The value is not a valid resource ARN"),
        ("aws-sdk:nosuch:call", "is not recognized. The value is not a valid resource ARN"),
    ],
)
def test_what_cannot_be_run_is_refused_when_the_machine_is_made(machines: Machines, resource: str, reason: str) -> None:
    states = {"Run": {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True}}
    with pytest.raises(machines.client.exceptions.InvalidDefinition) as refused:
        machines.make(states, unique("refused"))
    message = refused.value.response["Error"]["Message"]
    assert reason in message
    assert "/States/Run/Resource" in message

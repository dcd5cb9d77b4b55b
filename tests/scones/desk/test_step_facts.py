"""What a step's job tells, for every kind of step; the answers are checked against AWS's service model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from service_stubs import Stubs

from pipelines.runs.step_log import Log
from scones.desk.data.step_facts import StepFacts, step_facts

EXECUTION = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/abcdefghijkl"
EARLIER = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/earlierearly"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CHANNEL = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train"}}}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def facts(**metadata: Any) -> StepFacts:
    ended = BEGAN + timedelta(seconds=9)
    step = {"StepName": "S", "StepStatus": "Succeeded", "StartTime": BEGAN, "EndTime": ended, "Metadata": metadata}
    return step_facts(EXECUTION, step)


def test_a_training_job_tells_channels_hyperparameters_metrics_and_its_log(stubs: Stubs) -> None:
    answer = {
        "TrainingJobName": "job-1",
        "TrainingJobArn": f"{ARN}training-job/job-1",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "FailureReason": "AlgorithmError: no",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {},
        "CreationTime": BEGAN,
        "HyperParameters": {"epochs": '"3"'},
        "InputDataConfig": [CHANNEL],
        "FinalMetricDataList": [{"MetricName": "loss", "Value": 0.25, "Timestamp": BEGAN}],
    }
    stubs["sagemaker"].add_response("describe_training_job", answer, {"TrainingJobName": "job-1"})
    found = facts(TrainingJob={"Arn": f"{ARN}training-job/job-1"})
    assert found.inputs == [("train", "s3://b/train")]
    assert ("epochs", "3") in found.settings and ("instances", "2 of ml.m5.large") in found.settings
    assert found.outputs == [("model", "s3://b/model.tar.gz")] and found.metrics == [("loss", 0.25)]
    assert found.reason == "AlgorithmError: no"
    assert found.log == Log("/aws/sagemaker/TrainingJobs", "job-1/")


def test_a_transform_job_tells_where_its_answers_are(stubs: Stubs) -> None:
    answer = {
        "TransformJobName": "job-2",
        "TransformJobArn": f"{ARN}transform-job/job-2",
        "TransformJobStatus": "Completed",
        "ModelName": "model-1",
        "TransformInput": {"DataSource": CHANNEL["DataSource"]},
        "TransformOutput": {"S3OutputPath": "s3://b/answers"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "CreationTime": BEGAN,
    }
    stubs["sagemaker"].add_response("describe_transform_job", answer, {"TransformJobName": "job-2"})
    found = facts(TransformJob={"Arn": f"{ARN}transform-job/job-2"})
    assert found.inputs == [("data", "s3://b/train"), ("model", "model-1")]
    assert found.outputs == [("answers", "s3://b/answers")]


def test_a_tuning_job_tells_its_best_training_job(stubs: Stubs) -> None:
    best = {
        "TrainingJobName": "best",
        "TrainingJobArn": f"{ARN}training-job/best",
        "CreationTime": BEGAN,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"lr": "0.1"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "acc", "Value": 0.75},
    }
    answer = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobArn": f"{ARN}hyper-parameter-tuning-job/tune",
        "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}},
        "HyperParameterTuningJobStatus": "Completed",
        "CreationTime": BEGAN,
        "TrainingJobStatusCounters": {"Completed": 4},
        "ObjectiveStatusCounters": {},
        "BestTrainingJob": best,
    }
    stubs["sagemaker"].add_response("describe_hyper_parameter_tuning_job", answer)
    found = facts(TuningJob={"Arn": f"{ARN}hyper-parameter-tuning-job/tune"})
    assert found.outputs == [("jobs Completed", "4"), ("best training job", "best")]
    assert found.settings == [("lr", "0.1")] and found.metrics == [("acc", 0.75)]
    assert found.log == Log("/aws/sagemaker/TrainingJobs", "best/")


def test_a_check_tells_its_job_and_its_report(stubs: Stubs) -> None:
    answer = {
        "ProcessingJobName": "check",
        "ProcessingJobArn": f"{ARN}processing-job/check",
        "ProcessingJobStatus": "Completed",
        "CreationTime": BEGAN,
        "AppSpecification": {"ImageUri": "image", "ContainerArguments": ["--all"]},
        "ProcessingResources": {"ClusterConfig": RESOURCES},
        "ProcessingInputs": [
            {"InputName": "set", "DatasetDefinition": {"AthenaDatasetDefinition": {
                "Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b", "OutputFormat": "JSON"}}}
        ],
    }  # fmt: skip
    stubs["sagemaker"].add_response("describe_processing_job", answer, {"ProcessingJobName": "check"})
    found = facts(QualityCheck={"CheckJobArn": f"{ARN}processing-job/check", "ViolationReport": "s3://b/v.json"})
    assert found.inputs == [("set", "AthenaDatasetDefinition")] and ("command", "--all") in found.settings
    assert found.outputs == [("ViolationReport", "s3://b/v.json")]


def test_a_model_and_its_registration_tell_data_image_and_approval(stubs: Stubs) -> None:
    container = {"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz"}
    made = {"ModelName": "m", "ModelArn": f"{ARN}model/m", "CreationTime": BEGAN, "PrimaryContainer": container}
    stubs["sagemaker"].add_response("describe_model", made, {"ModelName": "m"})
    found = facts(Model={"Arn": f"{ARN}model/m"})
    assert (found.inputs, found.settings) == ([("model data", "s3://b/model.tar.gz")], [("image", "image")])
    package = {
        "ModelPackageName": "g",
        "ModelPackageGroupName": "g",
        "ModelPackageVersion": 4,
        "ModelPackageArn": f"{ARN}model-package/g/4",
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
        "CreationTime": BEGAN,
        "InferenceSpecification": {"Containers": [container]},
    }
    stubs["sagemaker"].add_response("describe_model_package", package)
    found = facts(RegisterModel={"Arn": f"{ARN}model-package/g/4"})
    assert found.outputs == [("group", "g"), ("version", "4"), ("approval", "Approved")]


def test_a_function_tells_outputs_and_the_log_of_its_time() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:split:live"
    found = facts(Lambda={"Arn": arn, "OutputParameters": [{"Name": "rows", "Value": "5"}]})
    assert found.outputs == [("rows", "5")]
    assert found.log == Log("/aws/lambda/split", since=BEGAN, until=BEGAN + timedelta(seconds=14))


def test_a_kind_of_step_that_is_not_known_here_is_listed_as_it_is(stubs: Stubs) -> None:
    assert facts(EMR={"ClusterId": "j-1", "StepName": "s"}).outputs == [("ClusterId", "j-1"), ("StepName", "s")]
    assert facts(New={"CallbackToken": "secret", "Members": {"a": 1}}).outputs == [("Members", '{"a": 1}')]


def test_a_fail_step_tells_its_message_and_a_condition_its_outcome(stubs: Stubs) -> None:
    assert facts(Fail={"ErrorMessage": "too bad"}).reason == "too bad"
    assert facts(Condition={"Outcome": "True"}).outputs == [("outcome", "True")]


def test_of_a_cached_step_without_a_job_the_step_that_ran_is_told(stubs: Stubs) -> None:
    ran = {"StepName": "S", "StepStatus": "Succeeded", "Metadata": {"Fail": {"ErrorMessage": "as it was"}}}
    stubs["sagemaker"].add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": [ran]})
    step = {"StepName": "S", "StepStatus": "Succeeded", "CacheHitResult": {"SourcePipelineExecutionArn": EARLIER}}
    assert step_facts(EXECUTION, step).reason == "as it was"


@pytest.mark.parametrize("member", ["Endpoint", "EndpointConfig"])
def test_an_endpoint_has_a_log_and_its_configuration_has_none(member: str, stubs: Stubs) -> None:
    found = facts(**{member: {"Arn": f"{ARN}endpoint/e"}})
    assert found.log == (Log("/aws/sagemaker/Endpoints/e") if member == "Endpoint" else None)

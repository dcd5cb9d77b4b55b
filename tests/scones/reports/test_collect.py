"""What `scones report` asks of AWS, and what it makes of answers that lack something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from service_stubs import Stubs

from pipelines.runs import results, training_log
from pipelines.runs.training_log import Epoch
from project.errors import CloudError, DataError
from project.names import Names
from project.settings import Settings
from scones.reports import publish
from scones.reports.collect import collect
from scones.reports.facts import Facts

NAMES = Names(Settings())
PIPELINE = f"arn:aws:sagemaker:us-east-1:{NAMES.account}:pipeline/{NAMES.settings.pipeline_name}"
EXECUTION, SOURCE = f"{PIPELINE}/execution/abcdefghijkl", f"{PIPELINE}/execution/zyxwvutsrqpo"
JOB = "arn:aws:sagemaker:us-east-1:000000000000:processing-job/manifests-1"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GROUP = "/aws/sagemaker/TrainingJobs"


def list_steps(stubs: Stubs, arn: str, *steps: dict[str, Any]) -> None:
    answer = {"PipelineExecutionSteps": list(steps)}
    asked = {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}
    stubs["sagemaker"].add_response("list_pipeline_execution_steps", answer, asked)


def describe_job(stubs: Stubs) -> None:
    output = {"S3Uri": "s3://b/executions/zyx/BuildManifests/test", "LocalPath": "/o", "S3UploadMode": "EndOfJob"}
    answer = {
        "ProcessingJobName": "manifests-1",
        "ProcessingJobArn": JOB,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "x"},
        "ProcessingJobStatus": "Completed",
        "CreationTime": BEGAN,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "test", "S3Output": output}]},
    }
    stubs["sagemaker"].add_response("describe_processing_job", answer, {"ProcessingJobName": "manifests-1"})


def streams(stubs: Stubs, *names: str) -> None:
    stubs["logs"].add_response(
        "describe_log_streams",
        {"logStreams": [{"logStreamName": name} for name in names]},
        {"logGroupName": GROUP, "logStreamNamePrefix": "train-1/", "limit": 1},
    )


def events(stubs: Stubs, token: str | None, following: str, *lines: str) -> None:
    asked = {"logGroupName": GROUP, "logStreamName": "train-1/algo-1-1", "startFromHead": True}
    stubs["logs"].add_response(
        "get_log_events",
        {"events": [{"message": line} for line in lines], "nextForwardToken": following},
        asked | ({"nextToken": token} if token else {}),
    )


def test_a_log_is_read_to_its_last_page(stubs: Stubs) -> None:
    streams(stubs, "train-1/algo-1-1")
    events(stubs, None, "f/1", "Epoch[0] Train-accuracy=0.5")
    events(stubs, "f/1", "f/2")  # a page may be empty without being the last
    events(stubs, "f/2", "f/3", "Epoch[1] Train-accuracy=0.75")
    events(stubs, "f/3", "f/3")
    assert training_log.epochs("train-1") == [Epoch(0, 0.5, None), Epoch(1, 0.75, None)]


def test_a_missing_log_and_one_without_epochs_are_told_apart(stubs: Stubs) -> None:
    stubs["logs"].add_client_error("describe_log_streams", "ResourceNotFoundException", "none", 400)
    with pytest.raises(DataError, match="no log group"):
        training_log.epochs("train-1")
    streams(stubs)
    with pytest.raises(DataError, match="has no log of training job train-1"):
        training_log.epochs("train-1")
    streams(stubs, "train-1/algo-1-1")
    events(stubs, None, "f/1", "Killed")
    events(stubs, "f/1", "f/1")
    with pytest.raises(DataError, match="has no line such as"):
        training_log.epochs("train-1")


def test_a_cached_step_that_names_no_job_has_the_outputs_of_its_source(stubs: Stubs) -> None:
    hit = {"CacheHitResult": {"SourcePipelineExecutionArn": SOURCE}}
    list_steps(stubs, EXECUTION, {"StepName": "BuildManifests", "StepStatus": "Succeeded", **hit})
    ran = {"StepName": "BuildManifests", "StepStatus": "Succeeded", "Metadata": {"ProcessingJob": {"Arn": JOB}}}
    list_steps(stubs, SOURCE, ran)
    describe_job(stubs)
    found = results.output_uri(EXECUTION, "BuildManifests", "test")
    assert found == "s3://b/executions/zyx/BuildManifests/test"


def test_an_execution_that_only_failed_has_facts_and_a_list_of_what_is_missing(stubs: Stubs) -> None:
    description = {
        "PipelineExecutionArn": EXECUTION,
        "PipelineExecutionStatus": "Failed",
        "FailureReason": "Step failure",
        "CreationTime": BEGAN,
        "LastModifiedTime": BEGAN,
    }
    asked = {"PipelineExecutionArn": EXECUTION}
    stubs["sagemaker"].add_response("describe_pipeline_execution", description, asked)
    failed = {"StepName": "ExtractCifar", "StepStatus": "Failed", "FailureReason": "ClientError: wrong checksum"}
    list_steps(stubs, EXECUTION, failed)
    stubs["sagemaker"].add_client_error(
        "describe_pipeline_definition_for_execution", "AccessDeniedException", "no", 400
    )
    for _ in range(4):
        list_steps(stubs, EXECUTION, failed)
    facts = collect(EXECUTION, 0.93)
    assert facts.steps[0].reason == "ClientError: wrong checksum"
    assert facts.evaluation is facts.package is None and facts.gates == []
    text = "\n".join(facts.missing)
    for words in ("AccessDeniedException", "no output 'evaluation' of a step Evaluate", "has no training job"):
        assert words in text


def test_a_report_is_noted_with_the_package_if_there_is_one(stubs: Stubs) -> None:
    facts = Facts(EXECUTION, "x", "Succeeded", "", BEGAN, BEGAN, 0.93)
    assert publish.register_report(facts, "s3://b/report/index.html") is None
    facts.package = {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package/scones-unlimited/3"}
    stubs["sagemaker"].add_response(
        "update_model_package",
        {"ModelPackageArn": facts.package["ModelPackageArn"]},
        {
            "ModelPackageArn": facts.package["ModelPackageArn"],
            "CustomerMetadataProperties": {"report": "s3://b/report/index.html"},
        },
    )
    assert publish.register_report(facts, "s3://b/report/index.html") == facts.package["ModelPackageArn"]


def test_a_refused_upload_is_an_error(stubs: Stubs) -> None:
    stubs["s3"].add_client_error("put_object", "AccessDenied", "no", 403)
    with pytest.raises(CloudError, match=r"uploading s3://.*/executions/abc/report/index.html: AccessDenied"):
        publish.upload_page(NAMES, "abc", "<p>")

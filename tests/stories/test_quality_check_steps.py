"""Baselines and drift in a pipeline: preprocess, check the data, train, check the model, register, and the next month.

Written as the developer guide's example of "Baseline calculation, drift detection and lifecycle": the two check steps
have the form that the SDK's QualityCheckStep renders, and their properties go into the model package.
"""

from __future__ import annotations

from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from job_support import SCIKIT_LEARN
from pipeline_client import ROLE, PipelineClient, rendered

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
PREPARE = """
import csv, random, sys

source, folder = "/opt/ml/processing/input", "/opt/ml/processing/output"
folder = sys.argv[1]
shift, wrong = float(sys.argv[2]), int(sys.argv[3])
chance = random.Random(3)
with open(f"{folder}/data/data.csv", "w", newline="") as data, open(f"{folder}/told/told.csv", "w", newline="") as told:
    rows, answers = csv.writer(data), csv.writer(told)
    rows.writerow(["length", "rooms", "kind"])
    answers.writerow(["told", "chance", "truth"])
    for number in range(400):
        rows.writerow([f"{chance.gauss(5 + shift, 1):.3f}", chance.randrange(1, 6), chance.choice(["flat", "house"])])
        truth = number % 2
        said = 1 - truth if number % 100 < wrong else truth
        answers.writerow([said, 0.9 if said else 0.1, truth])
"""
SDK = """
import sys
from sagemaker.core.model_monitor.dataset_format import DatasetFormat
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.quality_check_step import DataQualityCheckConfig, ModelQualityCheckConfig
from sagemaker.mlops.workflow.quality_check_step import QualityCheckStep

bucket, role = sys.argv[1:]
session = PipelineSession(default_bucket=bucket)
job = CheckJobConfig(role=role, instance_type="ml.m5.large", sagemaker_session=session)
skip, register = ParameterBoolean(name="Skip"), ParameterBoolean(name="Register")
known = dict(
    check_job_config=job, skip_check=skip, register_new_baseline=register, model_package_group_name="GROUP"
)
form = DatasetFormat.csv(header=True)
data = DataQualityCheckConfig(
    baseline_dataset=ParameterString(name="Data"), dataset_format=form, output_s3_uri=f"s3://{bucket}/data-check"
)
model = ModelQualityCheckConfig(
    baseline_dataset=ParameterString(name="Told"),
    dataset_format=form,
    output_s3_uri=f"s3://{bucket}/model-check",
    problem_type="BinaryClassification",
    inference_attribute="told",
    probability_attribute="chance",
    ground_truth_attribute="truth",
)
steps = [
    QualityCheckStep(name="CheckData", quality_check_config=data, **known),
    QualityCheckStep(name="CheckModel", quality_check_config=model, **known),
]
print(Pipeline(name="p", steps=steps, sagemaker_session=session).definition())
"""
FLAGS = [{"Name": name, "Type": "Boolean"} for name in ("Skip", "Register")]
SHIFT = [
    {"Name": "Shift", "Type": "Float", "DefaultValue": 0.0},
    {"Name": "Wrong", "Type": "Integer", "DefaultValue": 5},
]


def output_uri(step: str, name: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def prepare(client: PipelineClient) -> dict[str, Any]:
    folder = "/opt/ml/processing/output"
    execution = {"Get": "Execution.PipelineExecutionId"}

    def saved(name: str) -> dict[str, Any]:
        uri = {"Std:Join": {"On": "/", "Values": [f"s3://{client.bucket}", execution, name]}}
        return {
            "OutputName": name,
            "S3Output": {"S3Uri": uri, "LocalPath": f"{folder}/{name}", "S3UploadMode": "EndOfJob"},
        }

    numbers = [{"Std:Join": {"On": "", "Values": [{"Get": f"Parameters.{name}"}]}} for name in ("Shift", "Wrong")]
    code = {
        "S3Uri": client.put("code/prepare.py", PREPARE),
        "LocalPath": "/opt/ml/processing/input/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {
        "Name": "Prepare",
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": SCIKIT_LEARN,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"],
                "ContainerArguments": [folder, *numbers],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            "ProcessingInputs": [{"InputName": "code", "S3Input": code}],
            "ProcessingOutputConfig": {"Outputs": [saved("data"), saved("told")]},
        },
    }


def register(client: PipelineClient, group: str) -> dict[str, Any]:
    def sources(prefix: str) -> dict[str, Any]:
        def one(step: str, file: str) -> dict[str, Any]:
            return {"ContentType": "application/json", "S3Uri": {"Get": f"Steps.{step}.{prefix}{file}"}}

        return {
            member: {file: one(step, file) for file in ("Statistics", "Constraints")}
            for member, step in (("ModelDataQuality", "CheckData"), ("ModelQuality", "CheckModel"))
        }

    container = {"Image": SCIKIT_LEARN, "ModelDataUrl": client.put("model/model.tar.gz", b"none")}
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "ModelMetrics": sources("CalculatedBaseline"),
            "DriftCheckBaselines": sources("BaselineUsedForDriftCheck"),
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    }


@pytest.fixture(scope="module")
def checking(pipelines_client: PipelineClient, local_cloud: LocalCloud) -> str:
    """A pipeline that checks data and a model, and registers what it found."""
    client = pipelines_client
    checks = rendered(local_cloud, SDK, client.bucket, ROLE)
    group = f"houses-{client.bucket[-8:]}"
    for step, name in zip(checks, ("data", "told"), strict=True):
        step["ModelPackageGroupName"] = group
        step["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"] = output_uri("Prepare", name)
        output = step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
        values = [output["S3Uri"], {"Get": "Execution.PipelineExecutionId"}]
        output["S3Uri"] = {"Std:Join": {"On": "/", "Values": values}}
    steps = [prepare(client), *checks, register(client, group)]
    return client.create(*steps, parameters=[*FLAGS, *SHIFT])


def test_the_first_time_there_is_nothing_to_compare_with(pipelines_client: PipelineClient, checking: str) -> None:
    execution, steps = pipelines_client.wait(pipelines_client.start(checking, Skip="false", Register="true"))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert (
        "there is no previous baseline (statistics and constraints): none is supplied"
        in steps["CheckData"]["FailureReason"]
    )


def test_a_baseline_is_registered_and_later_data_is_compared_with_it(
    pipelines_client: PipelineClient, checking: str
) -> None:
    client, name = pipelines_client, checking
    execution, steps = client.wait(client.start(name, Skip="true", Register="true"))
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    first = steps["CheckData"]["Metadata"]["QualityCheck"]
    assert first["CheckType"] == "DATA_QUALITY" and first["SkipCheck"] and first["RegisterNewBaseline"]
    assert first["BaselineUsedForDriftCheckStatistics"] == first["CalculatedBaselineStatistics"]
    assert ":processing-job/" in first["CheckJobArn"]
    constraints = client.read(first["CalculatedBaselineConstraints"])
    assert [(rule["name"], rule["inferred_type"]) for rule in constraints["features"]] == [
        ("length", "Fractional"),
        ("rooms", "Integral"),
        ("kind", "String"),
    ]
    metrics = client.read(steps["CheckModel"]["Metadata"]["QualityCheck"]["CalculatedBaselineStatistics"])
    assert metrics["binary_classification_metrics"]["accuracy"] == {"value": 0.95}
    arn = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    package = client.sagemaker.describe_model_package(ModelPackageName=arn)
    used = package["DriftCheckBaselines"]["ModelDataQuality"]
    assert used["Statistics"]["S3Uri"] == first["BaselineUsedForDriftCheckStatistics"]

    execution, steps = client.wait(client.start(name, Skip="false", Register="true"))
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    second = steps["CheckData"]["Metadata"]["QualityCheck"]
    assert second["CalculatedBaselineStatistics"] != first["CalculatedBaselineStatistics"]
    assert second["BaselineUsedForDriftCheckStatistics"] == second["CalculatedBaselineStatistics"]
    assert "ViolationReport" not in second
    job = client.sagemaker.describe_processing_job(ProcessingJobName=second["CheckJobArn"].rpartition("/")[2])
    inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in job["ProcessingInputs"]}
    assert inputs["baseline_statistics_input"] == first["CalculatedBaselineStatistics"]

    execution, steps = client.wait(client.start(name, Skip="false", Register="false", Shift="3", Wrong="20"))
    assert execution["PipelineExecutionStatus"] == "Failed"
    failed = [step for step in steps.values() if step["StepStatus"] == "Failed"]
    assert failed and "Register" not in steps
    for step in failed:
        report = client.read(step["Metadata"]["QualityCheck"]["ViolationReport"])["violations"]
        assert f"{len(report)} violations of the baseline, see s3://" in step["FailureReason"]
        if step["StepName"] == "CheckData":
            used = step["Metadata"]["QualityCheck"]["BaselineUsedForDriftCheckStatistics"]
            assert used == second["CalculatedBaselineStatistics"]
            found = {(one["feature_name"], one["constraint_check_type"]) for one in report}
            assert found == {("length", "baseline_drift_check")}
        else:
            texts = [one["description"] for one in report]
            assert "Metric accuracy with 0.8 was LessThanThreshold '0.95'" in texts


def test_supplied_baselines_go_first_and_violations_need_not_fail_the_step(pipelines_client: PipelineClient) -> None:
    client = pipelines_client
    data = client.put("small/data.csv", "a,b\n" + "1,x\n2,y\n" * 20)
    rules = '{"features": [{"name": "a", "inferred_type": "Integral", "completeness": 1.0}], "monitoring_config": {}}'
    source = {"S3Uri": data, "LocalPath": "/opt/ml/processing/input/data", "S3DataType": "S3Prefix"}
    target = {"S3Uri": f"s3://{client.bucket}/small", "LocalPath": "/opt/ml/processing/output"}
    place = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    step = {
        "Name": "Check",
        "Type": "QualityCheck",
        "CheckType": "DATA_QUALITY",
        "FailOnViolation": False,
        "SuppliedBaselineStatistics": client.put("supplied/statistics.json", '{"features": []}'),
        "SuppliedBaselineConstraints": client.put("supplied/constraints.json", rules),
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": ANALYZER},
            "Environment": {
                "dataset_format": '{"csv": {"header": true}}',
                "dataset_source": "/opt/ml/processing/input/data",
                "output_path": "/opt/ml/processing/output",
            },
            "ProcessingResources": {"ClusterConfig": place},
            "ProcessingInputs": [{"InputName": "data", "S3Input": {**source, "S3InputMode": "File"}}],
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": "result", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}]
            },
        },
    }
    name = client.create(step)
    (_, first), (_, second) = (client.wait(client.start(name)) for _ in range(2))
    for steps in (first, second):
        check = steps["Check"]["Metadata"]["QualityCheck"]
        assert steps["Check"]["StepStatus"] == "Succeeded"
        assert check["BaselineUsedForDriftCheckConstraints"] == f"s3://{client.bucket}/supplied/constraints.json"
        assert [one["feature_name"] for one in client.read(check["ViolationReport"])["violations"]] == ["b"]
    assert "CacheHitResult" in second["Check"]

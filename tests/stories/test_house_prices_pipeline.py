"""A pipeline in the style of AWS's end-to-end examples: prepare, check, search, evaluate, and register or fail.

Prepared in the scikit-learn image, searched with the built-in XGBoost algorithm, evaluated in its image from the best
model's artifact, held to a bound in a property file, registered with its metrics, and announced by a function.
"""

from __future__ import annotations

from typing import Any

import pytest
from engine_support import condition, fail, metric
from job_support import SCIKIT_LEARN
from local_functions import Functions
from pipeline_client import ROLE, PipelineClient, outputs

pytest.importorskip("xgboost", reason="the extra xgboost is not installed")

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
FOLDER = "/opt/ml/processing"
PREPARE = """
import argparse, csv, os, random

given = argparse.ArgumentParser()
given.add_argument("--output")
given.add_argument("--rows", type=int)
given = given.parse_args()
chance = random.Random(1)
for name, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
    os.makedirs(f"{given.output}/{name}", exist_ok=True)
    with open(f"{given.output}/{name}/{name}.csv", "w", newline="") as file:
        rows = csv.writer(file)
        for _ in range(int(given.rows * share)):
            size, rooms = chance.uniform(30, 200), chance.randrange(1, 7)
            rows.writerow([f"{3 * size + 20 * rooms + chance.gauss(0, 5):.2f}", f"{size:.2f}", rooms])
"""
EVALUATE = """
import csv, json, pathlib, sys, tarfile
import numpy, xgboost

folder = pathlib.Path(sys.argv[1])
with tarfile.open(folder / "input/model/model.tar.gz") as archive:
    archive.extractall(folder / "input/model", filter="data")
model = xgboost.Booster()
model.load_model(folder / "input/model/xgboost-model")
table = numpy.loadtxt(folder / "input/test/test.csv", delimiter=",")
told = model.predict(xgboost.DMatrix(table[:, 1:]))
mse = float(((told - table[:, 0]) ** 2).mean())
out = folder / "output/evaluation"
out.mkdir(parents=True, exist_ok=True)
(out / "evaluation.json").write_text(json.dumps({"regression_metrics": {"mse": {"value": mse}}}))
"""
ANNOUNCE = """
def handler(event, context):
    version = event["package"].rsplit("/", 1)[1]
    return {"text": f"{version} has {event['mse']:.0f}", "better": event["mse"] < event["bound"]}
"""


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def where(step: str, name: str) -> dict[str, str]:
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def source(name: str, uri: Any) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": f"{FOLDER}/input/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


def target(bucket: str, name: str) -> dict[str, Any]:
    uri = {"Std:Join": {"On": "/", "Values": [f"s3://{bucket}", get("Execution.PipelineExecutionId"), name]}}
    place = {"S3Uri": uri, "LocalPath": f"{FOLDER}/output/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": place}


def processing(name: str, image: str, script: str, words: list[Any], **request: Any) -> dict[str, Any]:
    inputs = [source("code", script), *request.pop("inputs", [])]
    entry = ["python3", f"{FOLDER}/input/code/{script.rpartition('/')[2]}"]
    arguments = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": entry, "ContainerArguments": words},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": request.pop("outputs")},
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **request}


def search(bucket: str) -> dict[str, Any]:
    def channel(name: str) -> dict[str, Any]:
        data = {"S3DataType": "S3Prefix", "S3Uri": where("Prepare", name), "S3DataDistributionType": "FullyReplicated"}
        return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": data}}

    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.2", "MaxValue": "0.5"}]},
        "RandomSeed": 1,
    }
    job = {
        "StaticHyperParameters": {"num_round": "40", "objective": "reg:squarederror", "max_depth": "4"},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "InputDataConfig": [channel("train"), channel("validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/houses"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "RoleArn": ROLE,
    }
    arguments = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": job}
    return {"Name": "Search", "Type": "Tuning", "Arguments": arguments}


def check(bucket: str) -> dict[str, Any]:
    step = processing("Check", "-", "-", [], outputs=[target(bucket, "check")])
    step["Arguments"]["AppSpecification"] = {
        "ImageUri": "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
    }
    step["Arguments"]["ProcessingInputs"] = [source("data", where("Prepare", "train"))]
    step["Arguments"]["Environment"] = {
        "dataset_format": '{"csv": {"header": false, "output_columns_position": "START"}}',
        "dataset_source": f"{FOLDER}/input/data",
        "output_path": f"{FOLDER}/output/check",
        "publish_cloudwatch_metrics": "Disabled",
    }
    flags = {"CheckType": "DATA_QUALITY", "SkipCheck": True, "RegisterNewBaseline": True, "FailOnViolation": True}
    return {**step, "Type": "QualityCheck", **flags}


def test_a_model_is_searched_evaluated_and_registered_or_the_execution_fails(
    pipelines_client: PipelineClient, functions: Functions
) -> None:
    client, bucket = pipelines_client, pipelines_client.bucket
    name = functions.create(ANNOUNCE)
    function = functions.client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    best = ["s3:/", bucket, "houses", get("Steps.Search.BestTrainingJob.TrainingJobName"), "output/model.tar.gz"]
    artifact = {"Std:Join": {"On": "/", "Values": best}}
    mse = metric("Evaluate", "regression_metrics.mse.value", "Evaluation")
    package = {
        "ModelPackageGroupName": f"houses-{bucket[-8:]}",
        "InferenceSpecification": {
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": artifact}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {
            "ModelDataQuality": {
                file: {"ContentType": "application/json", "S3Uri": get(f"Steps.Check.CalculatedBaseline{file}")}
                for file in ("Statistics", "Constraints")
            }
        },
    }
    announce = {
        "Name": "Announce",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {"package": get("Steps.Register.ModelPackageArn"), "mse": mse, "bound": get("Parameters.Bound")},
        "OutputParameters": outputs(text="String", better="Boolean"),
    }
    gate = condition(
        "Gate",
        {"Type": "LessThanOrEqualTo", "LeftValue": mse, "RightValue": get("Parameters.Bound")},
        {
            "Type": "Or",
            "Conditions": [
                {"Type": "In", "QueryValue": get("Parameters.Stage"), "Values": ["test", "production"]},
                {
                    "Type": "Not",
                    "Condition": {"Type": "Equals", "LeftValue": get("Parameters.Stage"), "RightValue": ""},
                },
            ],
        },
        yes=[{"Name": "Register", "Type": "RegisterModel", "Arguments": package}, announce],
        no=[fail("TooBad", {"Std:Join": {"On": " ", "Values": ["mse is above", get("Parameters.Bound")]}})],
    )
    costly = (
        processing(
            "Prepare",
            SCIKIT_LEARN,
            client.put("houses/code/prepare.py", PREPARE),
            ["--output", f"{FOLDER}/output", "--rows", "500"],
            outputs=[target(bucket, name) for name in ("train", "validation", "test")],
        ),
        check(bucket),
        search(bucket),
        processing(
            "Evaluate",
            XGBOOST,
            client.put("houses/code/evaluate.py", EVALUATE),
            [FOLDER],
            inputs=[source("model", artifact), source("test", where("Prepare", "test"))],
            outputs=[target(bucket, "evaluation")],
            PropertyFiles=[
                {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
            ],
        ),
    )
    cached = [{**step, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}} for step in costly]
    pipeline = client.create(
        *cached,
        gate,
        parameters=[
            {"Name": "Bound", "Type": "Float", "DefaultValue": 100.0},
            {"Name": "Stage", "Type": "String", "DefaultValue": "test"},
        ],
    )
    execution, steps = client.wait(client.start(pipeline, Bound="400"))
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    common = {"Prepare", "Check", "Search", "Evaluate", "Gate"}
    assert set(steps) == {*common, "Register", "Announce"}
    told = {one["Name"]: one["Value"] for one in steps["Announce"]["Metadata"]["Lambda"]["OutputParameters"]}
    assert told["better"] == "true" and told["text"].startswith("1 has ")
    arn = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    made = client.sagemaker.describe_model_package(ModelPackageName=arn)
    features = client.read(made["ModelMetrics"]["ModelDataQuality"]["Statistics"]["S3Uri"])["features"]
    assert [feature["name"] for feature in features] == ["_c0", "_c1", "_c2"]
    data = made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert data.startswith(f"s3://{bucket}/houses/")

    execution, steps = client.wait(client.start(pipeline, Bound="0.001"))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert set(steps) == {*common, "TooBad"}
    assert steps["TooBad"]["FailureReason"] == "mse is above 0.001"
    assert all("CacheHitResult" in steps[step["Name"]] for step in costly)

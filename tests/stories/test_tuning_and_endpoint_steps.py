"""From a search for hyperparameters to an endpoint of two containers, in one pipeline.

The steps have the form that the SDK's TuningStep, ModelStep, TransformStep, EndpointConfigStep and EndpointStep render;
TuningStep.get_top_model_s3_uri writes the Join over TrainingJobSummaries.
"""

from __future__ import annotations

import json
import textwrap
import uuid
from typing import Any

import pytest
from cloud_fixtures import eventually
from endpoint_support import archive
from job_support import SCIKIT_LEARN
from pipeline_client import ROLE, PipelineClient

SERVES = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"
TRAIN = """
    import argparse, os, shutil

    given = argparse.ArgumentParser()
    given.add_argument("--rate", type=float)
    given = given.parse_args()
    print(f"score={1 - given.rate:.3f};")
    folder = os.environ["SM_MODEL_DIR"]
    os.makedirs(f"{folder}/code")
    shutil.copy(os.path.join(os.path.dirname(__file__), "inference.py"), f"{folder}/code/inference.py")
    open(f"{folder}/rate.txt", "w").write(str(given.rate))
"""
ADDS_ONE = """
    import json

    def model_fn(folder):
        return 1

    def transform_fn(model, body, content_type, accept):
        if body == b"bad":
            raise ValueError("no number")
        return str(float(body) + model), "text/x-number"
"""
TELLS_RATE = """
    import json

    def model_fn(folder):
        return float(open(f"{folder}/rate.txt").read())

    def transform_fn(model, body, content_type, accept):
        text = body.decode() if isinstance(body, bytes) else body
        return json.dumps({"input": float(text), "type": content_type, "accept": accept, "rate": model}), accept
"""


def packed(**scripts: str) -> bytes:
    """An archive of Python files; `code_x` is code/x.py."""
    named = {f"{name.replace('_', '/')}.py": textwrap.dedent(text).encode() for name, text in scripts.items()}
    return archive(named)


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def pipeline(client: PipelineClient, endpoint: str) -> list[dict[str, Any]]:
    source = client.put("source/sourcedir.tar.gz", packed(train=TRAIN, inference=TELLS_RATE))
    first = client.put("first/model.tar.gz", packed(code_inference=ADDS_ONE))
    numbers = client.put("numbers/a.txt", b"41")
    tune = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "rate", "Values": ["0.25", "0.75"]}]},
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": source},
            "AlgorithmSpecification": {
                "TrainingImage": SCIKIT_LEARN,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{client.bucket}/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }
    best = ["s3:/", client.bucket, "models", get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName")]
    containers = [
        {"Image": SERVES, "ModelDataUrl": first},
        {"Image": SERVES, "ModelDataUrl": {"Std:Join": {"On": "/", "Values": [*best, "output/model.tar.gz"]}}},
    ]
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": get("Steps.Model.ModelName"),
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    transform = {
        "ModelName": get("Steps.Model.ModelName"),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": numbers}},
            "ContentType": "text/plain",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{client.bucket}/out", "Accept": "application/json"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }
    config = get("Steps.Config.EndpointConfigName")
    return [
        {"Name": "Tune", "Type": "Tuning", "Arguments": tune, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}},
        {"Name": "Model", "Type": "Model", "Arguments": {"ExecutionRoleArn": ROLE, "Containers": containers}},
        {"Name": "Predict", "Type": "Transform", "Arguments": transform},
        {"Name": "Config", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [variant]}},
        {
            "Name": "Serve",
            "Type": "Endpoint",
            "Arguments": {"EndpointName": endpoint, "EndpointConfigName": config},
            "DependsOn": ["Predict"],
        },
    ]


def test_a_search_ends_in_an_endpoint_and_the_next_execution_updates_it(pipelines_client: PipelineClient) -> None:
    endpoint = f"numbers-{uuid.uuid4().hex[:8]}"
    name = pipelines_client.create(*pipeline(pipelines_client, endpoint))
    execution, steps = pipelines_client.wait(pipelines_client.start(name))
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    sagemaker = pipelines_client.sagemaker
    tuning = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    assert len(tuning) <= 32
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)["BestTrainingJob"]
    assert found["TunedHyperParameters"] == {"rate": "0.75"}
    answer = {"input": 42.0, "type": "text/x-number", "accept": "application/json", "rate": 0.75}
    assert pipelines_client.read(f"s3://{pipelines_client.bucket}/out/a.txt.out") == answer

    def invoke(body: bytes) -> Any:
        asked = {"EndpointName": endpoint, "ContentType": "text/plain", "Accept": "application/json", "Body": body}
        return json.loads(pipelines_client.runtime.invoke_endpoint(**asked)["Body"].read())

    assert invoke(b"41") == answer
    with pytest.raises(pipelines_client.runtime.exceptions.ModelError, match="no number"):
        invoke(b"bad")
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert len(described["ProductionVariants"][0]["DeployedImages"]) == 2
    assert steps["Serve"]["Metadata"]["Endpoint"]["Arn"] == described["EndpointArn"]
    config = steps["Config"]["Metadata"]["EndpointConfig"]["Arn"].rpartition("/")[2]
    assert described["EndpointConfigName"] == config
    assert {"Key": "sagemaker:pipeline-step-name", "Value": "Serve"} in sagemaker.list_tags(
        ResourceArn=described["EndpointArn"]
    )["Tags"]

    execution, steps = pipelines_client.wait(pipelines_client.start(name))
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    assert "CacheHitResult" in steps["Tune"]
    updated = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert updated["EndpointConfigName"] != config
    assert updated["CreationTime"] == described["CreationTime"]
    assert invoke(b"1")["input"] == 2.0

    sagemaker.delete_endpoint(EndpointName=endpoint)
    eventually(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])


def test_an_endpoint_that_does_not_come_up_fails_the_step(pipelines_client: PipelineClient) -> None:
    model = pipelines_client.put("broken/model.tar.gz", packed(code_inference="raise SystemExit('no weights')"))
    container = {"Image": SERVES, "ModelDataUrl": model}
    endpoint = f"broken-{uuid.uuid4().hex[:8]}"
    model_step, _, config, serve = pipeline(pipelines_client, endpoint)[1:]
    model_step["Arguments"] = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    del serve["DependsOn"]
    execution, steps = pipelines_client.run(model_step, config, serve)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert f"Endpoint {endpoint} is Failed: The primary container" in steps["Serve"]["FailureReason"]
    pipelines_client.sagemaker.delete_endpoint(EndpointName=endpoint)

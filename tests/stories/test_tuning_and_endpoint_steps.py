"""From a search for hyperparameters to an endpoint of two containers, in one pipeline.

Its TuningStep, EndpointConfigStep and EndpointStep are rendered by the SDK, and so is the place of the best model
(TuningStep.get_top_model_s3_uri), as the message of a Fail step that is taken out.
"""

from __future__ import annotations

import json
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud, eventually
from endpoint_support import archive
from job_support import SCIKIT_LEARN
from pipeline_client import ROLE, PipelineClient, rendered

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
SDK = """
import sys
from sagemaker.core.parameter import CategoricalParameter
from sagemaker.core.training.configs import Compute, OutputDataConfig, SourceCode, StoppingCondition
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TuningStep
from sagemaker.train.model_trainer import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

bucket, role, folder, image, endpoint = sys.argv[1:]
session = PipelineSession(default_bucket=bucket)
trainer = ModelTrainer(
    training_image=image,
    role=role,
    sagemaker_session=session,
    base_job_name="numbers",
    source_code=SourceCode(source_dir=folder, entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
)
tuner = HyperparameterTuner(
    trainer,
    "score",
    {"rate": CategoricalParameter(["0.25", "0.75"])},
    metric_definitions=[{"Name": "score", "Regex": "score=([0-9.]+);"}],
    strategy="Grid",
    objective_type="Minimize",
    max_parallel_jobs=2,
)
tune = TuningStep("Tune", step_args=tuner.tune(wait=False))
name = Join(on="-", values=[endpoint, ExecutionVariables.PIPELINE_EXECUTION_ID])
variant = {"VariantName": "All", "ModelName": "model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
config = EndpointConfigStep("Config", step_args=session.create_endpoint_config(name, [variant]))
wanted = config.properties.EndpointConfigName
serve = EndpointStep("Serve", step_args=session.create_endpoint(endpoint_name=endpoint, config_name=wanted))
best = FailStep("Best", error_message=tune.get_top_model_s3_uri(0, bucket, "models"))
print(Pipeline(name="p", steps=[tune, config, serve, best], sagemaker_session=session).definition())
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


def model(**request: Any) -> dict[str, Any]:
    return {"Name": "Model", "Type": "Model", "Arguments": {"ExecutionRoleArn": ROLE, **request}}


def serving(endpoint: str) -> list[dict[str, Any]]:
    """An endpoint configuration whose name nobody chose, as Studio's pipeline editor makes it, and the endpoint."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": get("Steps.Model.ModelName"),
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    config = get("Steps.Config.EndpointConfigName")
    return [
        {"Name": "Config", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [variant]}},
        {"Name": "Serve", "Type": "Endpoint", "Arguments": {"EndpointName": endpoint, "EndpointConfigName": config}},
    ]


def searching(client: PipelineClient, cloud: LocalCloud, folder: Path, endpoint: str) -> list[dict[str, Any]]:
    """The whole pipeline: what the SDK renders, and Model and Transform steps between its search and its endpoint."""
    for name, text in (("train", TRAIN), ("inference", TELLS_RATE)):
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    tune, config, serve, best = rendered(cloud, SDK, client.bucket, ROLE, str(folder), SCIKIT_LEARN, endpoint)
    containers = [
        {"Image": SERVES, "ModelDataUrl": client.put("first/model.tar.gz", packed(code_inference=ADDS_ONE))},
        {"Image": SERVES, "ModelDataUrl": best["Arguments"]["ErrorMessage"]},
    ]
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": client.put("numbers/a.txt", b"41")}}
    transform = {
        "ModelName": get("Steps.Model.ModelName"),
        "TransformInput": {"DataSource": source, "ContentType": "text/plain"},
        "TransformOutput": {"S3OutputPath": f"s3://{client.bucket}/out", "Accept": "application/json"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }
    config["Arguments"]["ProductionVariants"][0]["ModelName"] = get("Steps.Model.ModelName")
    serve["DependsOn"] = ["Predict"]
    return [
        {**tune, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}},
        model(Containers=containers),
        {"Name": "Predict", "Type": "Transform", "Arguments": transform},
        config,
        serve,
    ]


def test_a_search_ends_in_an_endpoint_and_the_next_execution_updates_it(
    pipelines_client: PipelineClient, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    endpoint = f"numbers-{uuid.uuid4().hex[:8]}"
    name = pipelines_client.create(*searching(pipelines_client, local_cloud, tmp_path, endpoint))
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
    data = pipelines_client.put("broken/model.tar.gz", packed(code_inference="raise SystemExit('no weights')"))
    container = {"Image": SERVES, "ModelDataUrl": data}
    endpoint = f"broken-{uuid.uuid4().hex[:8]}"
    execution, steps = pipelines_client.run(model(PrimaryContainer=container), *serving(endpoint))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert f"Endpoint {endpoint} is Failed: The primary container" in steps["Serve"]["FailureReason"]
    pipelines_client.sagemaker.delete_endpoint(EndpointName=endpoint)

"""Images that a stranger's project names: scikit-learn, XGBoost, one that is in no table, and one of their own.

The scripts are written as AWS's examples are: argparse over SM_* variables, joblib, functions of the serving toolkit.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
from pathlib import Path
from typing import Any

import pytest
from endpoint_support import Clients, refused
from engine_support import definition
from job_support import REGISTRY, ROLE, Bucket, await_that, channel, described, ended, finish, log_of, unique

from localcloud.image_table import FILE, VARIABLE
from localcloud.sagemaker.cloud import Cloud

SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
UNKNOWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com/risk/scorer:7"
DELIVERIES = """
    import argparse, os
    from io import StringIO
    from pathlib import Path
    import joblib
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    def model_fn(model_dir):
        return joblib.load(os.path.join(model_dir, "model.joblib"))

    if __name__ == "__main__":
        parser = argparse.ArgumentParser()
        parser.add_argument("--max-depth", type=int, default=1)
        parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
        parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
        given = parser.parse_args()
        rows = np.vstack([np.loadtxt(path, delimiter=",") for path in sorted(Path(given.train).iterdir())])
        tree = DecisionTreeClassifier(max_depth=given.max_depth, random_state=0).fit(rows[:, 1:], rows[:, 0])
        print(f"train:accuracy={tree.score(rows[:, 1:], rows[:, 0]):.3f};")
        joblib.dump(tree, os.path.join(given.model_dir, "model.joblib"))
"""


def rows(count: int = 60) -> list[list[float]]:
    """Label, distance, weight: what is far goes by motorcycle (1)."""
    numbers = random.Random(3)
    return [[float(far > 5), far, numbers.random()] for far in (10 * numbers.random() for _ in range(count))]


def as_csv(table: list[list[float]]) -> str:
    return "\n".join(",".join(f"{value:.4f}" for value in row) for row in table) + "\n"


def archive(**files: str | bytes) -> bytes:
    """A tar.gz of these files; `_py` at a name's end is its ending."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            data = textwrap.dedent(content).encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name.replace("_py", ".py").replace("__", "/"))
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def members(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


def training(bucket: Bucket, image: str, parameters: dict[str, str], **channels: str) -> dict[str, Any]:
    """A request for a training job as the SageMaker SDK writes it for an estimator: no entry point."""
    inputs = [channel(name, uri, ContentType="text/csv") for name, uri in channels.items()]
    return {
        "TrainingJobName": unique("job"),
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": parameters,
        **({"InputDataConfig": inputs} if inputs else {}),
        "OutputDataConfig": {"S3OutputPath": bucket.uri("models")},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def script_mode(bucket: Bucket, script: str, **files: str) -> dict[str, str]:
    source = bucket.put("source/sourcedir.tar.gz", archive(train_py=script, **files))
    return {"sagemaker_program": json.dumps("train.py"), "sagemaker_submit_directory": json.dumps(source)}


def model(endpoints: Clients, image: str, data: str, **environment: str) -> str:
    name = unique("model")
    container = {"Image": image, "ModelDataUrl": data, "Environment": environment}
    endpoints.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


def test_a_scikit_learn_script_is_trained_and_its_model_answers_csv(
    cloud: Cloud, bucket: Bucket, endpoints: Clients
) -> None:
    data = bucket.put("train/deliveries.csv", as_csv(rows()))
    request = training(bucket, SCIKIT_LEARN, {**script_mode(bucket, DELIVERIES), "max-depth": "2"}, train=data)
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "acc", "Regex": "train:accuracy=(.*?);"}]
    job = finish(cloud, request)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("acc", 1.0)]
    variables = {
        "SAGEMAKER_PROGRAM": "train.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": bucket.uri("source/sourcedir.tar.gz"),
    }
    name = model(endpoints, SCIKIT_LEARN, job["ModelArtifacts"]["S3ModelArtifacts"], **variables)
    endpoint = endpoints.serve(endpoints.config(name))
    csv = {"body": b"1.5,0.2\n9.0,0.3\n", "ContentType": "text/csv"}
    assert endpoints.invoke(endpoint, **csv, Accept="text/csv") == b"0.0\n1.0\n"
    assert json.loads(endpoints.invoke(endpoint, **csv)) == [0.0, 1.0]
    json_rows = json.dumps([[9.0, 0.3]]).encode()
    assert json.loads(endpoints.invoke(endpoint, json_rows, ContentType="application/json")) == [1.0]
    for wanted, more in ((415, {"ContentType": "text/plain"}), (406, {"ContentType": "text/csv", "Accept": "a/b"})):
        answer = refused(endpoints.runtime.invoke_endpoint, EndpointName=endpoint, Body=csv["body"], **more)
        assert answer["OriginalStatusCode"] == wanted
    unnamed = endpoints.create(endpoints.config(model(endpoints, SCIKIT_LEARN, bucket.put("m.tar.gz", archive(a="")))))
    reason = endpoints.settled(unnamed)["FailureReason"]
    assert "SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY must be in the model's Environment" in reason


XGBOOST = {"objective": "binary:logistic", "num_round": "4", "eval_metric": "auc,logloss", "max_depth": "2"}
EVALUATE = (
    "import tarfile, xgboost; tarfile.open('/opt/ml/processing/input/model/model.tar.gz').extractall(); "
    "model = xgboost.Booster(model_file='xgboost-model'); "
    "open('/opt/ml/processing/output/report/rounds', 'w').write(str(model.num_boosted_rounds()))"
)


def test_an_xgboost_pipeline_trains_by_the_built_in_algorithm_and_a_step_reads_its_model(
    cloud: Cloud, bucket: Bucket, endpoints: Clients
) -> None:
    pytest.importorskip("xgboost", reason="the extra xgboost is not installed")
    image = f"{REGISTRY}/sagemaker-xgboost:1.7-1"
    data = bucket.put("xgboost/deliveries.csv", as_csv(rows()))
    request = training(bucket, image, XGBOOST, train=data, validation=data)
    del request["TrainingJobName"]
    artifact = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    source = {"LocalPath": "/opt/ml/processing/input/model", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    target = {"LocalPath": "/opt/ml/processing/output/report", "S3UploadMode": "EndOfJob"}
    evaluate = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", "-c", EVALUATE]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [{"InputName": "model", "S3Input": {"S3Uri": artifact, **source}}],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": bucket.uri("report"), **target}}]
        },
    }
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": request},
        {"Name": "Evaluate", "Type": "Processing", "Arguments": evaluate},
    ]
    pipeline = unique("pipeline")
    cloud.call(
        "CreatePipeline",
        {
            "PipelineName": pipeline,
            "PipelineDefinition": definition(*steps),
            "RoleArn": ROLE,
            "ClientRequestToken": "t" * 32,
        },
    )
    arn = cloud.call("StartPipelineExecution", {"PipelineName": pipeline, "ClientRequestToken": "t" * 32})[
        "PipelineExecutionArn"
    ]
    execution = {"PipelineExecutionArn": arn}
    await_that(
        cloud,
        lambda: (
            cloud.call("DescribePipelineExecution", execution)["PipelineExecutionStatus"] in {"Succeeded", "Failed"}
        ),
    )
    done = cloud.call("ListPipelineExecutionSteps", execution)["PipelineExecutionSteps"]
    assert {step["StepName"]: step["StepStatus"] for step in done} == dict.fromkeys(
        ("Train", "Evaluate"), "Succeeded"
    ), done
    assert bucket.get("report/rounds") == b"4"
    [job] = [step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2] for step in done if step["StepName"] == "Train"]
    record = described(cloud, "TrainingJob", job)
    metrics = {metric["MetricName"]: metric["Value"] for metric in record["FinalMetricDataList"]}
    assert metrics["validation:auc"] == 1.0 and 0 < metrics["validation:logloss"] < 0.7
    assert "[3]#011train-auc:1.00000#011train-logloss:" in log_of(cloud, "TrainingJob", job)
    name = model(endpoints, image, record["ModelArtifacts"]["S3ModelArtifacts"])
    endpoint = endpoints.serve(endpoints.config(name))
    near, far = map(float, endpoints.invoke(endpoint, b"1.5,0.2\n9.0,0.3", ContentType="text/csv").split(b","))
    assert near < 0.5 < far
    assert endpoints.invoke(endpoint, b"0:9.0 1:0.3", ContentType="text/libsvm") == str(far).encode()
    wide = refused(endpoints.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1,2,3", ContentType="text/csv")
    assert wide["OriginalStatusCode"] == 400 and "feature size of trained model 2" in wide["Error"]["Message"]
    bucket.put("in/part.csv", "1.5,0.2\n9.0,0.3\n")
    scored = finish(
        cloud,
        {
            "TransformJobName": unique("transform"),
            "ModelName": name,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": bucket.uri("in/")}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {"S3OutputPath": bucket.uri("scored"), "AssembleWith": "Line"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        },
    )
    assert scored["TransformJobStatus"] == "Completed", scored.get("FailureReason")
    assert [*map(float, bucket.get("scored/part.csv.out").split())] == [near, far]


def test_before_1_3_the_xgboost_artefact_is_a_pickle_and_the_customers_mistake_is_told(
    cloud: Cloud, bucket: Bucket
) -> None:
    pytest.importorskip("xgboost", reason="the extra xgboost is not installed")
    data = bucket.put("xgboost/deliveries.csv", as_csv(rows()))
    image = f"{REGISTRY}/sagemaker-xgboost:1.0-1-cpu-py3"
    old = {"objective": "reg:linear", "num_round": "2", "silent": "0"}
    job = finish(cloud, training(bucket, image, old, train=data))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(bucket.uri())
    booster = pickle.loads(members(bucket.get(key))["xgboost-model"])  # noqa: S301 - made by this test
    assert booster.num_boosted_rounds() == 2
    failed = finish(cloud, training(bucket, image, {"objective": "reg:squarederror"}, train=data))
    assert failed["FailureReason"] == "ClientError: Missing required hyperparameter: num_round., exit code: 1"


def test_an_image_in_no_table_can_be_registered_and_is_refused_only_when_it_starts(
    cloud: Cloud, bucket: Bucket, endpoints: Clients
) -> None:
    data = bucket.put("models/any.tar.gz", archive(weights=b"1"))
    name = model(endpoints, UNKNOWN, data)
    sagemaker, group = endpoints.sagemaker, unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    inference = {"Containers": [{"Image": UNKNOWN, "ModelDataUrl": data}], "SupportedContentTypes": ["text/csv"]}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=inference, ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    of_package = unique("model")
    sagemaker.create_model(ModelName=of_package, PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=ROLE)
    request = training(bucket, UNKNOWN, {})
    arguments = {name: value for name, value in request.items() if name != "TrainingJobName"}
    step = {"Name": "Train", "Type": "Training", "Arguments": arguments}
    sagemaker.create_pipeline(PipelineName=unique("p"), PipelineDefinition=definition(step), RoleArn=ROLE)
    config = endpoints.config(name)
    row = '[images."risk/scorer"] and {} = ["python3", …]'
    for call, use, wanted in (
        (sagemaker.create_endpoint, "serve", {"EndpointName": unique("e"), "EndpointConfigName": config}),
        (sagemaker.create_training_job, "train", request),
    ):
        error = refused(call, **wanted)["Error"]
        assert error["Code"] == "ValidationException" and UNKNOWN in error["Message"]
        assert row.format(use) in error["Message"]
    brought = finish(cloud, training(bucket, UNKNOWN, script_mode(bucket, "print('by the script')")))
    assert brought["TrainingJobStatus"] == "Completed", brought.get("FailureReason")


OWN_TRAIN = """
    import os, sys
    import abacus

    assert sys.prefix == abacus.PREFIX, sys.prefix
    total = abacus.total([1, 2, 3])
    print(f"total={total}")
    open(os.environ["SM_MODEL_DIR"] + "/total", "w").write(str(total))
"""
OWN_SERVE = """
    import sys
    import abacus

    def model_fn(model_dir):
        return int(open(f"{model_dir}/total").read())

    def transform_fn(model, body, content_type, accept):
        numbers = [int(word) for word in body.split(",")]
        return f"{abacus.total(numbers) + model} {sys.prefix == abacus.PREFIX}", "text/csv"
"""


def test_one_row_and_a_virtual_environment_are_an_image_of_ones_own(
    cloud: Cloud, bucket: Bucket, endpoints: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv)}))
    (packages / "abacus.py").write_text(f"PREFIX = {str(venv)!r}\ntotal = sum\n")
    (tmp_path / FILE).write_text(
        '[images."team/abacus"]\n'
        'interpreter = "venv"\n'
        'serve = ["python3", "-m", "localcloud.programs.pytorch_inference", "serve"]\n'
        'metrics = { total = "total=([0-9]+)" }\n'
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path / FILE))
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/abacus:1"
    job = finish(cloud, training(bucket, image, script_mode(bucket, OWN_TRAIN)))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("total", 6.0)]
    artifact = members(bucket.get(job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(bucket.uri())))
    packed = bucket.put("own/model.tar.gz", archive(total=artifact["total"], code__inference_py=OWN_SERVE))
    endpoint = endpoints.serve(endpoints.config(model(endpoints, image, packed)))
    assert endpoints.invoke(endpoint, b"4,5", ContentType="text/csv") == b"15 True"


def test_a_library_that_only_the_image_has_is_named_with_what_to_do(cloud: Cloud, bucket: Bucket) -> None:
    image = f"{REGISTRY}/tensorflow-training:2.19-cpu-py312"
    request = training(bucket, image, script_mode(bucket, "import tensorflow_of_the_image.keras"))
    cloud.call("CreateTrainingJob", request)
    reason = ended(cloud, "TrainingJob", request["TrainingJobName"])["FailureReason"]
    assert reason == (
        "AlgorithmError: ModuleNotFoundError: No module named 'tensorflow_of_the_image'. The interpreter that stands "
        "in for tensorflow-training has no tensorflow_of_the_image: name an interpreter that has it in "
        'localcloud.toml: [images."tensorflow-training"] interpreter = "…", exit code: 1'
    )

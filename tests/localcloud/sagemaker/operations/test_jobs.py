"""Jobs through unchanged clients: boto3 and the aws command line against the running server."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from commands import BIN
from job_support import (
    DONE,
    OUTPUT,
    ROLE,
    Bucket,
    channel,
    kind_of,
    processing,
    processing_input,
    training,
    transform,
    unique,
)

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.job_types import KINDS
from localcloud.sagemaker.jobs.training import check as check_training

INFERENCE = """
    import json

    def model_fn(folder):
        return open(f"{folder}/words.txt").read()

    def transform_fn(model, body, content_type, accept):
        return json.dumps([model, len(body), content_type]), accept
"""


@pytest.fixture
def sagemaker(on_local_cloud: LocalCloud) -> Any:
    return boto3.client("sagemaker")


def run(sagemaker: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Create a job, wait for its end, and describe it."""
    kind = kind_of(request)
    name = "_".join(["create", *_words(kind)])
    getattr(sagemaker, name)(**request)
    return wait(sagemaker, kind, request[f"{kind}Name"])


def wait(sagemaker: Any, kind: str, name: str) -> dict[str, Any]:
    describe = getattr(sagemaker, "_".join(["describe", *_words(kind)]))
    eventually(lambda: describe(**{f"{kind}Name": name})[f"{kind}Status"] in DONE)
    answer: dict[str, Any] = describe(**{f"{kind}Name": name})
    return answer


def _words(kind: str) -> list[str]:
    return [kind.removesuffix("Job").lower(), "job"]


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_processing_job_sees_its_inputs_configuration_and_arguments_and_its_outputs_are_uploaded(
    sagemaker: Any, bucket: Bucket
) -> None:
    bucket.put("data/images/a.txt", "a")
    bucket.put("data/images/deep/b.txt", "b")
    bucket.put("data/images-other/c.txt", "c")
    code = """
        import json, os, pathlib, sys
        source, target = map(pathlib.Path, sys.argv[1:3])
        base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
        seen = {
            "files": sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()),
            "variable": os.environ["ANSWER"],
            "hosts": json.loads((base / "config/resourceconfig.json").read_text())["hosts"],
            "job": json.loads((base / "config/processingjobconfig.json").read_text())["ProcessingJobName"],
        }
        (target / "sub").mkdir()
        (target / "sub" / "seen.json").write_text(json.dumps(seen))
        (target / "link").symlink_to(target / "sub" / "seen.json")
        (base / "output" / "message").write_text("all well")
        print("a line")
        print("the last line", end="")
    """
    source = "/opt/ml/processing/input/images"
    request = processing(bucket, code, source, OUTPUT, Environment={"ANSWER": "42"})
    request["ProcessingInputs"].append(processing_input("images", bucket.uri("data/images"), source))
    job = run(sagemaker, request)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "all well"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["AppSpecification"]["ContainerArguments"] == [source, OUTPUT]
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert bucket.keys("out/") == ["out/sub/seen.json"]
    assert json.loads(bucket.get("out/sub/seen.json")) == {
        "files": ["a.txt", "deep/b.txt"],
        "variable": "42",
        "hosts": ["algo-1"],
        "job": request["ProcessingJobName"],
    }
    assert log_lines("ProcessingJobs", request["ProcessingJobName"]) == ["a line", "the last line"]


def log_lines(group: str, job: str) -> list[str]:
    logs = boto3.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=f"/aws/sagemaker/{group}", logStreamNamePrefix=f"{job}/")[
        "logStreams"
    ]
    assert stream["logStreamName"].startswith(f"{job}/algo-1-")
    events = logs.get_log_events(
        logGroupName=f"/aws/sagemaker/{group}", logStreamName=stream["logStreamName"], startFromHead=True
    )
    return [event["message"] for event in events["events"]]


@pytest.mark.parametrize(
    ("prefix", "files"),
    [
        ("in/train", ["a.png"]),
        ("in/train/", ["a.png"]),
        ("in/train_lst/train.lst", ["train.lst"]),
        ("in/train_l", ["train_lst/train.lst"]),
        ("in/list.json", ["train_lst/train.lst"]),
    ],
)
def test_an_input_is_an_object_a_folder_a_prefix_or_a_manifest(
    sagemaker: Any, bucket: Bucket, prefix: str, files: list[str]
) -> None:
    bucket.put("in/train/", b"")
    bucket.put("in/train/a.png", "a")
    bucket.put("in/train_lst/train.lst", "b")
    bucket.put("in/list.json", json.dumps([{"prefix": bucket.uri("in/")}, "train_lst/train.lst"]))
    code = """
        import json, pathlib, sys
        source, target = map(pathlib.Path, sys.argv[1:])
        names = sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file())
        (target / "files.json").write_text(json.dumps(names))
    """
    source = "/opt/ml/processing/input/data"
    request = processing(bucket, code, source, OUTPUT)
    item = processing_input("data", bucket.uri(prefix), source)
    if prefix.endswith(".json"):
        item["S3Input"]["S3DataType"] = "ManifestFile"
    request["ProcessingInputs"].append(item)
    assert run(sagemaker, request)["ProcessingJobStatus"] == "Completed"
    assert json.loads(bucket.get("out/files.json")) == files


def test_a_model_is_trained_packed_scored_and_every_answer_is_what_the_service_model_says(
    sagemaker: Any, bucket: Bucket
) -> None:
    bucket.put("lists/train.lst", "0\t0\ta.png\n")
    bucket.put("training-code/inference.py", INFERENCE)
    code = """
        import json, os, pathlib, shutil, sys
        base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
        assert json.loads((base / "input/config/hyperparameters.json").read_text()) == {"epochs": "2"}
        channels = json.loads((base / "input/config/inputdataconfig.json").read_text())
        assert channels["train_lst"]["ContentType"] == "application/x-image", channels
        assert (base / "input/data/train_lst/train.lst").is_file()
        assert os.environ["TRAINING_JOB_ARN"].endswith("/" + os.environ["TRAINING_JOB_NAME"])
        print("Epoch[0] accuracy=0.9\\nEpoch[1] accuracy=0.75")
        (base / "model/code").mkdir()
        shutil.copy(base / "input/data/code/inference.py", base / "model/code/inference.py")
        (base / "model/words.txt").write_text("hello")
        (base / "output/data/report.txt").write_text("report")
    """
    request = training(bucket, code)
    request["InputDataConfig"].append(channel("train_lst", bucket.uri("lists"), ContentType="application/x-image"))
    job = run(sagemaker, request)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job
    artifacts = f"models/{request['TrainingJobName']}/output/"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == bucket.uri(f"{artifacts}model.tar.gz")
    assert bucket.keys("models/") == [f"{artifacts}model.tar.gz", f"{artifacts}output.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(bucket.get(f"{artifacts}model.tar.gz"))) as tar:
        assert tar.getnames() == ["code/inference.py", "words.txt"]
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("accuracy", 0.75)]
    turns = job["SecondaryStatusTransitions"]
    assert [turn["Status"] for turn in turns] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(earlier["EndTime"] == later["StartTime"] for earlier, later in pairwise(turns))
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] >= 1

    model = unique("model")
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"
    container = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    bucket.put("in/a.png", b"123")
    bucket.put("in/deep/b c.png", b"12345")
    scored = run(sagemaker, transform(bucket, model))
    assert scored["TransformJobStatus"] == "Completed", scored
    assert scored["TransformStartTime"] <= scored["TransformEndTime"]
    assert bucket.keys("scored/") == ["scored/a.png.out", "scored/deep/b c.png.out"]
    assert json.loads(bucket.get("scored/deep/b c.png.out")) == ["hello", 5, "application/x-image"]


def test_jobs_are_listed_in_pages_by_name_status_and_time(sagemaker: Any, bucket: Bucket) -> None:
    prefix = unique("listed")
    codes = {"a": "pass", "b": "raise SystemExit(1)", "c": "pass"}
    for suffix, code in codes.items():
        run(sagemaker, processing(bucket, code, ProcessingJobName=f"{prefix}-{suffix}"))
    pages = sagemaker.get_paginator("list_processing_jobs").paginate(NameContains=prefix, MaxResults=1)
    found = [[job["ProcessingJobName"][-1] for job in page["ProcessingJobSummaries"]] for page in pages]
    assert found == [["a"], ["b"], ["c"]]

    def names(**request: Any) -> list[str]:
        jobs = sagemaker.list_processing_jobs(NameContains=prefix, **request)["ProcessingJobSummaries"]
        return [job["ProcessingJobName"][-1] for job in jobs]

    assert names(SortBy="Name", SortOrder="Descending") == ["c", "b", "a"]
    assert names(SortBy="Status") == ["a", "c", "b"]
    assert names(StatusEquals="Failed") == ["b"]
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert names(CreationTimeAfter=now - hour, LastModifiedTimeBefore=now + hour) == ["a", "b", "c"]
    assert names(CreationTimeBefore=now - hour) == names(LastModifiedTimeAfter=now + hour) == []
    for token, order in (("nonsense", "CreationTime"), ("x|a", "CreationTime"), ("nonsense", "Name"), ("a|", "Name")):
        code, message = refusal(sagemaker.list_processing_jobs, NextToken=token, SortBy=order)
        assert (code, message.startswith("The NextToken of the request is invalid")) == ("ValidationException", True)


def test_a_name_is_free_again_when_its_job_is_deleted(sagemaker: Any, bucket: Bucket) -> None:
    request = processing(bucket, "pass", Tags=[{"Key": "team", "Value": "deliveries"}])
    name = request["ProcessingJobName"]
    arn = run(sagemaker, request)["ProcessingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "deliveries"}]
    code, message = refusal(sagemaker.create_processing_job, **request)
    assert (code, arn in message) == ("ResourceInUse", True)
    sagemaker.delete_processing_job(ProcessingJobName=name)
    assert refusal(sagemaker.describe_processing_job, ProcessingJobName=name) == (
        "ValidationException",
        f"Could not find requested job with name: {name}",
    )
    assert run(sagemaker, request)["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("verb", ["describe", "stop"])
def test_a_job_that_is_not_there_is_named_as_the_service_names_it(sagemaker: Any, kind: Any, verb: str) -> None:
    call = getattr(sagemaker, "_".join([verb, *_words(kind.name)]))
    code, message = refusal(call, **{f"{kind.name}Name": "nothing"})
    assert (code, message) == ("ValidationException", kind.missing.format(name="nothing"))


def test_the_aws_command_line_runs_and_describes_a_job(local_cloud: LocalCloud, sagemaker: Any, bucket: Bucket) -> None:
    request = processing(bucket, "pass")

    def aws(*words: str) -> Any:
        done = subprocess.run(
            [BIN / "aws", "sagemaker", *words],
            env=local_cloud.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout or "null")

    created = aws("create-processing-job", "--cli-input-json", json.dumps(request))
    name = request["ProcessingJobName"]
    assert created["ProcessingJobArn"] == f"arn:aws:sagemaker:us-east-1:000000000000:processing-job/{name}"
    wait(sagemaker, "ProcessingJob", name)
    assert aws("describe-processing-job", "--processing-job-name", name)["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"EnableManagedSpotTraining": True}, "It must be present and be greater than or equal to MaxRuntimeInSeconds"),
        ({"EnableManagedSpotTraining": True, "MaxWaitTimeInSeconds": 599}, "It must be present and be greater than"),
        ({"MaxWaitTimeInSeconds": 600}, "It is only supported when EnableManagedSpotTraining is set to true"),
        ({"EnableManagedSpotTraining": True, "MaxWaitTimeInSeconds": 600}, None),
    ],
)
def test_managed_spot_training_waits_as_long_as_it_runs_or_longer(
    bucket: Bucket, changes: dict[str, Any], refused: str | None
) -> None:
    """API reference, StoppingCondition: MaxWaitTimeInSeconds "must be equal to or greater than MaxRuntimeInSeconds"."""
    condition = {"MaxRuntimeInSeconds": 600}
    if "MaxWaitTimeInSeconds" in changes:
        condition["MaxWaitTimeInSeconds"] = changes["MaxWaitTimeInSeconds"]
    request = training(bucket, "pass", StoppingCondition=condition)
    request["EnableManagedSpotTraining"] = changes.get("EnableManagedSpotTraining", False)
    if refused is None:
        check_training(request)
        return
    with pytest.raises(ServiceError, match="Invalid MaxWaitTimeInSeconds") as error:
        check_training(request)
    assert (error.value.code, refused in error.value.message) == ("ValidationException", True)

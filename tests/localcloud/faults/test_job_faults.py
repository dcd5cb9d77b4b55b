"""Processing and training jobs that fail, by their program, their data or what is around them, and their reasons."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest
from job_support import (
    OUTPUT,
    REGISTRY,
    SAVES_WHEN_STOPPED,
    Bucket,
    ended,
    finish,
    log_of,
    processing,
    processing_input,
    processing_output,
    ready,
    start,
    training,
    unique,
)

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs import child, transfer


def reading(bucket: Bucket) -> dict[str, Any]:
    """A request for a job that gets what is below in/ and does nothing with it."""
    request = processing(bucket, "pass")
    request["ProcessingInputs"].append(processing_input("data", bucket.uri("in/"), "/opt/ml/processing/input/data"))
    return request


def test_a_program_that_fails_names_its_reason_and_uploads_only_what_is_continuous(
    cloud: Cloud, bucket: Bucket
) -> None:
    code = """
        import sys
        for folder in sys.argv[1:]:
            open(folder + "/half.txt", "w").write("half")
        print("Error: the archive has no images of class unicycle.", file=sys.stderr)
        sys.exit(4)
    """
    request = processing(bucket, code, OUTPUT, "/opt/ml/processing/live")
    live = processing_output("live", bucket.uri("live"), "/opt/ml/processing/live", "Continuous")
    request["ProcessingOutputConfig"]["Outputs"].append(live)
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the archive has no images of class unicycle., exit code: 4"
    assert (bucket.keys("out"), bucket.keys("live")) == ([], ["live/half.txt"])


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            "ClientError: Empty .rec file in train channel.",
            "ClientError: Empty .rec file in train channel., exit code: 2",
        ),
        ("the loss is not a number", "AlgorithmError: the loss is not a number, exit code: 2"),
    ],
)
def test_a_training_job_gives_its_failure_file_as_the_reason(
    cloud: Cloud, bucket: Bucket, failure: str, reason: str
) -> None:
    code = """
        import os, sys
        base = os.environ["SAGEMAKER_BASE_DIR"]
        open(base + "/output/failure", "w").write(sys.argv[1])
        open(base + "/model/weights", "w").write("half")
        print("accuracy=0.5")
        sys.exit(2)
    """
    job = finish(cloud, training(bucket, code, failure))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"], job["FailureReason"]) == ("Failed", "Failed", reason)
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == f"Training job failed: {reason}"
    assert job["FinalMetricDataList"][0]["Value"] == 0.5
    assert bucket.keys("models/") == []


def test_a_training_job_without_a_model_completes_and_the_model_cannot_be_made(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, training(bucket, "pass"))
    assert job["TrainingJobStatus"] == "Completed"
    assert bucket.keys("models/") == []
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": f"{REGISTRY}/pytorch-inference:2.6", "ModelDataUrl": data}
    with pytest.raises(ServiceError, match="Could not find model data at s3://"):
        cloud.call("CreateModel", {"ModelName": unique("model"), "PrimaryContainer": container})


def test_an_entry_point_that_is_not_there_is_named(cloud: Cloud, bucket: Bucket) -> None:
    request = processing(bucket, "pass")
    request["AppSpecification"]["ContainerEntrypoint"] = ["/opt/program"]
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: The entry point '/opt/program' cannot be started")


def test_an_object_that_goes_away_fails_the_job_by_its_name(cloud: Cloud, bucket: Bucket) -> None:
    request = processing(bucket, "pass")
    manifest = json.dumps([{"prefix": bucket.uri("in/")}, "gone.png"])
    item = processing_input("data", bucket.put("list.json", manifest), "/opt/ml/processing/input/data")
    item["S3Input"]["S3DataType"] = "ManifestFile"
    request["ProcessingInputs"].append(item)
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: Data download failed: {bucket.uri('in/gone.png')}: ")


@pytest.mark.parametrize("key", ["in/../../../../escape.txt", "in//etc/escape.txt", "in/./escape.txt"])
def test_a_key_cannot_lead_out_of_the_jobs_folder(cloud: Cloud, bucket: Bucket, key: str) -> None:
    bucket.put(key, "evil")
    bucket.put("in/good.txt", "good")
    job = finish(cloud, reading(bucket))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "cannot be a path inside the job's folder" in job["FailureReason"]
    assert list(cloud.state.parent.rglob("escape.txt")) == []


def test_an_object_and_a_folder_of_one_name_fail_the_job_by_their_name(cloud: Cloud, bucket: Bucket) -> None:
    bucket.put("in/same", "file")
    bucket.put("in/same/deeper", "file in a folder")
    job = finish(cloud, reading(bucket))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "in/same" in job["FailureReason"]


def test_logs_that_cannot_be_sent_do_not_fail_the_job(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    unreachable = Cloud(cloud.state, nobody, "").aws("logs")
    monkeypatch.setitem(cloud._clients, ("logs", "", None), unreachable)
    job = finish(cloud, processing(bucket, "print('hello')"))
    assert job["ProcessingJobStatus"] == "Completed"
    assert log_of(cloud, "ProcessingJob", job["ProcessingJobName"]).startswith("hello\n")
    assert "is only in" in caplog.text


def test_a_store_that_cannot_be_reached_in_the_middle_is_an_internal_error(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    name = start(cloud, processing(bucket, SAVES_WHEN_STOPPED.replace("/model/", "/processing/output/")))
    process = ready(cloud, "ProcessingJob", name)
    monkeypatch.setitem(cloud._clients, ("s3", "", None), Cloud(cloud.state, nobody, "").s3)
    process.terminate()
    job = ended(cloud, "ProcessingJob", name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: Could not connect to the endpoint URL")


def test_an_error_of_our_own_code_is_not_the_services(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TypeError("unexpected keyword argument 'filter'")

    monkeypatch.setattr(transfer, "upload", broken)
    job = finish(cloud, processing(bucket, "pass", OUTPUT))
    wanted = "the local SageMaker failed: TypeError: unexpected keyword argument 'filter'; see its log"
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", wanted)


def test_a_call_that_the_sdk_does_not_send_is_an_error_of_our_own_code(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "upload", lambda s3, *_: s3.put_object(Bucket=bucket.name))
    job = finish(cloud, processing(bucket, "pass", OUTPUT))
    assert job["FailureReason"].startswith("the local SageMaker failed: ParamValidationError: ")


def test_many_jobs_at_once_each_have_their_own_folder(cloud: Cloud, bucket: Bucket) -> None:
    code = """
        import os, sys
        open(sys.argv[1] + "/" + os.environ["PROCESSING_JOB_NAME"], "w").write(os.getcwd())
    """
    requests = [processing(bucket, code, OUTPUT) for _ in range(8)]
    threads = [threading.Thread(target=start, args=(cloud, request)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    jobs = [ended(cloud, "ProcessingJob", request["ProcessingJobName"]) for request in requests]
    assert {job["ProcessingJobStatus"] for job in jobs} == {"Completed"}
    assert len({bucket.get(key) for key in bucket.keys("out")}) == 8


def test_a_program_that_is_killed_says_so(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    assert job["FailureReason"].startswith("AlgorithmError: the program was killed ")
    assert job["FailureReason"].endswith(", exit code: 137")


def test_a_job_that_is_held_still_is_ended_when_its_time_is_over(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.1)
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"
    job = finish(cloud, processing(bucket, code, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (job["ProcessingJobStatus"], job["FailureReason"].partition(":")[0]) == ("Stopped", "MaxRuntimeExceeded")

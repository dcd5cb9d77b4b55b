"""What goes wrong with jobs, and what their records say then."""

from __future__ import annotations

import json
import socket
import textwrap
import threading
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from cloud_fixtures import eventually, gone
from job_support import (
    OUTPUT,
    REGISTRY,
    ROLE,
    Bucket,
    ServingModel,
    channel,
    described,
    ended,
    finish,
    processing,
    processing_input,
    processing_output,
    start,
    training,
    transform,
    unique,
)

from localcloud import processes, record, up
from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs import child, folder, lifecycle, serving
from localcloud.sagemaker.jobs.interruption import MAX_RUNTIME_EXCEEDED

SLEEPS = """
    import os, signal, sys
    print(f"ready {os.getpid()} ", flush=True)
    signal.pause()
"""
SAVES_WHEN_STOPPED = """
    import os, signal, sys
    model = os.environ["SAGEMAKER_BASE_DIR"] + "/model/weights"

    def save(number, frame):
        open(model, "w").write("half trained")
        sys.exit(0)

    signal.signal(signal.SIGTERM, save)
    print(f"ready {os.getpid()} ", flush=True)
    signal.pause()
"""


def log_of(cloud: Cloud, kind: str, name: str) -> str:
    path = folder.folder(cloud.state, kind, name).log
    return path.read_text() if path.exists() else ""


def ready(cloud: Cloud, kind: str, name: str) -> psutil.Process:
    """Wait until the job's program says that it is ready; its process."""
    eventually(lambda: log_of(cloud, kind, name).endswith(" \n"))
    return psutil.Process(int(log_of(cloud, kind, name).split()[1]))


def refusal(cloud: Cloud, request: dict[str, Any], kind: str) -> tuple[str, str]:
    with pytest.raises(ServiceError) as error:
        cloud.call(f"Create{kind}", request)
    assert not cloud.call(f"List{kind}s", {})[f"{kind}Summaries"], "a refused job leaves no record"
    return error.value.code, error.value.message


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


def test_a_job_that_runs_over_its_time_is_ended(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, SLEEPS, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["FailureReason"].startswith("MaxRuntimeExceeded")
    assert bucket.keys("out") == []
    assert child.end_leftovers(folder.folder(cloud.state, "ProcessingJob", job["ProcessingJobName"])) == 0


def test_a_training_job_over_its_time_keeps_what_it_saved(cloud: Cloud, bucket: Bucket) -> None:
    name = start(cloud, training(bucket, SAVES_WHEN_STOPPED))
    ready(cloud, "TrainingJob", name)
    cloud.jobs[described(cloud, "TrainingJob", name)["TrainingJobArn"]].interruption.ask(MAX_RUNTIME_EXCEEDED)
    job = ended(cloud, "TrainingJob", name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert bucket.keys("models/") == [f"models/{name}/output/model.tar.gz"]


def test_a_stopped_job_is_stopping_and_then_stopped_and_its_process_is_gone(cloud: Cloud, bucket: Bucket) -> None:
    news: list[News] = []
    cloud.listeners.append(news.append)
    name = start(cloud, training(bucket, SAVES_WHEN_STOPPED))
    process = ready(cloud, "TrainingJob", name)
    cloud.call("StopTrainingJob", {"TrainingJobName": name})
    job = ended(cloud, "TrainingJob", name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")
    assert not process.is_running()
    turns = [one.status for one in news if one.status != one.previous]
    assert turns == ["InProgress", "Stopping", "Stopped"]
    with pytest.raises(ServiceError, match="the training job is in status Stopped"):
        cloud.call("StopTrainingJob", {"TrainingJobName": name})


def test_a_program_that_does_not_want_to_stop_is_killed(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.1)
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + textwrap.dedent(SLEEPS)
    name = start(cloud, processing(bucket, code))
    process = ready(cloud, "ProcessingJob", name)
    cloud.call("StopProcessingJob", {"ProcessingJobName": name})
    assert ended(cloud, "ProcessingJob", name)["ProcessingJobStatus"] == "Stopped"
    assert not process.is_running()


def test_a_running_job_can_neither_be_deleted_nor_made_again(cloud: Cloud, bucket: Bucket) -> None:
    request = processing(bucket, SLEEPS)
    name = start(cloud, request)
    for operation, body in (("CreateProcessingJob", request), ("DeleteProcessingJob", {"ProcessingJobName": name})):
        with pytest.raises(ServiceError) as error:
            cloud.call(operation, body)
        assert error.value.code == "ResourceInUse"
    assert described(cloud, "ProcessingJob", name)["ProcessingJobStatus"] == "InProgress"


def test_data_that_is_not_there_is_refused_in_the_services_words(cloud: Cloud, bucket: Bucket) -> None:
    request = training(bucket, "pass")
    for uri in (bucket.uri("nothing/"), "s3://no-such-bucket-anywhere/data"):
        request["InputDataConfig"] = [channel("train", uri)]
        code, message = refusal(cloud, request, "TrainingJob")
        assert code == "ValidationException"
        assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data source.')
        assert ROLE in message


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
    request = processing(bucket, "pass")
    request["ProcessingInputs"].append(processing_input("data", bucket.uri("in/"), "/opt/ml/processing/input/data"))
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "cannot be a path inside the job's folder" in job["FailureReason"]
    assert list(cloud.state.parent.rglob("escape.txt")) == []


def test_an_object_and_a_folder_of_one_name_fail_the_job_by_their_name(cloud: Cloud, bucket: Bucket) -> None:
    bucket.put("in/same", "file")
    bucket.put("in/same/deeper", "file in a folder")
    request = processing(bucket, "pass")
    request["ProcessingInputs"].append(processing_input("data", bucket.uri("in/"), "/opt/ml/processing/input/data"))
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "in/same" in job["FailureReason"]


TWO = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("AppSpecification", {"ImageUri": f"{REGISTRY}/unknown:1"}, "put 'unknown' into PROGRAMS"),
    ("AppSpecification", {"ContainerEntrypoint": None}, "ContainerEntrypoint is missing"),
    ("ProcessingResources", {"ClusterConfig": TWO}, "set InstanceCount to 1"),
]


@pytest.mark.parametrize(("member", "changes", "said"), REFUSED, ids=["image", "entry point", "two instances"])
def test_a_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, member: str, changes: dict[str, Any], said: str
) -> None:
    request = processing(bucket, "pass")
    request[member] = {name: value for name, value in {**request[member], **changes}.items() if value is not None}
    code, message = refusal(cloud, request, "ProcessingJob")
    assert code == "ValidationException"
    assert said in message


@pytest.mark.parametrize("path", ["/opt/ml/model", "/etc", "/opt/ml/processing/../../etc"])
def test_a_local_path_outside_of_processing_is_refused(cloud: Cloud, bucket: Bucket, path: str) -> None:
    outputs = {"Outputs": [processing_output("result", bucket.uri("out"), path)]}
    _, message = refusal(cloud, processing(bucket, "pass", ProcessingOutputConfig=outputs), "ProcessingJob")
    assert "must begin with /opt/ml/processing/" in message


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints"}}, "CheckpointConfig"),
        ({"OutputDataConfig": {"S3OutputPath": "models"}}, "'models'"),
        ({"InputDataConfig": [channel("train", "s3://b/a", InputMode="Pipe")]}, "Pipe"),
        ({"InputDataConfig": [channel("train", "s3://b/a"), channel("train", "s3://b/a")]}, "twice"),
    ],
    ids=["checkpoints", "output", "pipe", "channel twice"],
)
def test_a_training_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, part: dict[str, Any], said: str
) -> None:
    code, message = refusal(cloud, training(bucket, "pass", **part), "TrainingJob")
    assert code == "ValidationException"
    assert said in message


def test_a_bad_object_fails_a_transform_job_and_the_other_outputs_stay(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        def answer(body, headers):
            return (400, b"not an image\\nat all") if body == b"bad" else (200, body[::-1])
    """)
    for name, body in {"a": b"abc", "b": b"bad", "c": b"xyz"}.items():
        bucket.put(f"in/{name}.png", body)
    job = finish(cloud, transform(bucket, model))
    assert job["TransformJobStatus"] == "Failed"
    place = f"{bucket.name}/in/b.png"
    assert job["FailureReason"] == (
        f"ClientError: 1 of 3 objects failed, see job logs. First: {place}: 400 Message: not an image at all"
    )
    assert {key: bucket.get(key) for key in bucket.keys("scored")} == {
        "scored/a.png.out": b"cba",
        "scored/c.png.out": b"zyx",
    }
    log = log_of(cloud, "TransformJob", job["TransformJobName"])
    assert f":[sagemaker logs]: {place}: ClientError: 400 Message: not an image at all" in log
    assert ":[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD" in log


def test_a_servers_own_fault_is_tried_again_and_only_so_often(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        calls = {}
        def answer(body, headers):
            calls[body] = calls.get(body, 0) + 1
            if body == b"never" or calls[body] < 2:
                return 500, b"try later"
            return 200, str(calls[body]).encode()
    """)
    bucket.put("in/a", b"twice")
    client = {"InvocationsMaxRetries": 1, "InvocationsTimeoutInSeconds": 10}
    assert finish(cloud, transform(bucket, model, ModelClientConfig=client))["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.out") == b"2"
    bucket.put("in/b", b"never")
    job = finish(cloud, transform(bucket, model, ModelClientConfig=client))
    assert job["FailureReason"].startswith("AlgorithmError: 1 of 2 objects failed")
    assert job["FailureReason"].endswith("in/b: 500 Message: try later")


def test_a_server_that_dies_ends_the_job_at_once(cloud: Cloud, bucket: Bucket, serving_model: ServingModel) -> None:
    model = serving_model("""
        def answer(body, headers):
            os._exit(3)
    """)
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, model))
    assert job["FailureReason"] == "AlgorithmError: The serving program ended, exit code: 3"


def test_a_server_that_never_answers_is_given_up(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "STARTUP_SECONDS", 0.3)
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, serving_model("import signal\nsignal.pause()")))
    assert job["FailureReason"].startswith("AlgorithmError: /ping did not answer 200")
    job = finish(cloud, transform(bucket, serving_model("raise SystemExit(5)")))
    assert job["FailureReason"].startswith("AlgorithmError: ")


def test_a_transform_job_can_be_stopped_between_objects(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        def answer(body, headers):
            print(f"ready {os.getpid()} ", flush=True)
            threading.Event().wait()
    """)
    bucket.put("in/a", b"a")
    name = start(cloud, transform(bucket, model))
    eventually(lambda: "ready" in log_of(cloud, "TransformJob", name))
    cloud.call("StopTransformJob", {"TransformJobName": name})
    assert ended(cloud, "TransformJob", name)["TransformJobStatus"] == "Stopped"


def test_lines_are_sent_one_by_one_or_together_and_joined_again(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        parameters = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
        def answer(body, headers):
            return 200, b"<" + body.strip() + b">"
    """)
    bucket.put("in/a.csv", b"1\n2\n\n3")
    request = transform(bucket, model)
    del request["BatchStrategy"]
    request["TransformInput"]["SplitType"] = request["TransformOutput"]["AssembleWith"] = "Line"
    assert finish(cloud, request)["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.csv.out") == b"<1>\n<2>\n<3>"
    together = {**request, "TransformJobName": unique("transform"), "BatchStrategy": "MultiRecord"}
    assert finish(cloud, together)["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.csv.out") == b"<1\n2\n3>"


def test_an_object_larger_than_the_payload_is_refused(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("def answer(body, headers):\n    return 200, b'ok'")
    bucket.put("in/large", b"x" * (1 << 20) + b"x")
    job = finish(cloud, transform(bucket, model, MaxPayloadInMB=1))
    assert "Too much data for max payload size (1048577 bytes)" in job["FailureReason"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("DataProcessing",), {"JoinSource": "Input"}, "DataProcessing"),
        (("TransformInput", "SplitType"), "RecordIO", "SplitType"),
        (("TransformInput", "CompressionType"), "Gzip", "uncompressed"),
        (("MaxConcurrentTransforms",), 50, "must not exceed 100 MB"),
        (("ModelName",), "nothing", 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nothing".'),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_a_transform_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, path: tuple[str, ...], value: Any, said: str
) -> None:
    request = transform(bucket, serving_model("raise SystemExit"))
    bucket.put("in/a", b"a")
    target = request
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    code, message = refusal(cloud, request, "TransformJob")
    assert code == "ValidationException"
    assert said in message


def test_a_torn_model_fails_the_job_by_its_name(cloud: Cloud, bucket: Bucket) -> None:
    data = bucket.put("model.tar.gz", b"\x1f\x8b torn")
    name = unique("model")
    container = {"Image": f"{REGISTRY}/pytorch-inference:2.6", "ModelDataUrl": data}
    cloud.call("CreateModel", {"ModelName": name, "PrimaryContainer": container})
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, name))
    assert job["FailureReason"].startswith(f"ClientError: The model data {data} cannot be used: model.tar.gz cannot be")


def test_logs_that_cannot_be_sent_do_not_fail_the_job(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    unreachable = Cloud(cloud.state, nobody, "").aws("logs")
    monkeypatch.setitem(cloud._clients, "logs", unreachable)
    job = finish(cloud, processing(bucket, "print('hello')"))
    assert job["ProcessingJobStatus"] == "Completed"
    assert log_of(cloud, "ProcessingJob", job["ProcessingJobName"]) == "hello\n"
    assert "is only in" in caplog.text


def test_a_store_that_cannot_be_reached_in_the_middle_is_an_internal_error(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    name = start(cloud, processing(bucket, SAVES_WHEN_STOPPED.replace("/model/", "/processing/output/")))
    process = ready(cloud, "ProcessingJob", name)
    monkeypatch.setitem(cloud._clients, "s3", Cloud(cloud.state, nobody, "").s3)
    process.terminate()
    job = ended(cloud, "ProcessingJob", name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: Could not connect to the endpoint URL")


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


def test_a_shut_down_ends_jobs_and_their_processes(cloud: Cloud, bucket: Bucket) -> None:
    name = start(cloud, processing(bucket, SLEEPS))
    process = ready(cloud, "ProcessingJob", name)
    lifecycle.shut_down(cloud)
    assert described(cloud, "ProcessingJob", name)["ProcessingJobStatus"] == "Stopped"
    assert not process.is_running()


def test_after_kill_9_of_the_server_its_jobs_are_ended_and_reported_as_failed(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = up.start(state, port=0, sagemaker_port=0)
    for name, value in up.environment(running).items():
        monkeypatch.setenv(name, value)
    cloud = Cloud(state, running.addresses.ministack, running.addresses.sagemaker)
    cloud.s3.create_bucket(Bucket="jobs-bucket")
    request = processing(Bucket(cloud.s3, "jobs-bucket"), SLEEPS)
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_processing_job(**request)
    name = request["ProcessingJobName"]
    process = ready(cloud, "ProcessingJob", name)
    found = record.read(state)
    assert found
    assert processes.kill([found.parts["sagemaker"]], patience=10) == []
    assert process.is_running()
    up.start(state)
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == lifecycle.RESTARTED
    eventually(lambda: gone(process))

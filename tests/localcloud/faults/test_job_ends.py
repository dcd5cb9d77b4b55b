"""Jobs that end before their program does: by their time, by people, by a shut down or the death of the server."""

from __future__ import annotations

import textwrap
from pathlib import Path

import boto3
import psutil
import pytest
from cloud_fixtures import eventually, gone, started_with
from job_support import (
    SAVES_WHEN_STOPPED,
    SLEEPS,
    Bucket,
    described,
    ended,
    finish,
    log_of,
    processing,
    ready,
    several,
    start,
    training,
)

from localcloud import processes, record, up
from localcloud.isolation.offer import offered
from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs import child, folder, lifecycle
from localcloud.sagemaker.jobs.child import JOB_VARIABLE
from localcloud.sagemaker.jobs.interruption import MAX_RUNTIME_EXCEEDED


def test_a_job_that_runs_over_its_time_is_ended(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, SLEEPS, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["FailureReason"].startswith("MaxRuntimeExceeded")
    assert bucket.keys("out") == []
    assert child.end_leftovers(folder.folder(cloud.folder, "ProcessingJob", job["ProcessingJobName"])) == 0


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
    eventually(lambda: gone(process))
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
    eventually(lambda: gone(process))  # the kernel ends what is in the view once its first process is killed


def test_a_shut_down_ends_jobs_and_their_processes(cloud: Cloud, bucket: Bucket) -> None:
    name = start(cloud, processing(bucket, SLEEPS))
    process = ready(cloud, "ProcessingJob", name)
    lifecycle.shut_down(cloud)
    assert described(cloud, "ProcessingJob", name)["ProcessingJobStatus"] == "Stopped"
    eventually(lambda: gone(process))


def test_after_kill_9_of_the_server_its_jobs_are_ended_and_reported_as_failed(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = up.start(state, port=0, sagemaker_port=0)
    for name, value in up.environment(running).items():
        monkeypatch.setenv(name, value)
    cloud = Cloud(state, running.addresses.ministack, running.addresses.sagemaker)
    cloud.s3.create_bucket(Bucket="jobs-bucket")
    hosts = ["algo-1", "algo-2"] if offered().private else ["algo-1"]
    request = several(processing(Bucket(cloud.s3, "jobs-bucket"), SLEEPS), len(hosts))
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_processing_job(**request)
    name = request["ProcessingJobName"]
    eventually(lambda: all("ready" in log_of(cloud, "ProcessingJob", name, host) for host in hosts))
    root = folder.folder(cloud.folder, "ProcessingJob", name).root
    running_processes = [psutil.Process(pid) for pid in started_with(JOB_VARIABLE, str(root))]
    assert len(running_processes) >= len(hosts)
    found = record.read(state)
    assert found
    assert processes.kill([found.parts["sagemaker"]], patience=10) == []
    assert offered().private or running_processes[0].is_running()
    up.start(state)
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == lifecycle.RESTARTED
    eventually(lambda: all(map(gone, running_processes)))

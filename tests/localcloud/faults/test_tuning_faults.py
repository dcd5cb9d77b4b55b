"""What goes wrong with tuning jobs, and what their records say then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from cloud_fixtures import LocalCloud, eventually, process_inside
from job_support import DONE, Bucket, await_that
from tuning_support import continuous, tuning

from localcloud import ports
from localcloud.isolation.view import WRITABLE_VARIABLE
from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.jobs import lifecycle
from localcloud.sagemaker.jobs.child import JOB_VARIABLE
from localcloud.sagemaker.tuning import search

SLEEPS = """
    import os, pathlib, signal, sys
    pathlib.Path(f"{os.environ['SAGEMAKER_BASE_DIR']}/pid").write_text(f"{os.getpid()}")
    signal.pause()
"""
SLEEPS_THE_FIRST_TIME = """
    import pathlib, signal, sys
    mark = pathlib.Path({folder!r}) / sys.argv[2]
    if not mark.exists():
        mark.touch()
        signal.pause()
    print("score=" + sys.argv[2])
"""


@pytest.fixture
def searching(cloud: Cloud) -> Iterator[Cloud]:
    """The test's own SageMaker; its searches end with the test, before its jobs are stopped."""
    yield cloud
    cloud.stopping.set()
    search.shut_down(cloud)


def request(bucket: Bucket, folder: Path, code: str, jobs: int, parallel: int = 2) -> dict[str, Any]:
    """A request for a random search that runs `code` from a folder; the rate is its second argument."""
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "job.py").write_text(textwrap.dedent(code))
    return tuning(
        bucket,
        "job.py",
        str(folder / "source"),
        ResourceLimits={"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
        ParameterRanges={"ContinuousParameterRanges": [continuous("rate", "0.1", "0.9")]},
    )


def begin(cloud: Cloud, wanted: dict[str, Any]) -> str:
    cloud.call("CreateHyperParameterTuningJob", wanted)
    return str(wanted["HyperParameterTuningJobName"])


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.call("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": name})


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    await_that(cloud, lambda: described(cloud, name)["HyperParameterTuningJobStatus"] in DONE)
    return described(cloud, name)


def children(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    asked = {"HyperParameterTuningJobName": name, "MaxResults": 100}
    found: list[dict[str, Any]] = cloud.call("ListTrainingJobsForHyperParameterTuningJob", asked)[
        "TrainingJobSummaries"
    ]
    return found


def processes(cloud: Cloud) -> list[psutil.Process]:
    """The processes of SLEEPS that have said that they are there."""
    files = cloud.folder.glob("jobs/training-*/opt/ml/pid")
    said = [(file.read_text(), str(file.parents[2])) for file in files]
    return [process_inside(int(text), JOB_VARIABLE, root) for text, root in said if text]


def test_a_stopped_search_starts_nothing_more_and_its_training_jobs_are_stopped(
    searching: Cloud, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    name = begin(searching, request(bucket, tmp_path, SLEEPS, jobs=5))
    eventually(lambda: len(processes(searching)) == 2)
    running = processes(searching)
    searching.call("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": name})
    assert described(searching, name)["HyperParameterTuningJobStatus"] in {"Stopping", "Stopped"}
    job = ended(searching, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(children(searching, name)) == 2
    assert "BestTrainingJob" not in job
    assert not any(process.is_running() for process in running)


def test_no_more_training_jobs_run_at_a_time_than_there_are_processors(
    searching: Cloud, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    turns: list[str] = []

    def listen(news: News) -> None:
        if news.kind == "TrainingJob" and news.status != news.previous:
            turns.append(news.status)

    searching.listeners.append(listen)
    name = begin(searching, request(bucket, tmp_path, "import sys; print('score=' + sys.argv[2])", jobs=3, parallel=3))
    assert ended(searching, name)["HyperParameterTuningJobStatus"] == "Completed"
    assert turns == ["InProgress", "Completed"] * 3


def test_a_search_of_which_every_training_fails_gives_up_and_says_so(
    searching: Cloud, bucket: Bucket, tmp_path: Path
) -> None:
    code = "raise SystemExit('Error: the rate is too high.')"
    name = begin(searching, request(bucket, tmp_path, code, jobs=30, parallel=1))
    job = ended(searching, name)
    assert (job["HyperParameterTuningJobStatus"], job["FailureReason"]) == ("Failed", search.ALL_FAILED)
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == search.HOPELESS_AFTER
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": search.HOPELESS_AFTER}
    assert "Error: the rate is too high." in children(searching, name)[0]["FailureReason"]


def test_a_search_whose_trainings_print_no_objective_says_so(searching: Cloud, bucket: Bucket, tmp_path: Path) -> None:
    name = begin(searching, request(bucket, tmp_path, "print('score=nan, accuracy=0.9')", jobs=2))
    job = ended(searching, name)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No objective metrics found after running 2 training jobs.")
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def test_training_jobs_that_fail_do_not_end_a_search(searching: Cloud, bucket: Bucket, tmp_path: Path) -> None:
    code = """
        import sys
        print("score=" + sys.argv[2], flush=True)
        if float(sys.argv[2]) > 0.6:
            raise SystemExit("Error: the loss is not a number.")
    """
    name = begin(searching, request(bucket, tmp_path, code, jobs=6))
    job = ended(searching, name)
    counts = job["TrainingJobStatusCounters"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert (
        counts["Completed"] and counts["NonRetryableError"] and counts["Completed"] + counts["NonRetryableError"] == 6
    )
    rates = [float(one["TunedHyperParameters"]["rate"]) for one in children(searching, name)]
    best = job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == pytest.approx(max(rate for rate in rates if rate <= 0.6))


@pytest.mark.parametrize(
    ("static", "reason"),
    [
        ({}, "Error: Script mode: no script is named."),
        ({"sagemaker_program": "job.sh", "sagemaker_submit_directory": "/"}, "job.sh is not a Python file"),
        (
            {"sagemaker_program": "job.py", "sagemaker_submit_directory": "/no-such-folder"},
            "neither in S3 nor a file or folder",
        ),
        (
            {"sagemaker_program": "a.py", "sagemaker_submit_directory": "s3://no-such-bucket/a.tar.gz"},
            "unpacking s3://",
        ),
    ],
    ids=["no program", "no Python", "no folder", "no archive"],
)
def test_a_script_that_is_not_there_is_named(
    searching: Cloud, bucket: Bucket, tmp_path: Path, static: dict[str, str], reason: str
) -> None:
    wanted = request(bucket, tmp_path, "pass", jobs=1)
    wanted["TrainingJobDefinition"]["StaticHyperParameters"] = static
    name = begin(searching, wanted)
    assert ended(searching, name)["FailureReason"] == search.ALL_FAILED
    assert reason in children(searching, name)[0]["FailureReason"]


def test_a_search_goes_on_after_a_shutdown_and_tries_again_what_was_cut_off(
    searching: Cloud, bucket: Bucket, tmp_path: Path
) -> None:
    code = SLEEPS_THE_FIRST_TIME.format(folder=str(tmp_path))
    name = begin(searching, request(bucket, tmp_path, code, jobs=2, parallel=1))
    eventually(lambda: list(tmp_path.glob("0.*")))
    searching.stopping.set()
    search.shut_down(searching)
    lifecycle.shut_down(searching)
    assert described(searching, name)["HyperParameterTuningJobStatus"] == "InProgress"
    assert [one["TrainingJobStatus"] for one in children(searching, name)] == ["Stopped"]

    searching.stopping.clear()
    lifecycle.recover(searching)
    search.recover(searching)
    await_that(searching, lambda: len(children(searching, name)) == 3)
    first, again, second = children(searching, name)
    assert first["TunedHyperParameters"] == again["TunedHyperParameters"] != second["TunedHyperParameters"]


@contextmanager
def server(local_cloud: LocalCloud, state: Path) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A local SageMaker of the test's own on the session's MiniStack, killed at the end; and a client for it."""
    (port,) = ports.free(1)
    words = ["-m", "localcloud.sagemaker", "--state", str(state), "--port", str(port)]
    ministack = ["--ministack", local_cloud.addresses.ministack]
    environment = {**local_cloud.environment, WRITABLE_VARIABLE: str(state.parent)}
    process = subprocess.Popen([sys.executable, *words, *ministack], env=environment)
    client = boto3.client("sagemaker", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    try:
        eventually(lambda: answers(client))
        yield process, client
    finally:
        process.kill()
        process.wait()


def answers(client: Any) -> bool:
    try:
        client.list_models()
    except (BotoCoreError, ClientError):
        return False
    return True


def test_a_search_goes_on_after_the_server_was_killed(
    on_local_cloud: LocalCloud, bucket: Bucket, tmp_path: Path
) -> None:
    wanted = request(bucket, tmp_path, SLEEPS_THE_FIRST_TIME.format(folder=str(tmp_path)), jobs=1, parallel=1)
    name = wanted["HyperParameterTuningJobName"]
    with server(on_local_cloud, tmp_path / "state") as (process, client):
        client.create_hyper_parameter_tuning_job(**wanted)
        eventually(lambda: list(tmp_path.glob("0.*")))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(on_local_cloud, tmp_path / "state") as (_, client):

        def describe() -> dict[str, Any]:
            answer: dict[str, Any] = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
            return answer

        eventually(lambda: describe()["HyperParameterTuningJobStatus"] in DONE)
        job = describe()
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    counts = job["TrainingJobStatusCounters"]
    assert (counts["Completed"], counts["RetryableError"]) == (1, 1)
    assert job["BestTrainingJob"]["TrainingJobName"].startswith(f"{name}-002-")

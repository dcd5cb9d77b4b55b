"""Jobs live as in their container: with /opt/ml, /tmp, a home folder and packages of their own, and nothing else."""

from __future__ import annotations

import importlib.util
import io
import json
import socket
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from cloud_fixtures import eventually, gone, started_with
from job_support import (
    SLEEPS,
    Bucket,
    ServingModel,
    channel,
    finish,
    log_of,
    processing,
    processing_input,
    ready,
    start,
    training,
    transform,
)
from view_support import needs_views
from wheels import wheel

from localcloud.isolation.offer import Isolation
from localcloud.isolation.view import WRITABLE_VARIABLE
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import folder
from localcloud.sagemaker.jobs.child import JOB_VARIABLE

NAMES_OPT_ML = """
    import json, pathlib
    config = json.loads(pathlib.Path("/opt/ml/config/resourceconfig.json").read_text())
    pathlib.Path("/opt/ml/processing/output/host.txt").write_text(config["current_host"])
"""
LOOKS_AROUND = """
    import json, os, pathlib, subprocess, sys, tempfile

    def refused(path):
        try:
            pathlib.Path(path).write_text("mine")
        except OSError as error:
            return error.strerror

    home = pathlib.Path.home()
    (home / ".cache").mkdir()
    pathlib.Path("here.txt").write_text("the working folder is writable")
    subprocess.run(["/bin/sh", "-c", "echo from a shell > /tmp/shell.txt"], check=True)
    pathlib.Path("/var/tmp/more").write_text("x")
    pathlib.Path("/dev/shm/memory").write_text("x")
    found = {
        "home": str(home), "tmp": sorted(os.listdir("/tmp")), "temporary": tempfile.gettempdir(),
        "user": [os.getuid(), os.getgid()], "refused": [refused(path) for path in sys.argv[1:]],
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    }
    pathlib.Path("/opt/ml/processing/output/seen.json").write_text(json.dumps(found))
"""
INSTALLS = """
    import pathlib, subprocess, sys
    subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", *sys.argv[1:]], check=True)
    import of_this_job
    print("installed", of_this_job.VERSION, of_this_job.__file__)
"""
BRINGS_LIBRARIES = """
    import pathlib, shutil, sys
    own = pathlib.Path("shared_libs")
    own.mkdir()
    (own / sys.argv[1]).write_text("a library")
    for _ in range(2):  # as the handler that ModelBuilder of the SDK 3 writes
        shutil.copytree(own, "/lib", dirs_exist_ok=True)
    print("there", pathlib.Path("/lib", sys.argv[1]).read_text())
"""
CALLS = """
    import socket, sys
    print(sorted(name for _, name in socket.if_nameindex()))
    with socket.create_server(("127.0.0.1", 0)) as own:
        socket.create_connection(own.getsockname()).close()
        print("reached itself")
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
"""
LEAVES_A_DAEMON = """
    import os, signal, subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    os.wait()
"""


@needs_views
def test_a_script_that_names_opt_ml_finds_its_own(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, NAMES_OPT_ML))
    assert job["ProcessingJobStatus"] == "Completed", job
    assert bucket.get("out/host.txt") == b"algo-1"


def test_without_a_view_a_script_that_names_opt_ml_is_told_why_it_fails(cloud: Cloud, bucket: Bucket) -> None:
    cloud.isolation = Isolation("none", "of this test")
    job = finish(cloud, processing(bucket, NAMES_OPT_ML))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "No such file or directory: '/opt/ml/config/resourceconfig.json'" in job["FailureReason"]
    assert "This machine gives jobs no view of their own" in job["FailureReason"]
    assert job["FailureReason"].endswith(", exit code: 1")


@needs_views
def test_a_job_writes_to_its_own_folders_and_nowhere_else(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WRITABLE_VARIABLE)
    others = [str(Path.home() / "x"), "/opt/x", "/etc/hosts", folder.__file__]
    machine = set(Path(tempfile.gettempdir()).iterdir())
    request = processing(bucket, LOOKS_AROUND, *others)
    request["Environment"] = {WRITABLE_VARIABLE: str(Path.home())}  # the user's to give, not the job's
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Completed", job
    seen = json.loads(bucket.get("out/seen.json"))
    assert seen["home"] != str(Path.home())
    assert "shell.txt" in seen["tmp"]
    assert seen["temporary"] == "/tmp"  # noqa: S108 - the job's own
    assert seen["user"] == [Path("/proc/self").stat().st_uid, Path("/proc/self").stat().st_gid]
    assert seen["refused"] == ["Read-only file system"] * len(others)
    assert seen["processes"] == 2
    assert not [path for path in set(Path(tempfile.gettempdir()).iterdir()) - machine if path.name == "shell.txt"]
    assert not Path("/var/tmp/more").exists()  # noqa: S108


def test_what_a_job_installs_is_gone_with_it(cloud: Cloud, bucket: Bucket) -> None:
    """Both ways: in a layer of the job, or in a folder of its own."""
    name, content = wheel("of_this_job")
    bucket.put(f"wheels/{name}", content)
    for isolation in (cloud.isolation, Isolation("none", "of this test")):
        cloud.isolation = isolation
        request = processing(bucket, INSTALLS, f"/opt/ml/processing/input/wheels/{name}")
        request["ProcessingInputs"].append(
            processing_input("wheels", bucket.uri("wheels/"), "/opt/ml/processing/input/wheels")
        )
        job = finish(cloud, request)
        assert job["ProcessingJobStatus"] == "Completed", log_of(cloud, "ProcessingJob", job["ProcessingJobName"])
        assert "installed 1.0" in log_of(cloud, "ProcessingJob", job["ProcessingJobName"])
        assert importlib.util.find_spec("of_this_job") is None


@needs_views
def test_a_job_puts_libraries_into_the_systems_folder_and_the_machine_stays_as_it_is(
    cloud: Cloud, bucket: Bucket
) -> None:
    job = finish(cloud, processing(bucket, BRINGS_LIBRARIES, "libdelivery.so"))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert "there a library" in log_of(cloud, "ProcessingJob", job["ProcessingJobName"])
    assert not Path("/lib/libdelivery.so").exists()


def script_mode(bucket: Bucket, requirements: str) -> dict[str, Any]:
    """A training job in script mode whose source has requirements and a wheel beside them."""
    name, content = wheel("needed_by_source")
    files = {
        "train.py": b"import needed_by_source\nprint('trained with', needed_by_source.VERSION)\n",
        "requirements.txt": requirements.encode(),
        name: content,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    bucket.put("source/sourcedir.tar.gz", packed.getvalue())
    request = training(bucket, "pass")
    request["AlgorithmSpecification"].pop("ContainerEntrypoint")
    request["AlgorithmSpecification"].pop("ContainerArguments")
    request["InputDataConfig"] = [channel("code", bucket.uri("source/"))]
    request["HyperParameters"] = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
    }
    return request


@needs_views
def test_requirements_of_a_source_folder_are_installed_even_without_a_network(cloud: Cloud, bucket: Bucket) -> None:
    request = script_mode(bucket, "--no-index\n--find-links .\nneeded_by_source==1.0\nnumpy\n")
    job = finish(cloud, {**request, "EnableNetworkIsolation": True})
    log = log_of(cloud, "TrainingJob", job["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", log
    assert "trained with 1.0" in log
    assert "Requirement already satisfied: numpy" in log
    assert "/opt/ml/model is empty: there is no model.tar.gz." in log


@needs_views
def test_requirements_that_are_nowhere_are_the_jobs_failure_with_the_last_line_of_pip(
    cloud: Cloud, bucket: Bucket
) -> None:
    job = finish(cloud, script_mode(bucket, "--no-index\nthere_is_no_such_thing==1.0\n"))
    assert job["FailureReason"] == (
        "AlgorithmError: Installing /opt/ml/code/requirements.txt: "
        "No matching distribution found for there_is_no_such_thing==1.0, exit code: 1"
    )


@needs_views
def test_with_network_isolation_a_job_reaches_itself_alone(cloud: Cloud, bucket: Bucket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        request = processing(bucket, CALLS, str(outside.getsockname()[1]))
        open_job = finish(cloud, request)
        closed = finish(
            cloud,
            {**processing(bucket, CALLS, *request["AppSpecification"]["ContainerArguments"])}
            | {"NetworkConfig": {"EnableNetworkIsolation": True}},
        )
    assert open_job["ProcessingJobStatus"] == "Completed", open_job
    assert (
        closed["FailureReason"]
        == "AlgorithmError: ConnectionRefusedError: [Errno 111] Connection refused, exit code: 1"
    )
    assert "['lo']\nreached itself\n" in log_of(cloud, "ProcessingJob", closed["ProcessingJobName"])


@needs_views
@pytest.mark.parametrize("isolated", [False, True])
def test_a_model_with_network_isolation_is_asked_and_cannot_ask(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, isolated: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        model = serving_model(
            f"""
            import socket
            def answer(body, headers):
                try:
                    socket.create_connection(("127.0.0.1", {outside.getsockname()[1]}), timeout=5).close()
                except OSError as error:
                    return 200, error.strerror.encode() + b" " + bytes(len(body))
                return 200, b"reached"
            """,
            EnableNetworkIsolation=isolated,
        )
        for number in range(4):
            bucket.put(f"in/{number}", bytes(3 << 20))
        job = finish(cloud, transform(bucket, model, MaxConcurrentTransforms=4))
    assert job["TransformJobStatus"] == "Completed", job
    expected = b"Connection refused " + bytes(3 << 20) if isolated else b"reached"
    assert all(bucket.get(f"scored/{number}.out") == expected for number in range(4))
    root = folder.folder(cloud.folder, "TransformJob", job["TransformJobName"]).root
    eventually(lambda: started_with(JOB_VARIABLE, str(root)) == [])


def test_an_empty_output_is_a_line_in_the_log(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, "pass"))
    log = log_of(cloud, "ProcessingJob", job["ProcessingJobName"])
    assert f"/opt/ml/processing/output is empty: nothing is uploaded to {bucket.uri('out')}." in log


@needs_views
def test_daemons_of_a_job_end_with_it(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, processing(bucket, LEAVES_A_DAEMON))
    assert job["ProcessingJobStatus"] == "Completed", job
    root = folder.folder(cloud.folder, "ProcessingJob", job["ProcessingJobName"]).root
    eventually(lambda: started_with(JOB_VARIABLE, str(root)) == [])
    assert {path.name for path in root.iterdir()} == {"log.txt"}


@needs_views
def test_whoever_kills_the_holder_of_a_view_kills_all_in_it(cloud: Cloud, bucket: Bucket) -> None:
    name = start(cloud, processing(bucket, SLEEPS))
    process = ready(cloud, "ProcessingJob", name)
    first = process.parent()
    assert first is not None
    holder = first.parent()
    assert holder is not None
    mounts = Path(f"/proc/{process.pid}/mountinfo").read_text()
    assert "/opt/ml" in mounts
    assert str(cloud.state) not in Path("/proc/self/mountinfo").read_text()
    psutil.Process(holder.pid).kill()
    eventually(lambda: gone(process))

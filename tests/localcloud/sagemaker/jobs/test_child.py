"""Child processes of jobs."""

import json
import signal
import sys
from pathlib import Path

import pytest
from cloud_fixtures import eventually, gone

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import child
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.interruption import STOPPED, Interruption


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "job")
    made.make()
    return made


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_job_sees_the_local_cloud_and_its_own_variables_and_nothing_else(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    cloud = Cloud(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")
    environment = child.environment(cloud, folder, {"MODEL": "/opt/ml/model", "LANG": "tlh"})
    dump = python("import json, os; print(json.dumps(dict(os.environ)))")
    assert child.run(dump, environment, folder, Interruption()) == 0
    seen = json.loads(folder.log.read_text())
    assert seen["AWS_SECRET_ACCESS_KEY"] == "test"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == "http://127.0.0.1:2"
    assert seen["MODEL"] == str(folder.base / "model")
    assert seen["SAGEMAKER_BASE_DIR"] == str(folder.base)
    assert seen["TMPDIR"] == str(folder.temporary)
    assert seen["LANG"] == "tlh"
    assert (seen["PYTHONPATH"], seen["PIP_TARGET"], seen["HOME"]) == (
        str(folder.packages),
        str(folder.packages),
        str(folder.home),
    )
    assert "AWS_PROFILE" not in seen


def test_a_job_with_a_view_of_its_own_is_told_the_containers_paths(tmp_path: Path) -> None:
    private = Folder(tmp_path / "job", private=True)
    cloud = Cloud(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")
    told = child.environment(cloud, private, {"MODEL": "/opt/ml/model"})
    assert (told["MODEL"], told["SAGEMAKER_BASE_DIR"]) == ("/opt/ml/model", "/opt/ml")
    assert not {"TMPDIR", "PIP_TARGET", "PYTHONPATH"} & set(told)
    assert child.command(["python3", "/opt/ml/job.py"], private) == [sys.executable, "/opt/ml/job.py"]


def test_python_in_the_entry_point_is_the_interpreter_of_the_server(folder: Folder) -> None:
    assert child.command(["python3", "/opt/ml/job.py", "python3"], folder) == [
        sys.executable,
        str(folder.base / "job.py"),
        "python3",
    ]
    assert child.command(["/bin/sh", "-c", "ls /opt/ml"], folder) == ["/bin/sh", "-c", f"ls {folder.base}"]


def test_both_outputs_are_in_the_log_and_the_exit_code_is_the_programs(folder: Folder) -> None:
    code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(7)"
    assert child.run(python(code), {}, folder, Interruption()) == 7
    assert folder.log.read_text() == "out\nerr\n"


def test_a_signal_that_killed_it_is_its_exit_code_as_in_a_shell(folder: Folder) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert child.run(python(code), {}, folder, Interruption()) == 128 + signal.SIGKILL


def test_what_the_program_started_ends_with_it(folder: Folder) -> None:
    code = """
import subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(other.pid)
"""
    assert child.run(python(code), {}, folder, Interruption()) == 0
    left = int(folder.log.read_text())
    eventually(lambda: gone(left))


STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.05)
    process = child.Child(python(STUBBORN), {}, folder)
    eventually(lambda: "ready" in folder.log.read_text())
    process.end()
    assert process.wait() == 128 + signal.SIGKILL


def test_an_interruption_that_came_before_the_start_ends_the_program_as_well(folder: Folder) -> None:
    interruption = Interruption()
    interruption.ask(STOPPED)
    code = child.run(python("import signal; signal.pause()"), {}, folder, interruption)
    assert code == 128 + signal.SIGTERM


def test_leftovers_of_a_job_are_ended_and_nobody_else(folder: Folder, tmp_path: Path) -> None:
    mine = child.Child(python("import signal; signal.pause()"), {child.JOB_VARIABLE: str(folder.root)}, folder)
    second = Folder(folder.root / "container-2")  # of a model with several
    second.make()
    its = child.Child(python("import signal; signal.pause()"), {child.JOB_VARIABLE: str(second.root)}, second)
    other = child.Child(python("import signal; signal.pause()"), {child.JOB_VARIABLE: str(tmp_path)}, folder)
    ended = []
    try:
        eventually(lambda: ended.append(child.end_leftovers(folder)) or sum(ended) == 2)
        assert mine.wait() == its.wait() == 128 + signal.SIGKILL
        assert other.running
    finally:
        other.end()
        assert other.wait() == 128 + signal.SIGTERM

"""What a failed job says about why."""

from pathlib import Path

import pytest

from localcloud.sagemaker.jobs import failure_reasons
from localcloud.sagemaker.jobs.failure_reasons import failure_reason
from localcloud.sagemaker.jobs.folder import Folder

TRACEBACK = "Traceback (most recent call last):\n  File x\nproject.errors.DataError: no images\nbye\n"


@pytest.mark.parametrize(
    ("log", "failure", "reason"),
    [
        ("", "", "AlgorithmError: See job logs for more information, exit code: 3"),
        ("Error: an old one\nworking\nError: no images\n", "", "AlgorithmError: no images, exit code: 3"),
        (TRACEBACK, "", "AlgorithmError: project.errors.DataError: no images, exit code: 3"),
        ("run.py: error: --data is required\n", "", "AlgorithmError: run.py: error: --data is required, exit code: 3"),
        ("Error: in the log\n", "out of memory\n", "AlgorithmError: out of memory, exit code: 3"),
        ("", "ClientError: Empty .rec file.", "ClientError: Empty .rec file., exit code: 3"),
        ("Errors: 0\nno Error: here\n", "", "AlgorithmError: See job logs for more information, exit code: 3"),
    ],
)
def test_the_reason_is_the_failure_file_else_the_last_error_of_the_log(
    tmp_path: Path, log: str, failure: str, reason: str
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.log.write_text(log)
    if failure:
        (folder.base / "output" / "failure").write_text(failure)
    assert failure_reason(folder, 3, "team/mine:1") == reason


def test_a_long_reason_keeps_its_exit_code(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    (folder.base / "output" / "failure").write_text("x" * 5000)
    reason = failure_reason(folder, 1, "team/mine:1")
    assert len(reason) == 1024
    assert reason.endswith("xx, exit code: 1")


@pytest.mark.parametrize(
    ("module", "ways"),
    [
        ("torch.nn", ["pip install '<path to localcloud>[programs]'", '[images."team/mine"] interpreter']),
        ("pandas", ['[images."team/mine"] interpreter']),
    ],
)
def test_a_missing_library_is_named_with_what_brings_it(tmp_path: Path, module: str, ways: list[str]) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.log.write_text(f"ModuleNotFoundError: No module named '{module}'\n")
    reason = failure_reason(folder, 1, "team/mine:1")
    assert f"has no {module.partition('.')[0]}: " in reason
    assert all(way in reason for way in ways)
    assert ("[programs]" in reason) is (len(ways) == 2)


STEP_LOG = """starting
2026-11-28 22:28:55,717 sagemaker.remote_function ERROR    Error encountered while invoking the remote function.
Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/sagemaker/core/remote_function/invoke_function.py", line 144, in main
    _execute_remote_function(
  File "/home/me/pipe.py", line 29, in broken
  File "/home/me/pipe.py", line 28, in inner
ValueError: no model with 6
"""


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            "ValueError('no model with 6')",
            "AlgorithmError: ValueError('no model with 6')\n"
            '  File "/home/me/pipe.py", line 29, in broken\n  File "/home/me/pipe.py", line 28, in inner, exit code: 1',
        ),
        ("KeyError('other')", "AlgorithmError: KeyError('other'), exit code: 1"),
        ("it failed", "AlgorithmError: it failed, exit code: 1"),
    ],
)
def test_an_error_that_python_shows_is_followed_by_its_places_in_the_programs_own_code(
    tmp_path: Path, failure: str, reason: str
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.log.write_text(STEP_LOG)
    (folder.base / "output" / "failure").write_text(failure)
    assert failure_reason(folder, 1, "team/mine:1") == reason


@pytest.mark.parametrize(
    ("log", "exit_code", "before", "reason"),
    [
        ("", 137, 3, "AlgorithmError: the program was killed when this machine ran out of memory: "),
        ("", 137, 4, "AlgorithmError: the program was killed by a signal (SIGKILL), not by the local SageMaker"),
        ("ValueError: mine\n", 137, 3, "AlgorithmError: ValueError: mine, exit code: 137"),
        ("", 1, 3, "AlgorithmError: See job logs for more information, exit code: 1"),
    ],
)
def test_out_of_memory_is_told_from_an_error_and_from_another_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, exit_code: int, before: int, reason: str
) -> None:
    folder = Folder(tmp_path / "job")
    folder.make()
    folder.log.write_text(log, encoding="utf-8")
    vmstat = tmp_path / "vmstat"
    vmstat.write_text("nr_free_pages 7\noom_kill 4\n", encoding="ascii")
    monkeypatch.setattr(failure_reasons, "VMSTAT", vmstat)
    assert failure_reason(folder, exit_code, "team/mine:1", kills_before=before).startswith(reason)
    monkeypatch.setattr(failure_reasons, "VMSTAT", tmp_path / "none")
    assert failure_reasons.out_of_memory_kills() == 0

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


def test_a_module_that_the_extra_would_bring_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    for module, hint in (("torch.nn", True), ("pandas", False)):
        folder.log.write_text(f"ModuleNotFoundError: No module named '{module}'\n")
        assert "[programs]" not in failure_reason(folder, 1), "it is installed: the job itself hides it"
        with monkeypatch.context() as patch:
            patch.setattr(failure_reasons, "find_spec", lambda name: None)
            assert ("pip install '<path to localcloud>[programs]'" in failure_reason(folder, 1)) is hint

"""/opt/ml on this machine."""

from pathlib import Path

import pytest

from localcloud.sagemaker.jobs.folder import Folder


@pytest.mark.parametrize(
    ("told", "local"),
    [
        ("/opt/ml/input/data", "/jobs/one/opt/ml/input/data"),
        ("/opt/ml", "/jobs/one/opt/ml"),
        ("--data=/opt/ml/input,/opt/ml/model", "--data=/jobs/one/opt/ml/input,/jobs/one/opt/ml/model"),
        ("cp /opt/ml/a '/opt/ml/b'", "cp /jobs/one/opt/ml/a '/jobs/one/opt/ml/b'"),
        ("s3://bucket/opt/ml/a", "s3://bucket/opt/ml/a"),
        ("/srv/opt/ml/a", "/srv/opt/ml/a"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/opt/ml.old", "/opt/ml.old"),
        ("an argument", "an argument"),
    ],
)
def test_paths_below_opt_ml_and_no_others_are_moved_to_the_job(told: str, local: str) -> None:
    assert Folder(Path("/jobs/one")).local(told) == local


@pytest.mark.parametrize("path", ["/etc", "opt/ml", "/opt/mlflow", "/opt/ml/../../etc", "/opt/ml/processing/../.."])
def test_a_path_outside_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not below /opt/ml"):
        Folder(Path("/jobs/one")).path(path)


def test_a_folder_is_made_anew_for_a_new_job_of_the_same_name(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "job")
    folder.make()
    (folder.base / "model" / "old").touch()
    folder.log.write_text("old")
    folder.make()
    assert list((folder.base / "model").iterdir()) == []
    assert folder.log.read_text() == ""


def test_a_message_is_cut_at_what_the_service_shows_and_may_be_any_bytes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    assert folder.message("output/failure") == ""
    (folder.base / "output" / "failure").write_bytes(b"\xff" + "ä".encode() * 2000)
    assert folder.message("output/failure") == "\ufffd" + "ä" * 1023

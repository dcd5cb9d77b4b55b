"""Nothing that the local cloud stores can be read by another user, whatever the umask of the shell that starts it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud_fixtures import ANY_ROLE, eventually
from door_support import FUNCTIONS, TEXT, asked, client, new_function

from localcloud import up
from localcloud.errors import LocalCloudError
from localcloud.private import OWNER_ONLY, make_private_folder

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@pytest.fixture
def open_shell() -> Iterator[None]:
    """A shell under whose umask everybody may read and write what is made."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> dict[str, str]:
    """What other users may use, with its mode: the folder itself and all below it but links."""
    everything = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder)): path.lstat().st_mode for path in everything if not path.is_symlink()}
    return {name: oct(mode) for name, mode in modes.items() if mode & OWNER_ONLY}


def test_all_that_is_stored_is_its_owners_alone_whatever_the_umask(open_shell: None, state: Path) -> None:
    cloud = up.start(state, port=0, sagemaker_port=0)
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="stored")
    s3.put_object(Bucket="stored", Key="picture.png", Body=b"of a delivery")
    assert asked(cloud.addresses.ministack_port, "POST", FUNCTIONS, TEXT, new_function("stored"))[0] == 201
    client(cloud, "lambda").get_waiter("function_active_v2").wait(FunctionName="stored")
    assert client(cloud, "lambda").invoke(FunctionName="stored")["Payload"].read() == b'"ran"'
    states = client(cloud, "stepfunctions")
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    made = states.create_state_machine(name="stored", definition=json.dumps(definition), roleArn=ANY_ROLE)
    states.start_execution(stateMachineArn=made["stateMachineArn"])
    sagemaker = client(cloud, "sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName="stored",
        RoleArn=ANY_ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", "touch made && umask && exit 1"]},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    )
    described = sagemaker.describe_processing_job
    eventually(lambda: described(ProcessingJobName="stored")["ProcessingJobStatus"] == "Failed")
    found = {path.name for path in state.rglob("*")}
    assert {"sagemaker.sqlite-wal", "stepfunctions.sqlite-shm", "picture.png", "log.txt", "ministack.log"} <= found
    assert open_to_others(state) == {}
    up.stop(state)
    assert any((state / "ministack").glob("*.json"))
    assert open_to_others(state) == {}


def test_a_folder_of_an_earlier_version_is_shut_with_all_that_is_in_it(tmp_path: Path, state: Path) -> None:
    (state / "jobs").mkdir(parents=True)
    (state / "up.lock").touch()
    (state / "jobs" / "run.sh").write_text("a picture\n")
    mine = tmp_path / "mine"
    mine.write_text("also known elsewhere\n")
    (state / "jobs" / "hard").hardlink_to(mine)
    (state / "jobs" / "soft").symlink_to(mine)
    for path, mode in {"": 0o755, "jobs": 0o775, "jobs/run.sh": 0o755, "up.lock": 0o644, "jobs/hard": 0o644}.items():
        (state / path).chmod(mode)
    make_private_folder(state, "up.lock")
    assert open_to_others(state) == {"jobs/hard": "0o100644"}
    assert (state / "jobs" / "run.sh").stat().st_mode & 0o777 == 0o700


def test_an_open_folder_with_other_things_in_it_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "thesis.tex").touch()
    with pytest.raises(LocalCloudError, match=r"it holds other things\. .*chmod 700"):
        up.start(folder, port=0, sagemaker_port=0)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
    assert folder.stat().st_mode & 0o777 == 0o755

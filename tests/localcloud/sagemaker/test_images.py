"""Which program stands in for an image."""

import sys
from pathlib import Path

import pytest

from localcloud import image_table
from localcloud.sagemaker import images
from localcloud.sagemaker.errors import ServiceError

ACCOUNT = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
MINE = f"{ACCOUNT}/team/mine:1"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (f"{ACCOUNT}/pytorch-training:2.10-cpu-py313", "pytorch-training"),
        (f"{ACCOUNT}/pytorch-training@sha256:0123", "pytorch-training"),
        (f"{ACCOUNT}/team/classifier:latest", "team/classifier"),
        ("localhost:5000/classifier", "classifier"),
        ("image-classification:1", "image-classification"),
        ("team/classifier", "team/classifier"),
    ],
)
def test_the_repository_is_what_counts_of_an_image(image: str, repository: str) -> None:
    assert images.repository(image) == repository


def test_an_unknown_image_trains_and_processes_what_the_request_brings() -> None:
    assert images.training(MINE, [], {"sagemaker_program": "train.py"}, {}).train == image_table.SCRIPT_MODE
    assert images.training(MINE, [], {}, {"SAGEMAKER_PROGRAM": "train.py"}).interpreter == sys.executable
    assert images.training(MINE, ["python3", "train.py"], {}, {}).uses == {"train", "process"}
    assert images.processing(MINE, ["python3", "job.py"]).uses == {"train", "process"}


@pytest.mark.parametrize("use", ["train", "serve", "process"])
def test_an_unknown_image_without_a_script_is_refused_with_the_row_to_write(use: str) -> None:
    ask = {
        "train": lambda: images.training(MINE, [], {"epochs": "2"}, {}),
        "serve": lambda: images.program(MINE, "serve"),
        "process": lambda: images.processing(MINE, []),
    }
    with pytest.raises(ServiceError) as refusal:
        ask[use]()
    assert refusal.value.code == "ValidationException"
    assert refusal.value.message.endswith(
        f'To add one, write into localcloud.toml: [images."team/mine"] and {use} = ["python3", …], its entry point.'
    )


def test_an_image_is_refused_for_what_it_cannot_do() -> None:
    with pytest.raises(ServiceError, match="cannot serve: its repository 'pytorch-training' can process, train"):
        images.program(f"{ACCOUNT}/pytorch-training:2.10", "serve")


def test_a_table_that_is_edited_counts_at_once_and_a_wrong_one_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / image_table.FILE
    monkeypatch.setenv(image_table.VARIABLE, str(table))
    with pytest.raises(ServiceError, match="No local program"):
        images.program(MINE, "serve")
    table.write_text('[images."team/mine"]\nserve = ["./serve.sh", "now"]\n')
    assert images.program(MINE, "serve").serve == (f"{tmp_path}/serve.sh", "now")
    table.write_text('[images."team/mine"]\nserves = ["./serve.sh"]\n')
    with pytest.raises(ServiceError, match=f"{table}.*unknown member 'serves'. Did you mean 'serve'"):
        images.program(MINE, "serve")


def test_python3_is_the_rows_interpreter_and_what_is_ours_is_lent_to_it() -> None:
    foreign = image_table.Program("mine", interpreter="/venv/bin/python")
    assert images.command(["python3", "job.py"], foreign) == ["/venv/bin/python", "job.py"]
    assert images.command(["/bin/sh", "-c", "python3"], foreign) == ["/bin/sh", "-c", "python3"]
    python, lender, folders, *rest = images.command(image_table.SCRIPT_MODE, foreign)
    assert (python, Path(lender).name) == ("/venv/bin/python", "lent.py")
    assert str(Path(image_table.__file__).parents[1]) in folders.split(":")
    assert rest == ["localcloud.programs.script_mode", "train"]

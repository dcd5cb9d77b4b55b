"""What a wrong job gets from the image-classification program: one reason, in the log and in the failure file."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from program_support import launch, make_job

PROGRAM = ("-m", "localcloud.programs.image_classification")


def fails(job, capsys, words):
    """The job ends as a customer error, says `words`, and leaves no model."""
    assert job.run() == 2
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "Customer Error: " in line]
    assert re.match(r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d ERROR \d+\] Customer Error: ", line)
    reason = line.split("Customer Error: ")[1]
    assert words in reason
    assert job.failure() == f"ClientError: {reason}"
    assert job.params() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1\t0\t0.png\n1\t1\t1.png\n", "train.lst line 2: index 1 is that of line 1 already"),
        ("1\t0\t0.png\n2\t1\tgone.png\n", "train.lst line 2: there is no image gone.png in the train channel"),
        ("1\t0\t0.png\r\n2\t1\t1.png\r\n", "CRLF"),
        ("1\t0\t0.png\n2\t2\t1.png\n", "class 2 is not between 0 and num_classes - 1 (1)"),
        ("1\t1\t0.png\n2\t1\t1.png\n", "no image of class 0"),
        ("1\t-1\t0.png\n", "class -1 is not between"),
        ("1\t0.5\t0.png\n", "'0.5' is not an integer"),
        ("1\tbike\t0.png\n", "'bike' is not a number"),
        ("1\tnan\t0.png\n", "'nan' is not an integer"),
        ("1\t0\t1\t0.png\n", "4 tab-separated column(s)"),
        ("1 0 0.png\n", "1 tab-separated column(s)"),
        ("\ufeff1\t0\t0.png\n", "is not an integer"),
        ("1\t0\t/etc/passwd\n", "not a path inside the image channel"),
        ("1\t0\t../validation/0.png\n", "not a path inside the image channel"),
        ("1\t0\t \n", "not a path inside the image channel"),
        ("", "Unable to start training. Empty .rec file in train channel."),
    ],
)
def test_wrong_lst(tmp_path, capsys, content, words):
    job = make_job(tmp_path)
    job.lst("train").write_bytes(content.encode())
    fails(job, capsys, words)


def test_lst_that_is_not_text(tmp_path, capsys):
    job = make_job(tmp_path)
    job.lst("validation").write_bytes(b"\xff\xfe\x00")
    fails(job, capsys, "Invalid lst file in the validation channel. validation.lst is not UTF-8 text")


def test_lst_may_have_float_labels_spaces_in_names_and_no_last_line_end(tmp_path):
    job = make_job(tmp_path)
    images = job.base / "input/data/train"
    (images / "0.png").rename(images / "a bike.png")
    rows = job.lst("train").read_text().replace("\t0.png", "\ta bike.png").replace("\t1\t", "\t1.000000\t")
    job.lst("train").write_text(rows.rstrip())
    assert job.run() == 0


@pytest.mark.parametrize("lists", [0, 2])
def test_not_one_lst_in_the_channel(tmp_path, capsys, lists):
    job = make_job(tmp_path)
    if lists:
        job.lst("train").with_name("other.lst").write_text("1\t0\t0.png\n")
    else:
        job.lst("train").unlink()
    fails(job, capsys, f"The train_lst channel must hold one .lst file, and it holds {lists}.")


def test_damaged_image(tmp_path, capsys):
    job = make_job(tmp_path)
    (job.base / "input/data/train/3.png").write_bytes(b"not an image")
    fails(job, capsys, "train.lst line 4: 3.png cannot be read as an image")


def test_image_smaller_than_image_shape(tmp_path, capsys):
    job = make_job(tmp_path)
    Image.fromarray(np.zeros((8, 7, 3), np.uint8)).save(job.base / "input/data/validation/0.png")
    fails(job, capsys, "An image of the validation channel is 8x7 (height x width), smaller than image_shape 8x8.")


@pytest.mark.parametrize("sizes", [{"train": 3}, {"validation": 3}, {"train": 8, "num_training_samples": "3"}])
def test_fewer_images_than_a_batch(tmp_path, capsys, sizes):
    fails(
        make_job(tmp_path, **sizes),
        capsys,
        "The number of input images must be bigger or equal to the mini_batch_size.",
    )


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"epochs": "0"}, "The value '0' is not valid for the 'epochs' hyperparameter"),
        ({"learning_rate": "2"}, "The value '2' is not valid for the 'learning_rate' hyperparameter"),
        ({"num_layers": "21"}, "one of the following: 20, 32, 44, 56, 110, 18, 34, 50, 101, 152, 200"),
        ({"batch_size": "2"}, "Additional hyperparameters are not allowed ('batch_size' was unexpected)"),
        ({"resize": "7"}, "must not be smaller than image_shape"),
        ({"checkpoint_frequency": "2"}, "no greater than epochs (1)"),
        ({"use_pretrained_model": "1"}, "no pretrained weights"),
        ({"multi_label": "1"}, "one class only"),
    ],
)
def test_wrong_hyperparameters(tmp_path, capsys, hyperparameters, words):
    fails(make_job(tmp_path, **hyperparameters), capsys, words)


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_hyperparameters_that_are_not_there_or_no_map(tmp_path, capsys, content):
    job = make_job(tmp_path)
    (job.base / "input/config/hyperparameters.json").write_text(content)
    fails(job, capsys, "hyperparameter")


FILE = {"ContentType": "application/x-image", "TrainingInputMode": "File"}
CHANNELS = dict.fromkeys(("train", "validation", "train_lst", "validation_lst"), FILE)


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        (CHANNELS | {"model": {"ContentType": "application/x-sagemaker-model"}}, "The model channel"),
        (CHANNELS | {"train": {"ContentType": "application/x-recordio"}}, "does not read RecordIO"),
        (CHANNELS | {"train": {"ContentType": "text/csv"}}, "Content type text/csv of the train channel"),
        (CHANNELS | {"train": FILE | {"TrainingInputMode": "Pipe"}}, "raw images need File mode"),
        ({"train": FILE, "train_lst": FILE}, "'validation' is a required property"),
        ({}, "'train' is a required property"),
    ],
)
def test_wrong_channels(tmp_path, capsys, channels, words):
    job = make_job(tmp_path)
    (job.base / "input/config/inputdataconfig.json").write_text(json.dumps(channels))
    fails(job, capsys, words)


def test_missing_channel_is_seen_without_a_configuration_of_channels(tmp_path, capsys):
    job = make_job(tmp_path)
    job.lst("validation").unlink()
    job.lst("validation").parent.rmdir()
    fails(job, capsys, "'validation_lst' is a required property")


def test_training_that_diverges_leaves_no_model_of_nans(tmp_path, capsys):
    job = make_job(tmp_path, optimizer="rmsprop", gamma="1", eps="0", epochs="3")  # divides by zero
    assert job.run() == 2
    assert "Training diverged" in job.failure()
    assert "Use a smaller learning_rate" in capsys.readouterr().out
    for path in (job.base / "model").glob("*.params"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays.files)


def test_our_own_mistakes_are_algorithm_errors(tmp_path, capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("localcloud.programs.image_classification.training_job.train", broken)
    job = make_job(tmp_path)
    assert job.run() == 1
    assert job.failure() == "AlgorithmError: ZeroDivisionError: by accident"
    assert "Traceback" in capsys.readouterr().out


def test_failure_is_at_most_1024_characters(tmp_path, capsys):
    job = make_job(tmp_path, **{f"unknown_{number}": "1" for number in range(100)})
    assert job.run() == 2
    assert len(job.failure()) == 1024


def damage_nothing_there(model):
    for path in model.iterdir():
        path.unlink()


def damage_weights(model):
    next(model.glob("*.params")).write_bytes(b"PK\x03\x04 torn")


def damage_symbol(model):
    (model / "image-classification-symbol.json").write_text("{}")


def damage_missing_array(model):
    path = next(model.glob("*.params"))
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "fc1_weight"}
    with path.open("wb") as file:
        np.savez(file, **kept)


def damage_with_objects(model):
    with next(model.glob("*.params")).open("wb") as file:
        np.savez(file, fc1_weight=np.array([{"a": 1}], dtype=object))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    job = make_job(tmp_path_factory.mktemp("trained"))
    assert job.run() == 0
    return {path.name: path.read_bytes() for path in (job.base / "model").iterdir()}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_nothing_there, "there is no image-classification-NNNN.params"),
        (damage_weights, "Loading the model from"),
        (damage_symbol, "was not written by the local stand-in"),
        (damage_missing_array, "fc1_weight"),
        (damage_with_objects, "Object arrays cannot be loaded"),
    ],
)
def test_model_that_cannot_be_loaded_ends_the_server_with_the_reason(tmp_path, trained, damage, words):
    model = tmp_path / "model"
    model.mkdir()
    for name, content in trained.items():
        (model / name).write_bytes(content)
    damage(model)
    with launch(*PROGRAM, "serve", base=tmp_path) as server:
        output, errors = server.communicate(timeout=60)
    assert server.returncode == 1
    assert "Listening" not in output
    (line,) = errors.splitlines()
    assert line.startswith("Error: Loading the model from")
    assert words in line


def test_unknown_command_is_a_usage_error(tmp_path):
    with launch(*PROGRAM, "tune", base=tmp_path) as program:
        assert "usage: " in program.communicate(timeout=60)[1]
    assert program.returncode == 2

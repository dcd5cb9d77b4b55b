"""Training: what is counted, what is kept, when it stops, and that it learns."""

import numpy as np
import pytest
import torch
from program_support import make_job

from localcloud.programs.image_classification import training
from localcloud.programs.image_classification.checkpoint import load_newest
from localcloud.programs.image_classification.hyperparameters import read_hyperparameters
from localcloud.programs.image_classification.training import EarlyStopping, RollingValidation, slowness


def lines(capsys, pattern):
    return [line for line in capsys.readouterr().out.splitlines() if pattern in line]


class Judge:
    """Calls every image of class 0 and remembers which it saw."""

    def __init__(self):
        self.seen = []

    def eval(self):
        self.batches = 0

    def __call__(self, images):
        self.batches += 1
        self.seen += images[:, 0].int().tolist()
        return torch.tensor([[1.0, 0.0]]).repeat(len(images), 1)


@pytest.mark.parametrize(
    ("images", "batch", "counted"), [(200, 32, [192, 192, 192, 224, 192]), (200, 128, [128, 256, 128, 256, 128])]
)
def test_validation_counts_full_batches_and_carries_the_rest_over(images, batch, counted):
    validation = RollingValidation(
        torch.arange(images)[:, None], torch.arange(images) % 2, batch, torch.empty(0, dtype=torch.long)
    )
    judge = Judge()
    for expected in counted:
        accuracy = validation.accuracy(judge)
        assert judge.batches * batch == expected
        assert (accuracy * expected).is_integer()
    assert judge.seen == [number % images for number in range(sum(counted))]  # every image in turn, none left out


def test_last_partial_training_batch_is_dropped(tmp_path, capsys):
    assert make_job(tmp_path, train=11, validation=4).run() == 0
    (line,) = lines(capsys, "Train-accuracy")
    assert (float(line.split("=")[1]) * 8).is_integer()


def test_early_stopping_as_recorded_in_a_real_job():
    """Best at epoch 41, min_epochs 10, patience 25: the real job's last epoch was 66."""
    stopping = EarlyStopping(min_epochs=10, patience=25, tolerance=0.01)
    accuracies = [0.5 + 0.01 * min(epoch, 41) for epoch in range(100)]
    stopped = next(epoch for epoch, accuracy in enumerate(accuracies) if stopping.should_stop(epoch + 1, accuracy))
    assert stopped == 66


def test_early_stopping_waits_for_the_minimum_of_epochs():
    stopping = EarlyStopping(min_epochs=10, patience=2, tolerance=0.0)
    assert [stopping.should_stop(epoch, 0.5) for epoch in range(1, 12)] == [False] * 9 + [True] * 2


def test_improvement_within_the_tolerance_does_not_count():
    stopping = EarlyStopping(min_epochs=1, patience=2, tolerance=0.01)
    assert [stopping.should_stop(epoch, accuracy) for epoch, accuracy in enumerate([0.8, 0.805, 0.805], 1)] == [
        False,
        False,
        True,
    ]


def test_accuracy_of_zero_is_no_improvement_and_no_division():
    stopping = EarlyStopping(min_epochs=1, patience=2, tolerance=0.0)
    assert [stopping.should_stop(epoch, 0.0) for epoch in (1, 2)] == [False, True]


def test_job_stops_early(tmp_path, capsys):
    job = make_job(
        tmp_path,
        epochs="6",
        learning_rate="0",
        early_stopping="True",
        early_stopping_min_epochs="1",
        early_stopping_patience="2",
    )
    assert job.run() == 0
    output = capsys.readouterr().out
    assert output.rstrip().endswith("Early stopping criteria met.")
    assert "Epoch[3]" not in output


def test_one_file_of_weights_is_kept_that_of_the_best_epoch(tmp_path, capsys):
    job = make_job(tmp_path, epochs="4")
    assert job.run() == 0
    saved = lines(capsys, "Saved checkpoint")
    assert job.params() == [saved[-1].split("/")[-1].rstrip('"')]
    assert sorted(path.name for path in (job.base / "model").iterdir()) == [
        job.params()[0],
        "image-classification-symbol.json",
        "model-shapes.json",
    ]


def test_checkpoint_frequency_keeps_every_nth(tmp_path, capsys):
    job = make_job(tmp_path, epochs="5", checkpoint_frequency="2")
    assert job.run() == 0
    assert job.params() == ["image-classification-0002.params", "image-classification-0004.params"]
    assert not lines(capsys, "Storing the best model")


def test_same_job_gives_the_same_weights(tmp_path):
    weights = []
    for folder in ("first", "second"):
        job = make_job(tmp_path / folder, augmentation_type="crop_color_transform", side=10)
        assert job.run() == 0
        weights.append(load_newest(job.base / "model").parameters)
    assert weights[0].keys() == weights[1].keys()
    for name, array in weights[0].items():
        np.testing.assert_array_equal(array, weights[1][name])


@pytest.mark.parametrize(("factor", "moves"), [({"lr_scheduler_factor": "0"}, False), ({}, True)])
def test_learning_rate_schedule_needs_both_keys(tmp_path, factor, moves):
    job = make_job(tmp_path, epochs="2", checkpoint_frequency="1", lr_scheduler_step="1", **factor)
    assert job.run() == 0
    second = load_newest(job.base / "model").parameters["fc1_weight"]
    (job.base / "model/image-classification-0002.params").unlink()
    first = load_newest(job.base / "model").parameters["fc1_weight"]
    assert np.array_equal(first, second) != moves


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "nag"])
def test_every_optimizer_learns_dark_from_bright(tmp_path, capsys, optimizer):
    rate = "0.05" if optimizer in ("sgd", "nag") else "0.002"
    assert make_job(tmp_path, train=16, epochs="8", optimizer=optimizer, learning_rate=rate).run() == 0
    accuracies = [float(line.split("=")[1]) for line in lines(capsys, "Train-accuracy")]
    assert accuracies[-1] >= 0.75


def test_half_precision_trains(tmp_path, capsys):
    job = make_job(tmp_path, precision_dtype="float16")
    assert job.run() == 0
    assert lines(capsys, "data type")[0].endswith("<class 'numpy.float16'>")
    assert {array.dtype for array in load_newest(job.base / "model").parameters.values()} == {np.dtype(np.float32)}


def test_extremes_of_the_ranges_train(tmp_path):
    assert make_job(tmp_path / "adam", optimizer="adam", beta_1="1", beta_2="1", eps="1").run() == 0
    assert make_job(tmp_path / "nag", optimizer="nag", momentum="0").run() == 0


def test_epoch_takes_num_training_samples_and_says_so_when_there_are_more(tmp_path, capsys):
    assert make_job(tmp_path, train=12, num_training_samples="4").run() == 0
    output = capsys.readouterr().out
    assert "WARNING" in output
    assert "num_training_samples is 4, and the train channel has 12 images" in output
    accuracy = float(output.split("Train-accuracy=")[1].split()[0])
    assert (accuracy * 4).is_integer()


DEFAULT_NETWORK = {"num_classes": "2", "num_training_samples": "1000"}


def test_a_network_that_is_too_much_for_this_machine_is_named_with_the_speed_and_the_fix():
    given = read_hyperparameters(DEFAULT_NETWORK)
    assert slowness(given, 32 / 2.5) == (
        "Speed on this CPU: 2.50 samples/sec; 30 epochs of 1000 images will take about 200 minutes. "
        "Faster: num_layers 18 (it is 152), a smaller image_shape (it is 3,224,224), or fewer epochs."
    )
    small = read_hyperparameters({**DEFAULT_NETWORK, "num_layers": "20", "image_shape": "3,32,32", "epochs": "3000"})
    assert "Faster: a smaller image_shape (it is 3,32,32), or fewer epochs." in slowness(small, 1.0)
    assert slowness(given, 32 / 100) == ""


@pytest.mark.parametrize(("limit", "said"), [(0.0, 1), (float("inf"), 0)])
def test_a_long_job_says_so_once(tmp_path, capsys, monkeypatch, limit, said):
    monkeypatch.setattr(training, "LONG_SECONDS", limit)
    assert make_job(tmp_path, epochs="2").run() == 0
    assert len(lines(capsys, "Speed on this CPU")) == said

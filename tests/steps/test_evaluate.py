"""Evaluate: what it says about good and bad models, and the predictions that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from project.errors import DataError
from steps import evaluate, lst, png, predictions

CLASSES = ["bicycle", "motorcycle"]
Folders = tuple[Path, Path]


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., Folders]:
    """Write images, test.lst and a prediction each; returns their folder and the predictions' folder."""

    def write(answers: list[list[float]], labels: list[int]) -> Folders:
        images, answered = tmp_path / "test", tmp_path / "predictions"
        images.mkdir()
        answered.mkdir()
        entries = [lst.Entry(i, label, f"test-{i:05d}.png") for i, label in enumerate(labels)]
        lst.write(tmp_path / "test.lst", entries)
        for entry, answer in zip(entries, answers, strict=True):
            (images / entry.path).write_bytes(png.encode(np.full((8, 8, 3), 40 * entry.label + entry.index, np.uint8)))
            (answered / f"{entry.path}.out").write_text(json.dumps(answer))
        return images, answered

    return write


def run(
    folders: Folders, output: Path, classes: str = "bicycle,motorcycle", training: Path | None = None
) -> dict[str, Any]:
    images, answered = folders
    arguments = {"predictions": answered, "labels": images.parent, "images": images, "classes": classes}
    options = [text for key, value in arguments.items() for text in (f"--{key}", str(value))]
    options += ["--training-images", str(training)] if training else []
    assert evaluate.main([*options, "--output", str(output)]) == 0
    text = (output / "evaluation" / "evaluation.json").read_text()
    evaluation: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the report"))
    return evaluation


def test_the_report_says_how_good_the_model_is(
    scored: Callable[..., Folders], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.05, 0.95], [0.2, 0.8], [0.1, 0.9], [0.99, 0.01]]
    report = run(scored(answers, [0, 0, 0, 1, 1, 1, 1, 1]), tmp_path / "output")

    found = report["metrics"]
    assert found["accuracy"] == 0.75 and found["accuracy_low"] < 0.75 < found["accuracy_high"]
    assert found["auc"] == pytest.approx(11 / 15)
    assert report["confusion_matrix"] == [[2, 1], [1, 4]]
    assert (
        report["per_class"]["motorcycle"].items() >= {"images": 5, "wrong": 1, "taken_for_it": 1, "recall": 0.8}.items()
    )
    assert report["worst_mistakes"][0] == {
        "image": "test-00007.png",
        "actual": "motorcycle",
        "predicted": "bicycle",
        "confidence": 0.99,
    }
    at = {point["threshold"]: point for point in report["threshold_curve"]}
    assert at[0.5]["share"] == 1.0 and at[0.93].items() >= {"images": 2, "share": 0.25, "accuracy": 0.5}.items()
    assert "binary_classification_metrics" in report
    assert "Accuracy 0.750 (95 % interval" in capsys.readouterr().out


def test_a_perfect_model_has_finite_numbers_everywhere(scored: Callable[..., Folders], tmp_path: Path) -> None:
    report = run(scored([[1.0, 0.0], [0.0, 1.0]], [0, 1]), tmp_path / "output")
    assert all(np.isfinite(value) for value in report["metrics"].values())
    assert report["metrics"]["accuracy"] == report["metrics"]["auc"] == 1.0
    assert report["worst_mistakes"] == []


def test_a_model_that_always_says_the_same_is_no_better_than_chance(
    scored: Callable[..., Folders], tmp_path: Path
) -> None:
    report = run(scored([[0.6, 0.4]] * 4, [0, 1, 0, 1]), tmp_path / "output")
    assert report["metrics"]["accuracy"] == report["metrics"]["auc"] == 0.5
    assert report["per_class"]["motorcycle"]["precision"] is None, "nothing was called that"


def test_more_than_two_classes(scored: Callable[..., Folders], tmp_path: Path) -> None:
    answers = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.2, 0.3]]
    report = run(scored(answers, [0, 1, 2]), tmp_path / "output", "bicycle,bus,motorcycle")
    assert report["metrics"]["accuracy"] == pytest.approx(2 / 3)
    assert "multiclass_classification_metrics" in report and len(report["confusion_matrix"]) == 3


def test_predictions_in_subfolders_are_found(scored: Callable[..., Folders], tmp_path: Path) -> None:
    images, answered = scored([[0.9, 0.1], [0.1, 0.9]], [0, 1])
    (answered / "test").mkdir()
    (answered / "test-00000.png.out").rename(answered / "test" / "test-00000.png.out")
    assert run((images, answered), tmp_path / "output")["images"] == 2


def one_more(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "test-00000.png.out").write_text("[0.5, 0.5]")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "test-00001.png.out").unlink(), "no prediction for 1 of 2 images, such as test-00001.png"),
        (lambda f: [p.unlink() for p in f.iterdir()], "no prediction for 2 of 2"),
        (lambda f: (f / "other.png.out").write_text("[0.5, 0.5]"), "1 predictions belong to no image"),
        (one_more, "two predictions named test-00000.png.out"),
        (lambda f: (f / "test-00001.png.out").write_text("[NaN, 0.5]"), "not JSON: NaN in it is no JSON value"),
        (lambda f: (f / "test-00001.png.out").write_text("[Infinity, 0.5]"), "Infinity in it is no JSON value"),
        (lambda f: (f / "test-00001.png.out").write_text("[null, 0.5]"), "not a list of numbers"),
        (lambda f: (f / "test-00001.png.out").write_text('["0.5", "0.5"]'), "not a list of numbers"),
        (lambda f: (f / "test-00001.png.out").write_text("[true, false]"), "not a list of numbers"),
        (lambda f: (f / "test-00001.png.out").write_text("[[0.5, 0.5]]"), "not a list of numbers"),
        (lambda f: (f / "test-00001.png.out").write_text('{"predictions": [0.5, 0.5]}'), "not a list of numbers"),
        (
            lambda f: (f / "test-00001.png.out").write_text('{"prediction": [0.5, 0.5], "unfamiliarity": "high"}'),
            "its unfamiliarity is 'high'",
        ),
        (lambda f: (f / "test-00001.png.out").write_text("0.5,0.5"), "not JSON"),
        (lambda f: (f / "test-00001.png.out").write_bytes(b""), "not JSON"),
        (lambda f: (f / "test-00001.png.out").write_bytes(b"\xff\xfe"), "not JSON"),
        (lambda f: (f / "test-00001.png.out").write_text("[]"), "0 probabilities for 2 classes"),
        (lambda f: (f / "test-00001.png.out").write_text("[0.2, 0.3, 0.5]"), "3 probabilities for 2 classes"),
        (lambda f: (f / "test-00001.png.out").write_text("[0.5, 0.6]"), "are not probabilities"),
        (lambda f: (f / "test-00001.png.out").write_text("[-0.5, 1.5]"), "are not probabilities"),
        (lambda f: (f / "test-00001.png.out").write_text("[1e999, 0]"), "not JSON: inf is no JSON value"),
    ],
)
def test_a_missing_or_wrong_prediction_fails_the_job(
    scored: Callable[..., Folders], tmp_path: Path, spoil: Callable[[Path], object], says: str
) -> None:
    folders = scored([[0.9, 0.1], [0.1, 0.9]], [0, 1])
    spoil(folders[1])
    with pytest.raises(DataError) as error:
        run(folders, tmp_path / "output")
    assert says in str(error.value)
    assert not (tmp_path / "output").exists()


def test_rounded_probabilities_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "a.png.out").write_text("[0.97690, 0.02309942990541458]")
    assert predictions.read(tmp_path, ["a.png"], 2).probabilities.shape == (1, 2)


def test_an_answer_as_a_json_line_says_how_unfamiliar_the_picture_is(tmp_path: Path) -> None:
    (tmp_path / "a.png.out").write_text('{"prediction": [0.9, 0.1], "unfamiliarity": 0.25}\n')
    (tmp_path / "b.png.out").write_text('{"prediction": [0.2, 0.8]}\n')
    found = predictions.read(tmp_path, ["a.png", "b.png"], 2)
    assert found.probabilities.tolist() == [[0.9, 0.1], [0.2, 0.8]]
    np.testing.assert_array_equal(found.unfamiliarity, [0.25, np.nan])


def test_a_class_without_test_images_is_an_error() -> None:
    with pytest.raises(DataError, match="No test image of class 'motorcycle'"):
        evaluate.evaluate(np.array([0, 0]), np.array([[0.9, 0.1]] * 2), CLASSES, ["a", "b"])


def drawn_over(folders: Folders) -> None:
    """Pictures that can be told apart, in place of the plain ones."""
    for seed, file in enumerate(sorted(folders[0].iterdir())):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)).save(file)


def test_test_images_that_repeat_a_training_image_are_counted_and_left_out(
    scored: Callable[..., Folders], tmp_path: Path
) -> None:
    folders = scored([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]], [0, 0, 0, 1])
    drawn_over(folders)
    training = tmp_path / "train"
    training.mkdir()
    with Image.open(folders[0] / "test-00000.png") as image:
        ImageOps.mirror(image).save(training / "mirrored.png")
    report = run(folders, tmp_path / "output", training=training)

    assert report["metrics"]["accuracy"] == 0.5
    assert report["metrics"]["near_duplicates"] == 1
    assert report["metrics"]["accuracy_without_near_duplicates"] == pytest.approx(1 / 3)
    assert report["near_duplicates"]["threshold"] == 8
    pair = {"image": "test-00000.png", "training_image": "mirrored.png", "distance": 0}
    assert report["near_duplicates"]["pairs"] == [pair]


def test_a_test_set_of_repeats_only_has_no_accuracy_without_them(
    scored: Callable[..., Folders], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = scored([[0.9, 0.1], [0.2, 0.8]], [0, 1])
    drawn_over(folders)
    report = run(folders, tmp_path / "output", training=folders[0])
    assert "accuracy_without_near_duplicates" not in report["metrics"]
    assert report["near_duplicates"]["images_left"] == 0
    assert "none left without the 2" in capsys.readouterr().out


def test_every_metric_has_an_interval_that_holds_it(scored: Callable[..., Folders], tmp_path: Path) -> None:
    answers = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.05, 0.95], [0.2, 0.8], [0.1, 0.9], [0.99, 0.01]]
    found = run(scored(answers, [0, 0, 0, 1, 1, 1, 1, 1]), tmp_path / "output")["metrics"]
    for name in ("accuracy", "auc", "expected_calibration_error", "log_loss", "macro_precision", "macro_recall"):
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
        assert found[f"{name}_low"] < found[f"{name}_high"]


def test_the_least_certain_answers_come_first_right_or_wrong(scored: Callable[..., Folders], tmp_path: Path) -> None:
    report = run(scored([[0.9, 0.1], [0.45, 0.55], [0.6, 0.4]], [0, 1, 1]), tmp_path / "output")
    assert [answer["confidence"] for answer in report["least_certain"]] == [0.55, 0.6, 0.9]

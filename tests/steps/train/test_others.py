"""Training with pictures of other classes: read, divided, learned from, and nothing of them in what is served."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from train_channels import arguments, write_channels, write_others

import steps.train
from project.errors import DataError
from steps.train import ensemble, member, others
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples
from steps.train.network import Network

SMALL = {"epochs": "2", "width": "8", "batch_size": "16", "members": "2"}


def examples(labels: list[int]) -> Examples:
    """A picture for each label, all of its pixels the picture's number."""
    pictures = np.arange(len(labels), dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    return Examples(pictures, np.array(labels, np.int64))


def noise(labels: list[int]) -> Examples:
    """Pictures with something to normalise by."""
    pictures = np.random.default_rng(len(labels)).integers(0, 256, (len(labels), 16, 16, 3), dtype=np.uint8)
    return Examples(pictures, np.array(labels, np.int64))


@pytest.mark.parametrize(("classes", "strange"), [(1, []), (2, [1]), (4, [3]), (5, [4]), (12, [4, 9])])
def test_strangers_are_whole_classes_and_the_rest_is_numbered_from_0(classes: int, strange: list[int]) -> None:
    divided = others.divide(examples(list(range(classes)) * 3))
    assert sorted(set(divided.strangers.labels.tolist())) == strange
    kept = classes - len(strange)
    assert sorted(divided.learned.labels.tolist()) == sorted(list(range(kept)) * 3)
    assert len(divided.learned.pictures) + len(divided.strangers.pictures) == 3 * classes
    first = {int(label): int(picture[0, 0, 0]) for picture, label in zip(*vars(divided.learned).values(), strict=True)}
    assert sorted(first.values()) == [first[label] for label in sorted(first)], "the order of classes stays"


def test_no_more_are_read_than_asked_for(tmp_path: Path) -> None:
    write_others(tmp_path, classes=4, count=5)
    found = others.read(tmp_path, 32, 8)
    assert found
    assert (len(found.learned.labels), len(found.strangers.labels)) == (6, 2)


def test_a_file_without_pictures_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_others(tmp_path, classes=0, count=0)
    assert others.read(tmp_path, 32, 8) is None
    assert "No pictures of other classes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "0 .npz files in the channel"),
        (b"", "not the file that `extract` writes"),
        (b"PK\3\4nothing", "not the file that `extract` writes"),
    ],
)
def test_a_file_that_is_not_what_extract_writes_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "others.npz").write_bytes(content)
    with pytest.raises(DataError, match=words):
        others.read(tmp_path, 32, 8)


@pytest.mark.parametrize("change", [{"labels": np.zeros(3)}, {"pictures": np.zeros((2, 8, 8, 3), np.uint8)}, {}])
def test_arrays_of_another_kind_or_size_are_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    right = {"pictures": np.zeros((2, 32, 32, 3), np.uint8), "labels": np.zeros(2, np.int64)}
    np.savez(tmp_path / "others.npz", **({**right, **change} if change else {"pictures": right["pictures"]}))
    with pytest.raises(DataError, match=r"others\.npz"):
        others.read(tmp_path, 32, 8)


def test_others_are_drawn_with_labels_after_the_classes() -> None:
    torch.manual_seed(1)
    drawn = member.draw(examples([0, 1, 2]), 2, 64, torch.device("cpu"))
    pictures, labels = next(drawn)
    assert pictures.shape == (64, 3, 16, 16)
    assert set(labels.tolist()) == {2, 3, 4}
    assert not torch.equal(labels, next(drawn)[1])


def test_the_question_about_all_classes_is_part_of_the_loss() -> None:
    torch.manual_seed(1)
    network = Network((8, 8, 8), 2, others=3)
    pictures, labels = torch.rand(4, 3, 16, 16), torch.tensor([0, 1, 0, 1])
    strange = torch.rand(2, 3, 16, 16), torch.tensor([2, 4])

    def loss(weight: float) -> float:
        chosen = Hyperparameters(turned_share=0, other_weight=weight)
        return member.lesson(network, pictures, labels, chosen, strange)[0].item()

    ignored = loss(0)
    assert loss(1) > ignored + 0.1
    assert loss(2) - ignored == pytest.approx(2 * (loss(1) - ignored), rel=1e-3)


def test_a_single_other_class_is_learned_from_and_leaves_no_strangers() -> None:
    chosen = Hyperparameters(epochs=1, width=8, batch_size=8, members=1)
    found = ensemble.fit(noise([0, 1] * 8), noise([0, 1] * 2), 2, chosen, others.divide(noise([0] * 4)))
    assert len(found.strangers_likeness) == 0
    assert np.isfinite(found.validation_likeness).all()


def test_without_others_a_network_has_no_further_head() -> None:
    assert Network((8, 8, 8), 2).kind_head is None


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a job without others, with, and with a channel that the hyperparameters do not ask for."""
    found = {}
    for name, wanted in (("without", "0"), ("with", "90"), ("not asked", "0")):
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
        write_channels(folder)
        (folder / "hyperparameters.json").write_text(json.dumps({**SMALL, "other_pictures": wanted}))
        more: list[str] = []
        if name != "without":
            (folder / "others").mkdir()
            write_others(folder / "others", classes=3, count=20)
            more = ["--others", str(folder / "others")]
        assert steps.train.main([*arguments(folder), *more]) == 0
        found[name] = folder
    return found


def test_what_is_served_has_the_same_shape_and_size(jobs: dict[str, Path]) -> None:
    def shapes(folder: Path) -> list[tuple[str, tuple[int, ...]]]:
        graph = onnx.load(folder / "model" / "model.onnx").graph
        return [(each.name, tuple(each.dims)) for each in graph.initializer]

    assert shapes(jobs["with"]) == shapes(jobs["without"])


def test_strangers_that_nobody_learned_from_are_counted_where_there_are_such(jobs: dict[str, Path]) -> None:
    found = {name: json.loads((folder / "data" / "training.json").read_text()) for name, folder in jobs.items()}
    assert found["with"]["strangers"] == 20
    assert 0 <= found["with"]["strangers_found_familiar"] <= 1
    assert "strangers" not in found["without"]


def test_a_channel_that_is_not_asked_for_changes_nothing(jobs: dict[str, Path]) -> None:
    models = [(jobs[name] / "model" / "model.onnx").read_bytes() for name in ("without", "not asked", "with")]
    assert models[0] == models[1]
    assert models[0] != models[2]

"""The parts of training: hyperparameters, who holds out what, temperature, schedule, optimizer, augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from project.errors import UsageError
from steps.train import ensemble, hyperparameters, member, optimizer, temperature
from steps.train.augment import augment, move, turn
from steps.train.hyperparameters import LIMITS, Hyperparameters
from steps.train.messages import Examples, Progress
from steps.train.network import Network


def test_hyperparameters_arrive_as_strings() -> None:
    chosen = hyperparameters.parse({"epochs": "12", "learning_rate": "0.5", "seed": '"3"'})
    assert (chosen.epochs, chosen.learning_rate, chosen.seed) == (12, 0.5, 3)
    assert chosen.batch_size == Hyperparameters().batch_size


def test_names_that_sagemaker_adds_are_passed_over() -> None:
    assert hyperparameters.parse({"_tuning_objective_metric": "x", "sagemaker_program": "y"}) == Hyperparameters()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epoch": "3"}, "Unknown hyperparameter `epoch`. Did you mean `epochs`?"),
        ({"zzz": "3"}, "Unknown hyperparameter `zzz`. Known: epochs, seed"),
        ({"epochs": "many"}, "`epochs` is 'many', which is not a int"),
        ({"epochs": "1.5"}, "`epochs` is '1.5'"),
        ({"epochs": "0"}, "`epochs` is 0; it must be from 1 to 1000"),
        ({"learning_rate": "nan"}, "`learning_rate` is nan; it must be from"),
    ],
)
def test_wrong_hyperparameters_are_refused_by_name(values: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        hyperparameters.parse(values)
    assert words in str(caught.value)


def test_no_hyperparameter_file_means_the_defaults(tmp_path: Path) -> None:
    assert hyperparameters.read(tmp_path / "none.json") == Hyperparameters()


@pytest.mark.parametrize("text", ["[1]", "{", ""])
def test_hyperparameter_file_that_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(UsageError, match=r"h\.json"):
        hyperparameters.read(tmp_path / "h.json")


def test_every_hyperparameter_has_limits_that_its_default_keeps() -> None:
    for name, value in vars(Hyperparameters()).items():
        low, high = LIMITS[name]
        assert low <= value <= high


def test_each_member_holds_out_an_equal_part_of_every_class() -> None:
    labels = np.repeat([0, 1, 2], [12, 8, 4])
    holder = ensemble.holders(labels, 4, seed=1)
    counts = np.array([[((holder == m) & (labels == c)).sum() for c in range(3)] for m in range(4)])
    assert counts.tolist() == [[3, 2, 1]] * 4
    assert (holder != ensemble.holders(labels, 4, seed=2)).any()


def test_temperature_recovers_the_scale_of_calibrated_logits() -> None:
    generator = np.random.default_rng(4)
    logits = generator.normal(0, 2, (20_000, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (shares.cumsum(axis=1) > generator.random((len(logits), 1))).argmax(axis=1)
    assert temperature.fit(logits * 2.5, labels) == pytest.approx(2.5, rel=0.05)


def test_temperature_stays_finite_without_a_single_error() -> None:
    assert temperature.fit(np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10)) == pytest.approx(
        temperature.SHARPEST, rel=1e-3
    )


def test_mean_of_members_is_trusted_more_than_one_of_them() -> None:
    found = [temperature.of_ensemble(0.7, members) for members in (1, 2, 3, 6)]
    assert found[0] == 0.7
    assert found[0] > found[1] > found[2] == found[3]


def test_learning_rate_rises_then_falls_to_zero() -> None:
    factors = list(optimizer.factors(100, 0.2))
    assert max(factors) == factors[19] == 1
    assert factors[-1] == 0
    assert np.diff(factors[:20]).min() > 0 > np.diff(factors[20:]).max()
    assert next(optimizer.factors(10, 0.0)) == pytest.approx(0.9)


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_orthogonal_step_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(optimizer.orthogonal(torch.randn(shape)))
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_augmented_pictures_differ_in_every_draw_and_keep_their_shape() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(3, 3, 32, 32)
    first, second = augment(pictures), augment(pictures)
    assert first.shape == pictures.shape
    assert not torch.equal(first, second)
    assert torch.isfinite(first).all()


def test_moving_a_uniform_picture_leaves_it_uniform() -> None:
    torch.manual_seed(0)
    torch.testing.assert_close(move(torch.full((4, 3, 32, 32), 0.3)), torch.full((4, 3, 32, 32), 0.3))


def test_turned_pictures_are_turned_by_the_number_of_quarters_told() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(12, 3, 8, 8)
    turned, quarters = turn(pictures)
    assert set(quarters.tolist()) == {0, 1, 2, 3}
    for before, after, quarter in zip(pictures, turned, quarters.tolist(), strict=True):
        assert torch.equal(after, before.rot90(quarter, (1, 2)))


def test_whitened_patches_are_uncorrelated() -> None:
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(16, 3, 8, 8), size=32, mode="bilinear") + torch.rand(
        16, 3, 1, 1
    )
    network = Network((8, 8, 8), 2)
    network.fit_input(smooth)
    with torch.no_grad():
        channels = network.whiten((smooth - network.mean) / network.deviation)[:, : network.whiten.out_channels // 2]
    covariance = torch.cov(channels.transpose(0, 1).flatten(1))
    assert (covariance - torch.diag(covariance.diag())).abs().max() < 0.05


def _split(count: int) -> Examples:
    generator = np.random.default_rng(count)
    labels = np.arange(count) % 2
    pictures = generator.integers(0, 120, (count, 16, 16, 3), dtype=np.uint8) + (labels * 120)[:, None, None, None]
    return Examples(pictures.astype(np.uint8), labels)


def test_training_goes_without_turned_pictures_too() -> None:
    chosen = Hyperparameters(epochs=1, width=8, batch_size=8, turned_share=0)
    _, logits = member.train(_split(16), _split(6), 2, chosen, 3, lambda _: None)
    assert logits.shape == (6, 2)


def test_training_twice_with_one_seed_gives_the_same_weights() -> None:
    chosen = Hyperparameters(epochs=2, width=8, batch_size=8)
    (one, _), (two, _) = (member.train(_split(16), _split(6), 2, chosen, 3, lambda _: None) for _ in range(2))
    for first, second in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(first, second)


def test_served_weights_are_a_mean_of_those_that_training_went_through() -> None:
    def trained(averaging: float) -> Network:
        chosen = Hyperparameters(epochs=3, width=8, batch_size=8, averaging=averaging)
        return member.train(_split(16), _split(6), 2, chosen, 3, lambda _: None)[0]

    averaged, last = trained(0.99), trained(0.0)
    assert not averaged.training
    pairs = zip(averaged.state_dict().values(), last.state_dict().values(), strict=True)
    moved = [not torch.equal(mean, value) for mean, value in pairs if mean.is_floating_point()]
    assert sum(moved) > len(moved) / 2  # the input's filters are fixed
    assert all(torch.isfinite(value).all() for value in averaged.state_dict().values())


def test_mean_of_weights_follows_and_counts_what_is_no_weight() -> None:
    average, network = Network((8, 8, 8), 2), Network((8, 8, 8), 2)
    before, towards = average.head.weight.clone(), network.head.weight.clone()
    network.groups[0].first_norm.num_batches_tracked += 5
    member.follow(average, network, 0.75)
    torch.testing.assert_close(average.head.weight, 0.75 * before + 0.25 * towards)
    assert average.groups[0].first_norm.num_batches_tracked == 5


def test_progress_is_judged_with_the_weights_that_are_served() -> None:
    reports: list[Progress] = []
    chosen = Hyperparameters(epochs=3, width=8, batch_size=8)
    held_out = _split(6)
    _, logits = member.train(_split(16), held_out, 2, chosen, 3, reports.append)
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(held_out.labels)).item()
    assert loss == pytest.approx(reports[-1].held_out_loss, rel=1e-5)
    assert len(reports) == 3

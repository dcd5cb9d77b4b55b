"""How like the training pictures a picture is: from features to a place among the held-out images."""

from __future__ import annotations

import numpy as np
import pytest

from steps.train import likeness


def _features(count: int, seed: int) -> tuple[likeness.Array, likeness.Array]:
    """Features of two classes, each strong in a dimension of its own, and the labels."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    features = np.abs(generator.normal(0, 0.3, (count, 6)))
    features[np.arange(count), labels] += 4 + generator.normal(0, 0.5, count)
    return features, labels


def test_what_shows_little_of_any_class_or_another_mixture_is_less_alike() -> None:
    features, labels = _features(200, 1)
    towards = likeness.directions(features, labels, 2)
    own = likeness.of_features(_features(100, 2)[0], towards)
    weak = likeness.of_features(0.3 * features, towards)
    other = likeness.of_features(np.roll(features, 2, axis=1), towards)
    assert max(weak.max(), other.max()) < own.min()


def test_direction_of_a_class_does_not_depend_on_how_strong_its_pictures_are() -> None:
    features, labels = _features(200, 1)
    stronger = features * np.where(labels == 0, 5.0, 1.0)[:, None]
    np.testing.assert_allclose(
        likeness.directions(features, labels, 2), likeness.directions(stronger, labels, 2), atol=1e-12
    )


def test_members_are_brought_to_one_scale() -> None:
    features, labels = _features(200, 1)
    towards = likeness.directions(features, labels, 2)
    for scale in (0.1, 30.0):
        held_out = likeness.of_features(scale * features, likeness.scaled(towards, scale * features))
        assert held_out.std() == pytest.approx(1)


def test_one_held_out_image_has_no_spread_and_that_is_no_error() -> None:
    features, labels = _features(4, 1)
    towards = likeness.directions(features, labels, 2)
    assert np.isfinite(likeness.scaled(towards, features[:1])).all()


def test_held_out_images_of_all_members_lie_where_the_ensemble_puts_pictures() -> None:
    one, other = np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0])
    assert likeness.of_ensemble([one, other]).tolist() == [6, 7, 8, 6, 7, 8]


def test_percentiles_rise_from_the_least_to_the_most_alike() -> None:
    found = likeness.percentiles(np.random.default_rng(0).normal(size=160))
    assert len(found) == likeness.POINTS
    assert found == sorted(found)


def test_of_so_many_held_out_images_as_a_training_has_the_limit_keeps_the_share_that_it_stands_for() -> None:
    """Mean over drawn splits of 160: the usual percentiles would keep 94.4 of 100 pictures like them instead of 95."""
    generator = np.random.default_rng(3)
    kept = []
    for _ in range(2000):
        percentiles = likeness.percentiles(generator.random(160))
        kept.append(1 - np.interp(0.05, np.linspace(0, 1, len(percentiles)), percentiles))
    assert np.mean(kept) == pytest.approx(0.95, abs=0.0015)  # four standard errors: .0004 each

"""Augmentation: what each type does to an image, and how far."""

import colorsys

import pytest
import torch

from localcloud.programs.image_classification.augmentation import (
    centre_crop,
    shift_colours,
    training_batch,
    transform,
)


def noise(seed=0, height=12, width=12):
    return torch.randint(0, 256, (3, height, width), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def batch(kind, images, size=(8, 8), seed=1):
    return training_batch(images, kind, size, torch.Generator().manual_seed(seed))


def test_none_takes_the_centre():
    image = noise(height=13, width=12)
    assert torch.equal(batch("none", [image])[0], image[:, 2:10, 2:10].float())


def test_images_of_different_sizes_make_one_batch():
    images = [noise(height=9, width=14), noise(height=8, width=8)]
    assert batch("crop_color_transform", images).shape == (2, 3, 8, 8)


def test_crop_finds_every_place_and_mirrors_half():
    image = torch.arange(12 * 12).reshape(1, 12, 12).repeat(3, 1, 1).to(torch.uint8)
    crops = batch("crop", [image] * 600)[:, 0]
    mirrored = crops[:, 0, 0] > crops[:, 0, 1]
    assert 240 < int(mirrored.sum()) < 360
    straight = torch.where(mirrored[:, None, None], crops.flip(2), crops)
    assert {(int(crop[0, 0]) // 12, int(crop[0, 0]) % 12) for crop in straight} == {
        (top, left) for top in range(5) for left in range(5)
    }


def test_image_of_the_size_asked_for_is_only_mirrored():
    image = noise(height=8, width=8)
    for crop in batch("crop", [image] * 8):
        assert torch.equal(crop, image.float()) or torch.equal(crop, image.flip(2).float())


@pytest.mark.parametrize("kind", ["crop_color", "crop_color_transform"])
def test_values_stay_between_0_and_255(kind):
    crops = batch(kind, [noise(seed) for seed in range(64)])
    assert crops.dtype == torch.float32
    assert crops.min() >= -1e-3
    assert crops.max() <= 255.001


@pytest.mark.parametrize("kind", ["crop", "crop_color", "crop_color_transform"])
def test_same_generator_state_gives_the_same_batch_and_the_next_a_new_one(kind):
    images = [noise(seed) for seed in range(4)]
    assert torch.equal(batch(kind, images), batch(kind, images))
    assert not torch.equal(batch(kind, images, seed=1), batch(kind, images, seed=2))


def test_no_shift_leaves_the_colours():
    images = torch.stack([noise(seed) for seed in range(8)]).float()
    torch.testing.assert_close(shift_colours(images, torch.zeros(8, 3)), images, atol=0.01, rtol=0)


@pytest.mark.parametrize(
    "shift", [(20, 0, 0), (-30, 0, 0), (0, 40, 0), (0, -50, 0), (0, 0, 50), (0, 0, -50), (9, 9, 9)]
)
@pytest.mark.parametrize("colour", [(200, 30, 60), (10, 90, 250), (130, 120, 110), (255, 255, 0)])
def test_shift_is_one_in_hue_lightness_and_saturation(shift, colour):
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in colour))
    expected = colorsys.hls_to_rgb(
        min(max(hue * 180 + shift[0], 0), 180) / 180,
        min(max(lightness + shift[1] / 255, 0), 1),
        min(max(saturation + shift[2] / 255, 0), 1),
    )
    image = torch.tensor(colour).float()[None, :, None, None]
    shifted = shift_colours(image, torch.tensor([shift]).float())
    torch.testing.assert_close(shifted.flatten() / 255, torch.tensor(expected).float(), atol=1e-4, rtol=0)


def test_transform_keeps_size_and_centre_and_fills_with_white():
    image = torch.zeros(3, 33, 33, dtype=torch.uint8)
    image[:, 14:19, 14:19] = 80
    generator = torch.Generator().manual_seed(4)
    moved = [transform(image, generator) for _ in range(20)]
    assert all(picture.shape == image.shape for picture in moved)
    assert all(float(picture[0, 16, 16]) == pytest.approx(80, abs=1) for picture in moved)
    assert any(float(picture[0, 0, 0]) == pytest.approx(255, abs=1) for picture in moved)


def test_centre_of_odd_sizes():
    assert torch.equal(centre_crop(noise(height=11, width=8), (8, 8)), noise(height=11, width=8)[:, 1:9])

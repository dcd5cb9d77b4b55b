"""Training images made different every time, with the amplitudes of AWS's `augmentation_type`.

    none                  the centre of the image
    crop                  a random place and, half of the time, its mirror image
    crop_color            also hue ±36 (of 180), lightness and saturation ±50 (of 255), as one shift for the whole image
    crop_color_transform  also a rotation up to 10 degrees, shear up to 0.1, aspect ratio up to 0.25, before the crop

Source: SageMaker developer guide (IC-Hyperparameter); scales, clamping and the white border are OpenCV's and MXNet's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

HUE, LIGHTNESS, SATURATION = 36, 50, 50
ROTATION_DEGREES, SHEAR, ASPECT = 10.0, 0.1, 0.25
WHITE = 255.0


def training_batch(images: list[Tensor], kind: str, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Crops of `size` (height, width) of uint8 images [3, H, W]: float32 [N, 3, height, width] from 0 to 255."""
    if kind == "none":
        return torch.stack([centre_crop(image, size) for image in images]).float()
    if kind == "crop_color_transform":
        images = [transform(image, generator) for image in images]
    batch = torch.stack([_random_crop(image, size, generator) for image in images]).float()
    mirrored = torch.rand(len(batch), generator=generator) < 0.5
    batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
    if kind != "crop":
        amplitudes = torch.tensor([HUE, LIGHTNESS, SATURATION]).float()
        shifts = (torch.rand(len(batch), 3, generator=generator) * 2 - 1) * amplitudes
        batch = shift_colours(batch, shifts.trunc())
    return batch


def centre_crop(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle `size` (height, width) of an image [3, H, W] that is at least as large."""
    top, left = (image.shape[1] - size[0]) // 2, (image.shape[2] - size[1]) // 2
    return image[:, top : top + size[0], left : left + size[1]]


def _random_crop(image: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    free = (image.shape[1] - size[0], image.shape[2] - size[1])
    top, left = (int(torch.randint(room + 1, (1,), generator=generator)) for room in free)
    return image[:, top : top + size[0], left : left + size[1]]


def shift_colours(images: Tensor, shifts: Tensor) -> Tensor:
    """Add `shifts` [N, 3] (hue of 180, lightness of 255, saturation of 255) to images [N, 3, h, w] from 0 to 255.

    In hue-lightness-saturation space, each value held within its range, as OpenCV's 8-bit conversion scales them.
    """
    rgb = images / 255
    red, green, blue = rgb.unbind(1)
    most, least = rgb.amax(1), rgb.amin(1)
    spread = most - least
    safe = spread.clamp_min(1e-8)
    sector = torch.where(
        most == red,
        (green - blue) / safe,
        torch.where(most == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = torch.where(spread > 0, sector % 6 * 30, torch.zeros_like(sector))
    lightness = (most + least) / 2
    saturation = torch.where(
        spread > 0, spread / (1 - (2 * lightness - 1).abs()).clamp_min(1e-8), torch.zeros_like(spread)
    )

    moved = shifts[:, :, None, None]
    hue = (hue + moved[:, 0]).clamp(0, 180)
    lightness = (lightness + moved[:, 1] / 255).clamp(0, 1)
    saturation = (saturation + moved[:, 2] / 255).clamp(0, 1)

    chroma = saturation * torch.minimum(lightness, 1 - lightness)
    # Each channel is the same triangle wave of the hue, a third of the circle apart.
    phase = (hue / 15)[:, None] + torch.tensor([0.0, 8.0, 4.0])[None, :, None, None]
    phase = phase % 12
    wave = torch.minimum(phase - 3, 9 - phase).clamp(-1, 1)
    return (lightness[:, None] - chroma[:, None] * wave) * 255


def transform(image: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, shear and stretch one image [3, H, W] about its centre, at its own size; uncovered places are white."""
    rotation, shear, aspect = (torch.rand(3, generator=generator) * 2 - 1).tolist()
    angle = math.radians(rotation * ROTATION_DEGREES)
    ratio = 1 + aspect * ASPECT
    height_scale = 2 / (1 + ratio)
    width_scale = ratio * height_scale
    cos, sin = math.cos(angle), math.sin(angle)
    slant = shear * SHEAR
    height, width = image.shape[1:]
    # In pixels from the centre: stretch, shear, then rotate; grid_sample counts from -1 to 1 along each side.
    theta = torch.tensor(
        [
            [cos * width_scale, (cos * slant - sin) * height_scale * height / width, 0],
            [sin * width_scale * width / height, (sin * slant + cos) * height_scale, 0],
        ]
    )
    grid = functional.affine_grid(theta[None], [1, 3, height, width], align_corners=False)
    darkness = WHITE - image[None].float()  # outside, grid_sample gives 0: no darkness, so white
    return (WHITE - functional.grid_sample(darkness, grid, align_corners=False))[0]

"""Random changes to training pictures, drawn anew for every batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

ROTATION = math.radians(15)
SCALE = 0.2
ASPECT = 0.15
SHEAR = 0.1
SHIFT = 0.125  # share of the side: 4 of 32 pixels
BRIGHTNESS = 0.15
CONTRAST = 0.3
SATURATION = 0.3
CHANNEL = 0.1
GREY_SHARE = 0.1
HOLE = 0.25  # side of the erased square as a share of the picture's: 8 of 32 pixels


def augment(pictures: Tensor) -> Tensor:
    """Move, recolour and partly hide each picture of (N, 3, H, W), values in 0..1, at random (global generator)."""
    return hide_square(recolour(move(pictures)))


def move(pictures: Tensor) -> Tensor:
    """Rotate, scale, stretch, shear, shift and mirror; what comes into view reflects the picture."""
    count = len(pictures)
    angle, scale, aspect, shear = (_uniform(count, limit) for limit in (ROTATION, SCALE, ASPECT, SHEAR))
    mirror = torch.randint(0, 2, (count,)) * 2.0 - 1.0
    wide, high = scale.exp() * aspect.exp(), scale.exp() / aspect.exp()
    cosine, sine = angle.cos(), angle.sin()
    theta = torch.empty(count, 2, 3)
    theta[:, 0, 0] = mirror * wide * cosine
    theta[:, 0, 1] = wide * (shear * cosine - sine)
    theta[:, 1, 0] = mirror * high * sine
    theta[:, 1, 1] = high * (shear * sine + cosine)
    theta[:, :, 2] = _uniform((count, 2), 2 * SHIFT)  # the grid spans -1..1, two units
    grid = functional.affine_grid(theta.to(pictures.device), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def recolour(pictures: Tensor) -> Tensor:
    """Jitter brightness, contrast, saturation and each channel; turn some pictures grey."""
    count, device = len(pictures), pictures.device

    def jitter(limit: float, channels: int = 1) -> Tensor:
        return _uniform((count, channels, 1, 1), limit).to(device)

    grey = pictures.mean(dim=1, keepdim=True)
    saturation = torch.where(torch.rand(count, 1, 1, 1) < GREY_SHARE, 0.0, 1.0).to(device) * (1 + jitter(SATURATION))
    pictures = grey + (pictures - grey) * saturation
    level = grey.mean(dim=(2, 3), keepdim=True)
    pictures = level + (pictures - level) * (1 + jitter(CONTRAST))
    return pictures * (1 + jitter(CHANNEL, 3)) + jitter(BRIGHTNESS)


def hide_square(pictures: Tensor) -> Tensor:
    """Replace one square per picture, at a random place, by the picture's mean colour."""
    count, _, height, width = pictures.shape
    side = round(HOLE * min(height, width))
    top = torch.randint(0, height - side + 1, (count, 1, 1, 1))
    left = torch.randint(0, width - side + 1, (count, 1, 1, 1))
    rows, columns = torch.arange(height).view(1, 1, -1, 1), torch.arange(width).view(1, 1, 1, -1)
    inside = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    return torch.where(inside.to(pictures.device), pictures.mean(dim=(2, 3), keepdim=True), pictures)


def turn(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each square picture by 0 to 3 quarters at random; the turned pictures, and how many quarters (N,)."""
    quarters = torch.randint(0, 4, (len(pictures),))
    turned = pictures.clone()
    for quarter in (1, 2, 3):
        chosen = quarters == quarter
        turned[chosen] = pictures[chosen].rot90(quarter, (2, 3))
    return turned, quarters.to(pictures.device)


def _uniform(shape: int | tuple[int, ...], limit: float) -> Tensor:
    """Uniform values in -limit..limit."""
    return (torch.rand(shape) * 2 - 1) * limit

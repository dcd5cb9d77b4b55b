"""What AWS's built-in image-classification algorithm needs to be told: its learning-rate steps and its margin.

It trains on random crops and judges the middle of each validation picture, but answers with the whole picture, made as
small as a crop. So that all three are of one scale, it gets pictures with a margin, made smaller by the same factor:
its crops move by the margin, and the middle is the whole picture.
"""

from __future__ import annotations

from project.settings import Settings

SIDE = 32
"""Width and height of CIFAR's pictures, in pixels."""
MARGIN = 4
"""Pixels of margin on each side of those."""


def margin(image_size: int) -> int:
    """Pixels of margin on each side of pictures of that size."""
    return MARGIN * image_size // SIDE


def image_shape(settings: Settings) -> str:
    """Hyperparameter `image_shape`: the setting, or seven eighths of `image_size`, as its default is of 32."""
    if settings.image_size == SIDE or "image_shape" in settings.builtin.model_fields_set:
        return settings.builtin.image_shape
    crop = settings.image_size * 7 // 8
    return f"3,{crop},{crop}"


def learning_rate_steps(epochs: int) -> str:
    """The epochs at which the rate drops, at half and at three quarters of the training: "15,22" for 30."""
    return ",".join(str(step) for step in sorted({max(1, epochs // 2), max(1, epochs * 3 // 4)}))


def resized(image_shape: str) -> int:
    """The side, in pixels, at which a picture with its margin shows the picture as large as a crop of `image_shape`.

    `image_shape` is the hyperparameter: channels, height, width.
    """
    _, height, width = map(int, image_shape.split(","))
    return max(height, width) * (SIDE + 2 * MARGIN) // SIDE

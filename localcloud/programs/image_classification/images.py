"""Image bytes to pixels, the same way in training and in serving."""

from __future__ import annotations

import io

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG")
MOST_BYTES = (
    200_000_000  # while it is decoded; a 6 MiB body can unpack to gigabytes, and phones' pictures fit below this
)
LONGEST_SIDE = 30_000


class UnreadableImageError(Exception):
    """These bytes are not an image that the algorithm reads; the message says what they are instead."""


def decode_image(body: bytes) -> Image.Image:
    """The picture in `body`, a PNG or JPEG of any mode, as an RGB image.

    Transparency is dropped and not blended, 16-bit values keep their upper byte, the camera's orientation is applied:
    as OpenCV, which the container uses, reads colour images. Raises UnreadableImageError.
    """
    if not body:
        raise UnreadableImageError("the body is empty")
    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
        if _bytes_to_decode(image) > MOST_BYTES or max(image.size) > LONGEST_SIDE:
            raise UnreadableImageError(f"the image is {image.width}x{image.height} pixels, which are too many")
        image.load()
        upright: Image.Image = image
        ImageOps.exif_transpose(upright, in_place=True)
        if upright.mode.startswith("I"):  # 16-bit grey: Pillow would clip, not scale
            return Image.fromarray((np.asarray(upright).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
        if upright.mode == "P" and "transparency" in upright.info:
            upright = upright.convert("RGBA")  # Pillow warns about the direct way
        return upright if upright.mode == "RGB" else upright.convert("RGB")  # which would copy
    except UnidentifiedImageError:
        raise UnreadableImageError(f"{len(body)} bytes that are neither PNG nor JPEG") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(str(error)) from error
    except UnreadableImageError:
        raise
    except Exception as error:  # decoders raise anything on damaged bytes
        raise UnreadableImageError(f"damaged image: {str(error) or type(error).__name__}") from error


def _bytes_to_decode(picture: Image.Image) -> int:
    """Memory that decoding takes: Pillow keeps three channels in four bytes; RGB and what is turned upright are copies.

    A progressive JPEG is read whole before it is decoded.
    """
    each = 4 if picture.mode == "RGB" else 9
    if picture.format == "JPEG":  # of a PNG, Pillow would decode the picture to tell
        each += 4 if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1 else 0
    each += 6 if picture.info.get("progressive") else 0
    return picture.width * picture.height * each


def pixels(image: Image.Image) -> np.ndarray:
    """An RGB image as uint8 [3, height, width]."""
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


def resize_shortest_side(image: Image.Image, size: int) -> Image.Image:
    """The image with its shorter side `size` pixels long, its proportions kept."""
    scale = size / min(image.size)
    sides = (max(size, round(image.width * scale)), max(size, round(image.height * scale)))
    return image if sides == image.size else image.resize(sides, Image.Resampling.BILINEAR)


def resize_to(image: Image.Image, height: int, width: int) -> Image.Image:
    """The image at exactly this size, its proportions ignored: what the container does before a prediction."""
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BILINEAR)

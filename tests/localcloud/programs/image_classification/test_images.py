"""Which bytes are an image, and what pixels come of them."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from localcloud.programs.image_classification.images import (
    UnreadableImageError,
    decode_image,
    pixels,
    resize_shortest_side,
    resize_to,
)

RGB = np.random.default_rng(2).integers(0, 256, (6, 5, 3), dtype=np.uint8)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_png_comes_back_as_it_was():
    np.testing.assert_array_equal(pixels(decode_image(encoded(Image.fromarray(RGB)))), RGB.transpose(2, 0, 1))


def test_transparency_is_dropped_and_not_blended():
    alpha = np.full((6, 5, 1), 10, np.uint8)
    image = Image.fromarray(np.concatenate([RGB, alpha], axis=2))
    np.testing.assert_array_equal(np.asarray(decode_image(encoded(image))), RGB)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode_is_read(mode):
    assert decode_image(encoded(Image.fromarray(RGB).convert(mode))).mode == "RGB"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_mode_is_read(mode):
    assert decode_image(encoded(Image.fromarray(RGB).convert(mode), "JPEG")).size == (5, 6)


def test_palette_with_transparent_colours_is_read():
    image = Image.fromarray(RGB).convert("P")
    assert decode_image(encoded(image, transparency=bytes([0, 128, 255]))).mode == "RGB"


def test_sixteen_bit_grey_keeps_its_upper_byte():
    image = Image.fromarray(np.array([[0, 256, 65535]], dtype=np.uint16))
    assert np.asarray(decode_image(encoded(image)))[0, :, 0].tolist() == [0, 1, 255]


def test_cameras_orientation_is_applied():
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    assert decode_image(encoded(image, "JPEG", exif=exif)).size == (6, 5)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        encoded(Image.fromarray(RGB), "GIF"),
        encoded(Image.fromarray(RGB), "WEBP"),
        encoded(Image.fromarray(RGB))[:-30],
        encoded(Image.fromarray(RGB), "JPEG")[:200],
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_not_a_whole_png_or_jpeg_is_refused(body):
    with pytest.raises(UnreadableImageError):
        decode_image(body)


def test_decompression_bomb_is_refused_before_it_unpacks():
    body = encoded(Image.new("1", (9_000, 9_000)))
    assert len(body) < 20_000
    with pytest.raises(UnreadableImageError, match="9000x9000"):
        decode_image(body)


def test_bomb_that_pillow_itself_notices_is_refused():
    with pytest.raises(UnreadableImageError, match="exceeds limit"):
        decode_image(encoded(Image.new("1", (20_000, 10_000))))


@pytest.mark.filterwarnings("ignore")  # Pillow warns about odd metadata in files that it can read
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damage_anywhere_gives_an_image_or_a_refusal(kind):
    body = encoded(Image.fromarray(RGB), kind)
    chance = random.Random(8)
    for _ in range(400):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            assert decode_image(bytes(damaged)).mode == "RGB"
        except UnreadableImageError as error:
            assert str(error)


def test_resizing_for_training_keeps_proportions():
    assert resize_shortest_side(Image.new("RGB", (60, 40)), 20).size == (30, 20)


def test_resizing_for_a_prediction_does_not():
    assert resize_to(Image.new("RGB", (60, 40)), 28, 24).size == (24, 28)

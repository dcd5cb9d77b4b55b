"""Every picture a phone makes comes out as the model's; what is no picture is refused before it is decoded."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lambda_support import picture
from PIL import Image, ImageCms, PngImagePlugin

from lambdas.outcomes import BadInputError
from lambdas.serialize_image import picture as module
from lambdas.serialize_image.picture import normalised

SIZE = (32, 32)
MODES = ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"]


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def assert_is_the_models(png: bytes) -> Image.Image:
    image = opened(png)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", SIZE)
    assert not image.info
    assert len(png) < 4096
    return image


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_png_becomes_rgb(mode: str) -> None:
    assert_is_the_models(normalised(picture(mode), SIZE))


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "WEBP"), ("RGBA", "WEBP")]
)
def test_jpeg_and_webp_of_any_mode_become_rgb(mode: str, kind: str) -> None:
    assert_is_the_models(normalised(picture(mode, (640, 480), kind), SIZE))


@pytest.mark.parametrize("size", [(8, 8), (31, 31), (33, 33), (4032, 3024), (20, 2000)])
def test_any_size_becomes_the_models(size: tuple[int, int]) -> None:
    assert_is_the_models(normalised(picture(size=size, kind="JPEG"), SIZE))


def test_a_picture_of_the_models_shape_keeps_its_pixels() -> None:
    original = picture()
    assert opened(normalised(original, SIZE)).tobytes() == opened(original).tobytes()


def test_equal_pictures_give_equal_bytes() -> None:
    assert normalised(picture(), SIZE) == normalised(picture(), SIZE)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    eight, sixteen = opened(normalised(picture("L"), SIZE)), opened(normalised(picture("I;16"), SIZE))
    assert eight.tobytes() == sixteen.tobytes()


def test_what_is_clear_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", SIZE, (200, 0, 0, 0)).save(out, "PNG")
    assert assert_is_the_models(normalised(out.getvalue(), SIZE)).getpixel((5, 5)) == (255, 255, 255)


def test_a_palette_with_a_clear_colour_becomes_white_there() -> None:
    out = io.BytesIO()
    image = Image.new("P", SIZE, 3)
    image.putpalette([0, 0, 0] * 8)
    image.save(out, "PNG", transparency=3)
    assert assert_is_the_models(normalised(out.getvalue(), SIZE)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (31, 31)), (6, (31, 0)), (8, (0, 31))])
def test_exif_rotation_is_applied(orientation: int, corner: tuple[int, int]) -> None:
    """A red corner, top left in the file, is where the phone says that it is."""
    image = Image.new("RGB", SIZE, "black")
    image.paste("red", (0, 0, 4, 4))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "PNG", exif=exif)
    assert assert_is_the_models(normalised(out.getvalue(), SIZE)).getpixel(corner) == (255, 0, 0)


def test_an_icc_profile_is_left_behind() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert_is_the_models(normalised(picture(size=(64, 64), kind="JPEG", icc_profile=profile), SIZE))


def test_an_interlaced_png_is_read() -> None:
    """Adam7 of a 1-bit 8x8 picture, written by hand: Pillow cannot write one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    passes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]
    rows = b"".join((b"\0" + b"\xff") * height for _, height in passes)
    header = struct.pack(">IIBBBBB", 8, 8, 1, 0, 0, 0, 1)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert assert_is_the_models(normalised(png, SIZE)).getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation_counts(kind: str) -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", SIZE, colour) for colour in ("lime", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], lossless=True)
    assert assert_is_the_models(normalised(out.getvalue(), SIZE)).getpixel((3, 3)) == (0, 255, 0)


def test_a_phones_jpeg_with_a_second_picture_is_read() -> None:
    out = io.BytesIO()
    main = Image.new("RGB", (64, 64), "navy")
    main.save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64), "white")])
    assert_is_the_models(normalised(out.getvalue(), SIZE))


@pytest.mark.parametrize("colour", ["black", "white"])
def test_a_picture_of_one_colour_is_a_picture(colour: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(out, "PNG")
    assert_is_the_models(normalised(out.getvalue(), SIZE))


def test_bytes_after_the_picture_do_no_harm() -> None:
    assert_is_the_models(normalised(picture() + b"trailing garbage", SIZE))


def other(kind: str) -> bytes:
    return picture("RGB", SIZE, kind)


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 10,000 x 10,000 pixels."""
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    png = picture()
    return png[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + png[33:]


REFUSED = {
    "zero bytes": (b"", "no bytes"),
    "text": (b"not a picture at all", "not a picture"),
    "html": (b"<html><body>404</body></html>", "markup"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "markup"),
    "pdf": (b"%PDF-1.7\n", "a PDF"),
    "gif": (other("GIF"), "a GIF"),
    "bmp": (other("BMP"), "a BMP"),
    "tiff": (other("TIFF"), "a TIFF"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 32, "HEIC"),
    "1x1": (picture(size=(1, 1)), "shorter side"),
    "32x1": (picture(size=(32, 1)), "shorter side"),
    "bomb": (bomb(), "10000x10000"),
    "truncated PNG": (picture(size=(200, 200))[:400], "damaged"),
    "truncated JPEG": (picture(size=(200, 200), kind="JPEG")[:600], "damaged"),
    "truncated WebP": (picture(size=(200, 200), kind="WEBP")[:60], ""),
    "PNG header only": (picture()[:8], ""),
    "wrong checksum": (picture()[:45] + b"\xff" + picture()[46:], "damaged"),
}


@pytest.mark.parametrize("case", REFUSED, ids=REFUSED)
def test_what_is_no_usable_picture_is_refused_with_the_reason(case: str) -> None:
    data, reason = REFUSED[case]
    with pytest.raises(BadInputError) as refused:
        normalised(data, SIZE)
    assert refused.value.error == "ImageRefused"
    assert reason in refused.value.problem


def test_a_bomb_is_refused_without_decoding_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bomb()
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(BadInputError, match="too many"):
        normalised(data, SIZE)


def test_too_many_bytes_are_refused_before_reading_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(BadInputError, match="the limit is 100"):
        normalised(picture(), SIZE)


def test_a_shape_that_would_not_fit_a_state_is_refused() -> None:
    noise = Image.effect_noise((600, 600), 120).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    with pytest.raises(BadInputError, match="the workflow carries"):
        normalised(out.getvalue(), (600, 600))


@settings(max_examples=60)
@given(st.data())
def test_damaged_pictures_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from([picture(), picture(kind="JPEG"), picture(kind="WEBP"), picture("P")]))
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert_is_the_models(normalised(bytes(damaged), SIZE))
    except BadInputError as refused:
        assert refused.error == "ImageRefused"

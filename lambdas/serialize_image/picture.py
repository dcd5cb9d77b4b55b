"""Any picture a phone makes, brought to the model's shape: an 8-bit RGB PNG of a fixed size.

Size and format are judged from the header, before a single pixel is decoded. The aspect ratio is not kept: the
training images were squeezed to squares in the same way, and so does the algorithm's own container.

ExtractCifar brings people's own photographs to the model's shape with this module too: it travels into that job, so it
needs nothing but Pillow.
"""

from __future__ import annotations

import io
import warnings

from PIL import (
    ExifTags,
    Image,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401 - registers WebP, which Pillow otherwise looks for only among all its formats
)

from lambdas.outcomes import BadInputError

MAX_BYTES = 25_000_000
MAX_DECODED = 200_000_000  # bytes in memory; an RGB JPEG of 50 million pixels, the largest sensors of common phones
LONGEST_SIDE = 30_000  # panoramas are shorter, and scaling takes time with each side
MAX_CHUNKS = 10_000  # of a PNG, whose reader is slow with each; 25 MB in chunks of the usual 8 KB have 3,000
STRIP_PIXELS = 1_000_000  # of a large picture that are made RGB at a time
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of that EXIF orientation upright; ImageOps.exif_transpose would copy all its pixels."""
STRAIGHT = {Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM}
MIN_SIDE = 8
HEIF = "HEIF"
FORMATS = ("PNG", "JPEG", "WEBP")  # JPEG includes those of phones with a second picture in them (a gain map)
# A state of 262,144 bytes must hold the picture in base64 beside everything else.
MAX_NORMALISED_BYTES = 140_000
OTHER_FORMATS = (
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"<", "HTML, SVG or other markup"),
)


def normalised(data: bytes, size: tuple[int, int], formats: tuple[str, ...] = FORMATS) -> bytes:
    """The picture in `data` as PNG bytes, RGB, `size` = (width, height) pixels; equal input gives equal bytes.

    `formats`: those that may be opened. The workflow's functions have no decoder for HEIF; who adds it must have one.

    Raises:
        BadInputError: ImageRefused, with the reason: empty, too large, another format, a decompression bomb, damaged.
    """
    _check_content(data, formats)
    try:
        with warnings.catch_warnings():
            # Pillow's own warnings (a broken EXIF tag, many pixels) say nothing that the checks here do not decide.
            warnings.simplefilter("ignore")
            picture = _opened(data, formats)
            _check_dimensions(picture)
            if picture.format == "PNG":
                picture.verify()  # checks every checksum, which decoding does not; the object is spent afterwards
                picture = _opened(data, formats)
            turn = UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
            picture.draft("RGB", (size[0] * 4, size[1] * 4))  # lets a JPEG decode at a fraction of its size
            if picture.format == HEIF:
                picture.load()
                _check_dimensions(picture)  # its decoder may find another size than the header says
            across = size if turn is None or turn in STRAIGHT else (size[1], size[0])
            rgb = _resized(picture, across)
            rgb = rgb if turn is None else rgb.transpose(turn)
    except UnidentifiedImageError:
        raise _refused(f"{_guess(data)}; send PNG, JPEG or WebP") from None
    except Image.DecompressionBombError:
        raise _refused("far too many pixels") from None
    except BadInputError:
        raise
    except Exception as error:  # decoders raise anything on damaged bytes, and one picture must cost only itself
        raise _refused(f"damaged or cut off: {str(error) or type(error).__name__}") from None
    out = io.BytesIO()
    Image.frombytes("RGB", size, rgb.tobytes()).save(out, "PNG", optimize=False)  # leaves EXIF and ICC behind
    if out.tell() > MAX_NORMALISED_BYTES:
        raise _refused(f"{out.tell()} bytes at {size[0]}x{size[1]}; the workflow carries {MAX_NORMALISED_BYTES}")
    return out.getvalue()


def check_length(length: int) -> None:
    """Refuse by the length that S3 or the file system reports, before anything is read.

    Raises:
        BadInputError: ImageRefused: no bytes, or more than a phone's picture has.
    """
    if length == 0:
        raise _refused("no bytes")
    if length > MAX_BYTES:
        raise _refused(f"{length} bytes; the limit is {MAX_BYTES}")


def is_heic(data: bytes) -> bool:
    """Whether these are the first bytes of a HEIC (or another HEIF) picture, whatever it is called."""
    return data[4:8] == b"ftyp" and data[8:11] in {b"hei", b"hev", b"mif", b"msf"}


def _check_content(data: bytes, formats: tuple[str, ...]) -> None:
    check_length(len(data))
    at, chunks = 8, 0
    while data.startswith(b"\x89PNG\r\n\x1a\n") and at < len(data):
        at, chunks = at + 12 + int.from_bytes(data[at : at + 4]), chunks + 1
        if chunks > MAX_CHUNKS:
            raise _refused(f"a PNG of more than {MAX_CHUNKS} chunks")
    if is_heic(data) and HEIF not in formats:
        raise _refused("HEIC; set the phone to its most compatible format, or export a JPEG")


def _opened(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=formats)


def _check_dimensions(picture: Image.Image) -> None:
    width, height = picture.size
    if _bytes_to_decode(picture) > MAX_DECODED or max(width, height) > LONGEST_SIDE:
        raise _refused(f"{width}x{height} pixels are too many")
    if min(width, height) < MIN_SIDE:
        raise _refused(f"{width}x{height} pixels; the shorter side needs at least {MIN_SIDE}")


def _bytes_to_decode(picture: Image.Image) -> int:
    """Memory that decoding takes: Pillow keeps three channels in four bytes, and makes RGB of what is not.

    A progressive JPEG is read whole before it is decoded, and WebP and HEIF have their decoder's own.
    """
    each = 4 if picture.mode == "RGB" else 8
    each += 6 if picture.info.get("progressive") else 0
    each += {"WEBP": 4, HEIF: 8}.get(picture.format or "", 0)
    return picture.width * picture.height * each


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture as RGB of that size, as `resize(reducing_gap=3)` makes it, without a second copy of a large one."""
    across, down = (max(1, int(side / wanted / 3)) for side, wanted in zip(picture.size, size, strict=True))
    if across == down == 1:
        whole = _rgb(picture)
        return whole if whole.size == size else whole.resize(size, Image.Resampling.LANCZOS)
    width, height = picture.size
    small = Image.new("RGB", (-(-width // across), -(-height // down)))
    step = max(1, STRIP_PIXELS // width // down) * down
    for top in range(0, height, step):
        strip = _rgb(picture.crop((0, top, width, min(height, top + step))))
        small.paste(strip.reduce((across, down)), (0, top // down))
    return small.resize(size, Image.Resampling.LANCZOS, box=(0, 0, width / across, height / down))


def _rgb(picture: Image.Image) -> Image.Image:
    """Eight bits per channel, no transparency: 16-bit grey is scaled, not clipped, and what is clear becomes white."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")


def _guess(data: bytes) -> str:
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((name for magic, name in OTHER_FORMATS if head.startswith(magic)), "not a picture")


def _refused(reason: str) -> BadInputError:
    return BadInputError("ImageRefused", f"The picture cannot be used: {reason}.")

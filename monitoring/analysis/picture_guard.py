"""What a picture would cost to decode, judged from its header: a megabyte can unpack to gigabytes, or into hours."""

from __future__ import annotations

from PIL import Image

MOST_BYTES = 200_000_000
"""Of memory while it is decoded: the RGB JPEG of a phone with 50 million pixels."""
LONGEST_SIDE = 30_000
"""Pixels: scaling takes time with each side, and panoramas are shorter."""
MOST_CHUNKS = 10_000
"""Of a PNG, whose reader is slow with each; 25 MB in chunks of the usual 8 KB have 3,000."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def refuse_costly(picture: Image.Image) -> None:
    """`picture` is what Pillow has opened and not decoded.

    Raises:
        ValueError: too many pixels, or too long a side, for what it is.
    """
    width, height = picture.size
    if width * height * _bytes_per_pixel(picture) > MOST_BYTES or max(width, height) > LONGEST_SIDE:
        raise ValueError(f"{width}x{height} pixels are too many to decode")


def refuse_crumbs(data: bytes) -> None:
    """Before Pillow opens it.

    Raises:
        ValueError: a PNG of very many chunks.
    """
    at, chunks = len(_SIGNATURE), 0
    while data.startswith(_SIGNATURE) and at < len(data):
        at += 12 + int.from_bytes(data[at : at + 4])
        chunks += 1
        if chunks > MOST_CHUNKS:
            raise ValueError(f"a PNG of more than {MOST_CHUNKS} chunks")


def _bytes_per_pixel(picture: Image.Image) -> int:
    """Pillow keeps three channels in four bytes, and what is not RGB has its own beside the RGB made of it."""
    cost = 4 if picture.mode == "RGB" else 8
    if picture.format == "WEBP":
        cost += 4  # its decoder's own
    if picture.info.get("progressive"):
        cost += 6  # a progressive JPEG is read whole before it is decoded
    return cost

"""From `image_data` to the bytes the model reads: raw bytes on the wire, base64 only inside JSON."""

from __future__ import annotations

import base64
import binascii
import re

from lambdas.outcomes import BadInputError

CONTENT_TYPES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
MAX_CHARACTERS = 262_144  # what a state machine's state can hold in the first place
DATA_URI = re.compile(r"data:[\w.+/-]*(;[\w=.-]+)*;base64,", re.ASCII)


def decoded(image_data: str) -> tuple[bytes, str]:
    """The picture's bytes and their content type, image/png or image/jpeg.

    A data-URI prefix, white space, line breaks, the URL-safe alphabet and missing padding are forgiven.

    Raises:
        BadInputError: ImageDataRefused: not base64, encoded twice, or not a PNG or JPEG.
    """
    if len(image_data) > MAX_CHARACTERS:
        raise _refused(f"{len(image_data)} characters; the limit is {MAX_CHARACTERS}")
    if re.match(r"b['\"]", image_data):
        raise _refused("the text of a Python bytes object (b'...'); decode the base64 to text before sending it")
    characters = re.sub(r"\s+", "", DATA_URI.sub("", image_data.strip(), count=1))
    data = _from_base64(characters)
    for magic, content_type in CONTENT_TYPES:
        if data.startswith(magic):
            return data, content_type
    if _is_base64_of_picture(data):
        raise _refused("base64 of base64; encode the picture once")
    raise _refused("base64, but not of a PNG or JPEG")


def _from_base64(characters: str) -> bytes:
    if not characters:
        raise _refused("empty")
    standard = characters.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _refused("not base64") from None


def _is_base64_of_picture(data: bytes) -> bool:
    try:
        inner = base64.b64decode(data[:16], validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(inner.startswith(magic) for magic, _ in CONTENT_TYPES)


def _refused(found: str) -> BadInputError:
    return BadInputError("ImageDataRefused", f"`image_data` cannot be used: it is {found}.")

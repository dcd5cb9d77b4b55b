"""People's own photographs, decoded and brought to the model's shape by the code that serving uses."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lambdas.outcomes import BadInputError
from lambdas.serialize_image.picture import FORMATS, is_heic, normalised
from project.errors import DataError
from steps import heic, near_duplicates
from steps.picture_list import FOLDER, Listed

UNREADABLE_TOLERATED = 0.05
"""Greatest share of pictures that cannot be used, before the step fails: more are no accident."""
NAMED = 100
"""Most pictures that are named in the log."""
NOT_USED = "The picture cannot be used: "
"""How the refusals of `normalised` begin."""
EXIF, MAKE, MODEL, TAKEN = 0x8769, 0x010F, 0x0110, 0x9003
"""Tags of EXIF 2.32: the folder of the photograph's own tags, the camera, and DateTimeOriginal in that folder."""


@dataclass(frozen=True)
class Photograph:
    """A picture of the model's shape, and what is known of the photograph that it was.

    `png`: 8-bit RGB; `pixels_sha256`: of its pixels, as images.csv has it; `grey`: float (32, 32), what
    near-duplicates are found by; `side`: the photograph's shorter side in pixels; `taken`: the camera and its clock.
    """

    listed: Listed
    png: bytes
    pixels_sha256: str
    grey: NDArray[np.float64]
    side: int
    taken: tuple[str, datetime] | None


def read_all(
    folder: Path, listed: Iterable[Listed], side: int, fix: str = "Start again with --pictures."
) -> tuple[list[Photograph], dict[str, str]]:
    """Every picture that can be used, and why the others cannot, by name.

    Raises:
        DataError: a picture is missing, or is not the one that was listed.
    """
    found, refused = [], {}
    for one in listed:
        data = _content(folder, one, fix)
        try:
            found.append(_heic(data, one, side) if is_heic(data) else photograph(data, one, side))
        except BadInputError as error:
            refused[one.name] = _reason(error)
    return found, refused


def _reason(error: BadInputError) -> str:
    return error.problem.removeprefix(NOT_USED)


def _heic(data: bytes, listed: Listed, side: int) -> Photograph:
    found = heic.in_own_process(_photograph_or_reason, data, listed, side)
    if isinstance(found, str):
        raise BadInputError("ImageRefused", f"{NOT_USED}{found}")
    return found


def _photograph_or_reason(data: bytes, listed: Listed, side: int) -> Photograph | str:
    try:
        return photograph(data, listed, side, (heic.FORMAT,))
    except BadInputError as error:
        return _reason(error)


def photograph(data: bytes, listed: Listed, side: int, formats: tuple[str, ...] = FORMATS) -> Photograph:
    """The picture in `data`, `side` pixels wide and high.

    Raises:
        BadInputError: serving would refuse it, with the same reason.
    """
    png = normalised(data, (side, side), formats)
    with Image.open(io.BytesIO(png)) as small:
        pixels, grey = small.tobytes(), near_duplicates.grey_levels(small)
    with Image.open(io.BytesIO(data), formats=formats) as original:
        shorter, taken = min(original.size), _taken(original)
    return Photograph(listed, png, hashlib.sha256(pixels).hexdigest(), grey, shorter, taken)


def refuse_too_many(refused: dict[str, str], total: int) -> None:
    """Name every picture that cannot be used.

    Raises:
        DataError: they are more than UNREADABLE_TOLERATED of all.
    """
    for name, reason in list(refused.items())[:NAMED]:
        print(f"Left out {name!r}: {reason}", flush=True)
    if len(refused) > UNREADABLE_TOLERATED * total:
        name, reason = next(iter(refused.items()))
        raise DataError(
            f"{len(refused)} of {total} pictures cannot be used, such as {name!r}: {reason}",
            f"At most {UNREADABLE_TOLERATED:.0%} may be so: mend them or take them out; the log names them.",
        )


def _content(folder: Path, listed: Listed, fix: str) -> bytes:
    try:
        data = (folder / FOLDER / listed.sha256).read_bytes()
    except OSError as error:
        raise DataError(f"{listed.name!r}: {error.strerror} in the input.", fix) from None
    if hashlib.sha256(data).hexdigest() != listed.sha256:
        raise DataError(f"{listed.name!r}: other bytes than were uploaded.", fix)
    return data


def _taken(picture: Image.Image) -> tuple[str, datetime] | None:
    """By which camera and when, if the picture says so. Cameras write anything: what cannot be read is unknown."""
    with contextlib.suppress(Exception):
        exif = picture.getexif()
        moment = datetime.strptime(str(exif.get_ifd(EXIF)[TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return f"{exif.get(MAKE, '')} {exif.get(MODEL, '')}", moment
    return None

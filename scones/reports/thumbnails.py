"""Small PNGs of captured pictures, for pages."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from monitoring.analysis.features import FORMATS
from monitoring.analysis.picture_guard import refuse_costly, refuse_crumbs

SIDE = 96


def thumbnail(data: bytes, side: int = SIDE) -> bytes:
    """The picture in `data` as an RGB PNG of at most `side` pixels a side; a smaller one keeps its size.

    Raises:
        ValueError: it cannot be decoded, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a broken EXIF tag and the like do not matter here
            refuse_crumbs(data)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            refuse_costly(picture)
            picture.load()
            shown = picture if picture.mode == "RGB" else picture.convert("RGB")  # which would copy
            shown.thumbnail((side, side))
    except UnidentifiedImageError:
        raise ValueError("not a picture") from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise ValueError(str(error) or type(error).__name__) from None
    file = io.BytesIO()
    shown.save(file, "PNG", optimize=True)
    return file.getvalue()

"""Captured pictures, large enough to be looked at."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from PIL import Image, UnidentifiedImageError

from monitoring.analysis.features import FORMATS
from monitoring.analysis.picture_guard import refuse_costly, refuse_crumbs
from monitoring.measures.rounding import beside
from scones.desk.data.objects import body
from scones.desk.desk import OperationsDesk
from scones.desk.wording import clock, plain

SIDE = 256
"""Pixels of the longer side on the page; small pictures are enlarged by whole pixels, not smoothed."""
MOST_KEPT = 512
Files = Sequence[str] | Mapping[int, str]
"""Keys of capture files by the number that a record has for its own."""


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _fetch(_desk: OperationsDesk, key: str, offset: int, length: int) -> bytes:
    return enlarged(_desk.feed.picture(key, offset, length))


def enlarged(content: bytes) -> bytes:
    """The picture as a PNG whose longer side is about SIDE pixels.

    Raises:
        ValueError: it is no picture that can be shown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own say nothing that is not decided here
            refuse_crumbs(content)
            picture: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
            refuse_costly(picture)
            picture.load()
            picture = picture if picture.mode == "RGB" else picture.convert("RGB")  # which would copy
    except UnidentifiedImageError:
        raise ValueError("what was sent is no PNG, JPEG or WebP") from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise ValueError(f"what was sent cannot be shown: {str(error) or type(error).__name__}") from None
    longest = max(picture.size)
    if longest <= SIDE:
        factor = max(1, SIDE // longest)
        picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    else:
        picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def content(desk: OperationsDesk, files: Files, record: Any) -> bytes | None:
    """What `shown` shows of the record, or None when it has no picture."""
    try:
        found: bytes = _fetch(desk, files[record["file"]], int(record["offset"]), int(record["length"]))
    except ValueError:
        return None
    return found


def shown(desk: OperationsDesk, files: Files, record: Any, alt: str, width: int | str = "stretch") -> None:
    """The record's picture, or in its place why there is none; the record counts into `files`."""
    try:
        content = _fetch(desk, files[record["file"]], int(record["offset"]), int(record["length"]))
    except ValueError as error:
        st.caption(f":material/hide_image: No picture: {plain(str(error))}.")
        return
    _show(content, alt, width)


def shown_object(bucket: str, key: str, alt: str) -> None:
    """The picture that an object in S3 is, or in its place why there is none."""
    try:
        content = _fetch_object(bucket, key)
    except ValueError as error:
        st.caption(f":material/hide_image: No picture: {plain(str(error))}.")
        return
    _show(content, alt)


def _show(content: bytes, alt: str, width: int | str = "stretch") -> None:
    st.image(content, width=width, alt=alt, output_format="PNG")  # as it is: a JPEG is made anew at each look


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _fetch_object(bucket: str, key: str) -> bytes:
    content = body(bucket, key)
    if content is None:
        raise ValueError("the object is gone")
    return enlarged(content)


def described(desk: OperationsDesk, record: Any, threshold: float = 0.0) -> str:
    """What the model made of it, in a few words; beside a threshold, so that rounding does not contradict it."""
    return f"{desk.classes[record['predicted']]} {beside(float(record['confidence']), threshold, 3)}"


def record_card(desk: OperationsDesk, files: Files, record: Any, threshold: float, unfamiliarity: float = 1.0) -> None:
    """One record with its picture, and whether it meets the two limits."""
    with st.container(border=True, horizontal=True, key="record-card"):
        with st.container(width=SIDE):
            shown(desk, files, record, f"Captured picture, called {described(desk, record)}")
        verdict = "passes" if record["confidence"] >= threshold else "is below the threshold"
        if record["unfamiliarity"] > unfamiliarity:
            of_it = f"unfamiliar ({beside(float(record['unfamiliarity']), unfamiliarity, 2)}, limit {unfamiliarity:g})"
            verdict = f"is sure enough but {of_it}" if verdict == "passes" else f"{verdict} and {of_it}"
        with st.container(width="stretch"):
            st.markdown(
                f"**{described(desk, record, threshold)}**, {verdict}  \n"
                f"{clock(datetime.fromtimestamp(int(record['time']), UTC))}  \n"
                f"event {_identifier(record['event'])}  \n"
                + (f"inference id {_identifier(record['inference'])}  \n" if record["inference"] else "")
                + plain(files[record["file"]])
            )


def _identifier(name: bytes) -> str:
    return plain(name.decode("utf-8", "replace"))

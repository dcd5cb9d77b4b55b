"""`reviewed.json`: delivered pictures that people labelled, each under the SHA-256 of its bytes, and where from.

`scones monitor publish` uploads it last, into a folder that is named by the first digits of its own SHA-256: a set of
reviewed deliveries never changes, and the pipeline's parameter ReviewedPictures, the folder's address, says all of it.

    {"classes": [...], "pictures": [{"sha256", "label", "agreement", "votes", "answers"}, …]}
    pictures/<sha256>   each picture as the endpoint got it

A label is a class's name, or null for a picture of none of them ("neither").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from project import json_text
from project.errors import DataError
from steps.picture_list import SHA256

FILE = "reviewed.json"
DIGITS = 16
"""Of the list's SHA-256 in the folder's name."""


@dataclass(frozen=True, order=True)
class Vote:
    """What one person said last of a picture: `at` is ISO 8601 in UTC, `label` None for neither."""

    at: str
    by: str
    label: str | None


@dataclass(frozen=True, order=True)
class Answer:
    """What the endpoint answered: `event` is the record's inference id, or else its event id.

    Attributes:
        version: of the model that was live then; None where that is not known any more.
        probabilities: in the order of the classes.
    """

    at: str
    event: str
    version: int | None
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Reviewed:
    """A picture: its label by majority, `agreement` (the share of the voters who said so), votes and answers."""

    sha256: str
    label: str | None
    agreement: float
    votes: tuple[Vote, ...]
    answers: tuple[Answer, ...]

    @property
    def delivered(self) -> str:
        """When it was answered first, which never changes; "" if no answer is known."""
        return min((answer.at for answer in self.answers), default="")


def encoded(classes: Sequence[str], pictures: Sequence[Reviewed]) -> bytes:
    """The file's bytes: the same for the same pictures, in whatever order they are given."""
    rows = [asdict(one) for one in sorted(pictures, key=lambda one: one.sha256)]
    return json.dumps({"classes": list(classes), "pictures": rows}, ensure_ascii=True, indent=0).encode("ascii")


def digest(content: bytes) -> str:
    """What the folder of a list with this content is called."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def read(folder: Path, address: str, classes: Sequence[str]) -> list[Reviewed]:
    """The list in `folder`, which came from `address`: what that ends with is compared before anything else.

    Raises:
        DataError: there is no list; its checksum is another one; it is no such list, or one of other classes.
    """
    try:
        content = (folder / FILE).read_bytes()
    except OSError:
        raise DataError(f"{address}: there is no {FILE}.", "Publish a set: scones start --reviewed.") from None
    name = address.rstrip("/").rpartition("/")[2]
    if digest(content) != name:
        fix = "Publish the set again: scones start --reviewed."
        raise DataError(f"{address}: its {FILE} has the checksum {digest(content)}, not {name}.", fix)
    return parsed(content, address, classes)


def parsed(content: bytes, place: str, classes: Sequence[str]) -> list[Reviewed]:
    """The pictures in a list's bytes.

    Raises:
        DataError: it is no such list, or its pictures are of other classes.
    """
    fix = "Publish the set again: scones start --reviewed."
    try:
        values = json_text.parsed(content)
        known = [str(name) for name in values["classes"]]
        found = [_picture(row) for row in values["pictures"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{place}: {FILE} is no list of reviewed pictures: {error!r}.", fix) from None
    if known != list(classes):
        raise DataError(f"{place}: its pictures are {', '.join(known)}; the pipeline has {', '.join(classes)}.", fix)
    for one in found:
        if not SHA256.fullmatch(one.sha256):  # it becomes a file's name
            raise DataError(f"{place}: {FILE} has a picture without SHA-256: {one.sha256!r:.40}.", fix)
        if one.label is not None and one.label not in classes:
            raise DataError(f"{place}: picture {one.sha256[:12]} has the label {one.label!r:.40}.", fix)
    return found


def _picture(row: dict[str, Any]) -> Reviewed:
    return Reviewed(
        str(row["sha256"]),
        row["label"],
        float(row["agreement"]),
        tuple(Vote(str(v["at"]), str(v["by"]), v["label"]) for v in row["votes"]),
        tuple(
            Answer(str(a["at"]), str(a["event"]), a["version"], tuple(map(float, a["probabilities"])))
            for a in row["answers"]
        ),
    )

"""`pictures.json`: which pictures a folder in S3 holds, each under the SHA-256 of its bytes.

`scones start --pictures` uploads it last, and the pipeline's checksum of its input is the checksum of this file: what
was uploaded by half, or changed since, is no input.

    {"archive": null or {"name", "sha256"}, "pictures": [{"sha256", "class", "name"}, …]}
    pictures/<sha256>   each picture as it came
    archive.tar.gz      a CIFAR archive to learn from as well
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from project import json_text
from project.errors import DataError

FILE = "pictures.json"
FOLDER = "pictures"
ARCHIVE = "archive.tar.gz"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Listed:
    """A picture: the name that it has where it came from, its class, and the SHA-256 of its bytes."""

    name: str
    class_name: str
    sha256: str


@dataclass(frozen=True)
class PictureList:
    """The pictures, and the archive's name and SHA-256 if there is one."""

    pictures: tuple[Listed, ...]
    archive: tuple[str, str] | None = None


def encoded(listing: PictureList) -> bytes:
    """The file's bytes: the same for the same pictures."""
    archive = dict(zip(("name", "sha256"), listing.archive, strict=True)) if listing.archive else None
    rows = [{"sha256": p.sha256, "class": p.class_name, "name": p.name} for p in sorted(listing.pictures)]
    text = json.dumps({"archive": archive, "pictures": rows}, ensure_ascii=True, indent=0)
    return text.encode("ascii")


def read(folder: Path, sha256: str | None, classes: Sequence[str]) -> PictureList:
    """The list in `folder`, whose checksum is compared before anything else.

    Raises:
        DataError: another checksum; not such a list; a class that is none of `classes`.
    """
    file = folder / FILE
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise DataError(f"{FILE}: its SHA-256 is {found}, not {sha256}.", "Start again with --pictures.")
    try:
        values = json_text.parsed(content)
        rows = [Listed(str(row["name"]), str(row["class"]), str(row["sha256"])) for row in values["pictures"]]
        archive = values["archive"] and (str(values["archive"]["name"]), str(values["archive"]["sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{FILE}: not a list of pictures: {error!r}.", "Start again with --pictures.") from None
    for row in rows:
        if not SHA256.fullmatch(row.sha256):  # it becomes a file's name
            raise DataError(f"{FILE}: {row.name!r} has no SHA-256.", "Start again with --pictures.")
        if row.class_name not in classes:
            raise DataError(
                f"{FILE}: {row.name!r} is of class {row.class_name!r}; the pipeline has {', '.join(classes)}.",
                "Deploy the classes (scones upsert) and start again with --pictures.",
            )
    return PictureList(tuple(rows), archive)

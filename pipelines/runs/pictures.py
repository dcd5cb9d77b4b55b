"""People's own pictures where they lie: a folder or S3 prefix with a folder for each class, or a CSV of path and label.

Nothing is decoded here: the pipeline does that, with the code that serving uses. What can be told from names and sizes
is told before anything is uploaded.
"""

from __future__ import annotations

import csv
import difflib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from project import s3
from project.console import say
from project.errors import DataError, UsageError

EXTENSIONS = {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".heic", ".heif"}
OTHER_PICTURES = {".avif": "AVIF", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF"}
MAX_BYTES = 25_000_000
"""Of one picture; serving refuses larger ones too (`lambdas.serialize_image.picture`)."""
MAX_TOTAL_BYTES = 20_000_000_000
"""Of all: the job's disk holds 30 GB."""
COLUMNS = ("path", "label")


@dataclass(frozen=True)
class Found:
    """A picture where it lies: a file, or an object as (s3:// URI, ETag); `name` is its path below what was given."""

    name: str
    class_name: str
    size: int
    place: Path | tuple[str, str]


def find(source: str, classes: Sequence[str]) -> list[Found]:
    """Every picture of `source`: a folder, an s3:// prefix, or a .csv in either; what is left out is told.

    Raises:
        UsageError: there is no such folder; a folder or a label that is no class of the project.
        DataError: a link, a path that leads out, a picture outside of the class folders, or no pictures at all.
        CloudError: S3 refused or cannot be reached.
    """
    listed = source.lower().endswith(".csv")
    if listed:
        candidates = _of_table(source, classes)
    elif source.startswith("s3://"):
        candidates = _in_class_folders(_objects(f"{source.rstrip('/')}/"), source, classes)
    else:
        candidates = _in_class_folders(_files(Path(source)), source, classes)
    pictures, left_out = [], Counter[str]()
    for found in candidates:
        if reason := _unusable(found):
            left_out[reason] += 1
            if left_out[reason] == 1:
                say(f"Left out {found.name!r}: {reason}")
        else:
            pictures.append(found)
    for reason, n in left_out.items():
        if n > 1:
            say(f"Left out {n} files in all: {reason}")
    if not pictures:
        why = f" {left_out.most_common(1)[0][0]}" if left_out else ""
        raise DataError(f"{source}: no pictures (JPEG, PNG, WebP or HEIC).{why}", _layout(classes))
    total = sum(found.size for found in pictures)
    if total > MAX_TOTAL_BYTES:
        raise DataError(f"{source}: {total / 1e9:.1f} GB of pictures; the job takes 20 GB.", "Make them smaller.")
    return pictures


def _unusable(found: Found) -> str:
    extension = PurePosixPath(found.name).suffix.lower()
    if kind := OTHER_PICTURES.get(extension):
        return f"{kind} is not read; export it as JPEG."
    if extension not in EXTENSIONS:
        return f"not named as a picture is ({', '.join(sorted(EXTENSIONS))})."
    if found.size == 0:
        return "no bytes."
    return f"more than {MAX_BYTES / 1e6:.0f} MB." if found.size > MAX_BYTES else ""


def _in_class_folders(files: Iterable[Found], source: str, classes: Sequence[str]) -> Iterator[Found]:
    """The files with the class that their first folder names."""
    for found in files:
        folder, below, _ = found.name.partition("/")
        if not below:
            if _unusable(found):  # a README beside the class folders
                continue
            raise DataError(f"{source}: {found.name!r} lies in no class folder.", _layout(classes))
        _require_class(folder, classes, f"{source}: folder {folder!r}", "Rename it, or move it elsewhere.")
        yield Found(found.name, folder, found.size, found.place)


def _require_class(name: str, classes: Sequence[str], what: str, fix: str) -> None:
    if name in classes:
        return
    near = difflib.get_close_matches(name.lower(), classes, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"{what} is no class of the project ({', '.join(classes)}).", f"{hint}{fix}")


def _layout(classes: Sequence[str]) -> str:
    return f"Give a folder for each class ({', '.join(classes)}) with its pictures."


def _files(folder: Path) -> Iterator[Found]:
    """The files below `folder` in order of name, without hidden ones."""
    if not folder.is_dir():
        raise UsageError(f"Pictures {folder}: there is no such folder.", "Give a folder, an s3:// prefix or a .csv.")
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(folders + files):
            path = Path(place, name)
            state = path.lstat()
            if name.startswith(".") or stat.S_ISDIR(state.st_mode):
                continue
            if not stat.S_ISREG(state.st_mode):
                raise DataError(f"{path}: a link or no file at all.", "Copy the pictures themselves to it.")
            yield Found(_text(path.relative_to(folder)), "", state.st_size, path)


def _unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename}: {error.strerror}.", "Give a folder that you may read.")


def _text(path: Path) -> str:
    """A name as UTF-8 can say it: file systems know others."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def _objects(prefix: str) -> Iterator[Found]:
    """The objects below an s3:// prefix, without hidden ones and folder markers."""
    bucket, start = s3.split(prefix)
    for entry in s3.list_objects(prefix):
        name = entry["Key"].removeprefix(start)
        if not name or name.endswith("/") or any(part.startswith(".") for part in name.split("/")):
            continue
        yield Found(name, "", entry["Size"], (f"s3://{bucket}/{entry['Key']}", entry["ETag"]))


def _of_table(source: str, classes: Sequence[str]) -> Iterator[Found]:
    """The pictures that a CSV lists, by paths relative to its folder."""
    if source.startswith("s3://"):
        content = s3.read(source)
        beside = {found.name: found for found in _objects(f"{source.rpartition('/')[0]}/")}
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise UsageError(f"Pictures {source}: {error.strerror}.", "Check the path.") from None
        beside = None
    try:
        rows = csv.DictReader(content.decode("utf-8-sig").splitlines(), strict=True)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{source}: no column {missing[0]!r} in its first line.", "Head it: path,label")
        for row in rows:
            path, label, where = row["path"] or "", row["label"] or "", f"{source}: line {rows.line_num}"
            _require_class(label, classes, f"{where}: label {label!r}", "Correct it.")
            yield _at(path, label, where, Path(source).parent) if beside is None else _of(beside, path, label, where)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{source}: not a CSV in UTF-8: {error}.", "Save it as CSV, UTF-8.") from None


def _at(path: str, label: str, where: str, folder: Path) -> Found:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise DataError(f"{where}: path {path!r} leads out of {folder}.", "Write it relative to the CSV's folder.")
    file = folder / pure
    if any((folder / part).is_symlink() for part in [pure, *pure.parents][:-1]):
        raise DataError(f"{where}: {path!r} leads over a link.", "Copy the picture itself to it.")
    if not file.is_file():
        raise DataError(f"{where}: there is no file {path!r} in {folder}.", "Correct the path.")
    return Found(pure.as_posix(), label, file.stat().st_size, file)


def _of(beside: dict[str, Found], path: str, label: str, where: str) -> Found:
    found = beside.get(path)
    if found is None:
        raise DataError(f"{where}: there is no object {path!r} beside it.", "Write keys relative to the CSV's own.")
    return Found(path, label, found.size, found.place)

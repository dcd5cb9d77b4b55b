"""Own pictures on their way to the pipeline: each uploaded once, under its content, and the list of them last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from pipelines.runs.pictures import Found, find
from project import aws, s3
from project.console import say
from project.errors import DataError
from project.files import sha256_of
from project.names import Names
from project.progress import progress
from steps import picture_list
from steps.picture_list import Listed, PictureList

AT_ONCE = 8
"""Transfers at a time; the client keeps ten connections."""


def upload_pictures(names: Names, source: str, archive: dict[str, str] | None = None) -> dict[str, str]:
    """InputArchiveUri and InputArchiveSha256 for the pictures of `source`, which are uploaded if need be.

    `archive`: the same two for an archive to learn from as well.

    Raises:
        UsageError, DataError: as `find` does; one picture in two classes; a picture that changed meanwhile.
        CloudError: S3 refused or cannot be reached.
    """
    found = _by_content(source, find(source, names.settings.classes))
    pictures = tuple(Listed(one.name, one.class_name, sha256) for sha256, one in found.items())
    origin = (archive["InputArchiveUri"].rpartition("/")[2], archive["InputArchiveSha256"]) if archive else None
    content = picture_list.encoded(PictureList(pictures, origin))
    digest = hashlib.sha256(content).hexdigest()
    folder = names.uri("data", digest[:16])
    given = {"InputArchiveUri": f"{folder}/", "InputArchiveSha256": digest}
    counts = [f"{sum(p.class_name == name for p in pictures)} {name}" for name in names.settings.classes]
    say(f"{source}: {', '.join(counts)}")
    if s3.head(f"{folder}/{picture_list.FILE}") is not None:
        say(f"All of it is in {folder}/ already.")
        return given
    _upload_missing(names, source, found, folder)
    if archive:
        copy(archive["InputArchiveUri"], f"{folder}/{picture_list.ARCHIVE}")
    s3.upload(content, f"{folder}/{picture_list.FILE}", ContentType="application/json")
    return given


def _by_content(source: str, found: list[Found]) -> dict[str, Found]:
    """The pictures by the SHA-256 of their bytes, each once."""
    say(f"Reading {len(found)} pictures ({sum(one.size for one in found) / 1e6:.1f} MB).")
    digests = in_parallel(_sha256_of, [(one,) for one in found], f"Reading {source}")
    by_content: dict[str, Found] = {}
    for one, digest in sorted(zip(found, digests, strict=True), key=lambda pair: pair[0].name):
        first = by_content.setdefault(digest, one)
        if first.class_name != one.class_name:
            raise DataError(
                f"{first.name!r} ({first.class_name}) and {one.name!r} ({one.class_name}) are the same picture.",
                "Take it out of the wrong class.",
            )
    if len(by_content) < len(found):
        say(f"{len(found) - len(by_content)} of them are copies of others; each counts once.")
    return by_content


def _upload_missing(names: Names, source: str, found: dict[str, Found], folder: str) -> None:
    """Bring the pictures to `folder` that are not there: from the other lists in the bucket where one has them."""
    _, prefix = s3.split(f"{folder}/{picture_list.FOLDER}/")
    known: dict[str, str] = {}
    there = set()
    for entry in s3.list_objects(names.uri("data", "")):
        place, _, name = entry["Key"].rpartition("/")
        if not place.endswith(f"/{picture_list.FOLDER}") or name not in found or entry["Size"] != found[name].size:
            continue
        if entry["Key"] == f"{prefix}{name}":
            there.add(name)
        known[name] = f"s3://{names.bucket}/{entry['Key']}"
    wanted = [digest for digest in found if digest not in there]
    new = [found[digest].size for digest in wanted if digest not in known]
    say(f"Uploading {len(new)} of {len(found)} pictures ({sum(new) / 1e6:.1f} MB) to {folder}/")
    moves = [(found[d], d, f"{folder}/{picture_list.FOLDER}/{d}", known.get(d)) for d in wanted]
    in_parallel(_bring, moves, f"Uploading {source}")


def _bring(one: Found, digest: str, target: str, known: str | None) -> None:
    if known:
        copy(known, target)
    elif isinstance(one.place, Path):
        try:
            content = one.place.read_bytes()
        except OSError as error:
            raise DataError(f"{one.place}: {error.strerror}.", "Start again.") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise DataError(f"{one.place}: changed while it was uploaded.", "Start again.")
        s3.upload(content, target)
    else:
        copy(one.place[0], target, CopySourceIfMatch=one.place[1])


def copy(source: str, target: str, **conditions: Any) -> None:
    """Copy an object, of any size, within S3."""
    (from_bucket, from_key), (bucket, key) = s3.split(source), s3.split(target)
    with aws.explained(f"copying {source} to {target}"):
        origin = {"Bucket": from_bucket, "Key": from_key}
        aws.client("s3").copy(origin, bucket, key, ExtraArgs=conditions)


def _sha256_of(one: Found) -> str:
    if isinstance(one.place, Path):
        try:
            return sha256_of(one.place)
        except OSError as error:
            raise DataError(f"{one.place}: {error.strerror}.", "Give pictures that you may read.") from None
    uri, etag = one.place
    bucket, key = s3.split(uri)
    with aws.explained(f"reading {uri}"):
        body = aws.client("s3").get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"]
        return hashlib.sha256(body.read()).hexdigest()


def in_parallel(work: Callable[..., Any], tasks: Sequence[Iterable[Any]], what: str) -> list[Any]:
    """What `work` answers to each task, in order. The first failure, or Ctrl-C, ends it without starting the others."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        with progress() as show:
            futures = [pool.submit(work, *task) for task in tasks]
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                show(what, f"{done} of {len(tasks)} pictures", done, len(tasks))
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)

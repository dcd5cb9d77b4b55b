"""Files between S3 and a job's folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from localcloud.contract import s3_uri
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs.archives import files_below
from localcloud.sagemaker.jobs.interruption import Interruption

THREADS = 8
CHUNK_BYTES = 1 << 20

Item = TypeVar("Item")


class DownloadError(Exception):
    """An input cannot be brought into the folder: its key, its absence or a clash of names; the argument says which."""


@dataclass(frozen=True)
class Object:
    """An S3 object to download: where it is, its place below the input's folder, its size in bytes."""

    bucket: str
    key: str
    relative: str
    size: int

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as (bucket, key).

    Raises:
        ServiceError: ValidationException; it is not an S3 URI.
    """
    try:
        return s3_uri.split(uri)
    except ValueError as error:
        raise validation(f"{error}.") from None


def require_objects(s3: Any, uri: str, role: str, region: str) -> None:
    """Check that there is something under an S3 prefix, as the service does before it takes a job.

    Raises:
        ServiceError: ValidationException with AWS's own text.
    """
    bucket, prefix = split(uri)
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount", 0)
    except s3.exceptions.NoSuchBucket:
        found = 0
    if not found:
        raise validation(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role "
            f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def objects(s3: Any, uri: str, data_type: str = "S3Prefix") -> list[Object]:
    """What an input names, in order of keys; folder markers (keys that end in "/") are left out.

    S3Prefix: the object of that key, or all objects in that "folder"; only if there are none, all whose keys begin
    with the prefix. (AWS takes the last for every prefix, so that `train` would also match `train_lst/…`: give prefixes
    a trailing slash where both exist.) ManifestFile: a JSON list of `{"prefix": "s3://…"}` and keys relative to it.

    Raises:
        ServiceError: ValidationException; a URI or the manifest is not one.
        DownloadError: an object that the manifest names is not there.
    """
    bucket, prefix = split(uri)
    if data_type == "ManifestFile":
        return list(_manifest(s3, bucket, prefix))
    listed = [
        (item["Key"], item["Size"])
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in page.get("Contents", [])
        if not item["Key"].endswith("/")
    ]
    inside = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    exact = [(key, size) for key, size in listed if key == prefix]
    below = [(key, size) for key, size in listed if key.startswith(inside)]
    if exact or not below:
        inside = prefix.rpartition("/")[0] + "/" if "/" in prefix else ""
    return [Object(bucket, key, key.removeprefix(inside), size) for key, size in exact or below or listed]


def _manifest(s3: Any, bucket: str, key: str) -> Iterator[Object]:
    try:
        first, *rest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        base, prefix = split(first["prefix"])
        names = [str(name) for name in rest]
    except (ValueError, KeyError, TypeError) as error:
        raise validation(f"s3://{bucket}/{key} is not a manifest: {error}.") from None
    for name in names:
        try:
            size = s3.head_object(Bucket=base, Key=prefix + name)["ContentLength"]
        except ClientError as error:
            raise DownloadError(f"s3://{base}/{prefix}{name}: {error}") from None
        yield Object(base, prefix + name, name, size)


def inside(folder: Path, relative: str) -> Path:
    """The path of a relative name in `folder`.

    Raises:
        DownloadError: the name leads out of the folder.
    """
    parts = relative.split("/")
    if (
        relative.startswith("/")
        or "\\" in relative
        or "\0" in relative
        or any(part in {"", ".", ".."} for part in parts)
    ):
        raise DownloadError(f"the key {relative!r} cannot be a path inside the job's folder")
    return folder.joinpath(*parts)


def download(s3: Any, found: Sequence[Object], folder: Path, interruption: Interruption) -> None:
    """Download objects into `folder`, several at a time; a file has its name only once it is whole.

    Raises:
        DownloadError: a key leads out of the folder (then nothing was downloaded), S3 refused, or names clash.
        InterruptedJobError: the job was told to end.
    """
    targets = [(number, item, inside(folder, item.relative)) for number, item in enumerate(found)]

    def fetch(numbered: tuple[int, Object, Path]) -> None:
        number, item, target = numbered
        temporary = target.with_name(f".{number}.part")
        try:
            body = s3.get_object(Bucket=item.bucket, Key=item.key)["Body"]
            with temporary.open("wb") as file:
                for chunk in body.iter_chunks(CHUNK_BYTES):
                    interruption.check()
                    file.write(chunk)
            temporary.replace(target)
        except ClientError as error:
            raise DownloadError(f"{item.uri}: {error}") from None
        except IsADirectoryError:
            raise DownloadError(f"{item.uri} and objects below {item.uri}/ cannot both be downloaded") from None

    try:
        for parent in {target.parent for _, _, target in targets}:
            parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise DownloadError(f"there is a file where a folder is needed: {error.filename}") from None
    in_threads(fetch, targets, interruption)


def upload(s3: Any, folder: Path, uri: str, interruption: Interruption) -> int:
    """Upload the regular files below `folder` to a prefix, several at a time; returns how many. Links are left out.

    Raises:
        ClientError: S3 refused.
        InterruptedJobError: the job was told to end.
    """
    bucket, prefix = split(uri)
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    files = files_below(folder)

    def send(path: Path) -> None:
        upload_file(s3, path, bucket, prefix + path.relative_to(folder).as_posix())

    in_threads(send, files, interruption)
    return len(files)


def upload_file(s3: Any, path: Path, bucket: str, key: str) -> None:
    """Upload one file; S3 shows the object only once it is whole."""
    with path.open("rb") as file:
        s3.put_object(Bucket=bucket, Key=key, Body=file)


def in_threads(work: Callable[[Item], None], items: Sequence[Item], interruption: Interruption) -> None:
    """Do `work` on all items in a few threads; after the first error, or an interruption, the rest is not begun."""

    def one(item: Item) -> None:
        interruption.check()
        work(item)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="transfer") as threads:
        futures: list[Future[None]] = [threads.submit(one, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise

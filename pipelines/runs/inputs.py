"""What an execution starts from: an archive in the bucket under its checksum, the commit, and assignments."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from project import aws, s3
from project.console import say
from project.errors import DataError, UsageError
from project.files import sha256_of
from project.names import Names
from project.progress import progress

BLOCK = 1 << 20


def upload_archive(names: Names, archive: str) -> dict[str, str]:
    """InputArchiveUri and InputArchiveSha256 for an s3:// URI, or for a local file, which is uploaded if need be.

    Raises:
        DataError: there is no such file or object.
        CloudError: the bucket cannot be read or written.
    """
    if archive.startswith("s3://"):
        return {"InputArchiveUri": archive, "InputArchiveSha256": _sha256_of_object(archive)}
    file = Path(archive)
    if not file.is_file():
        raise DataError(
            f"Archive {archive}: there is no such file.", "Make one: scones data sample, or scones data fetch."
        )
    digest = sha256_of(file)
    uri = names.archive_uri(digest)
    if s3.head(uri) is None:
        say(f"Uploading {file} ({file.stat().st_size / 1e6:.1f} MB) to {uri}")
        with progress() as show:
            s3.upload(file, uri, show, Metadata={"sha256": digest})
    return {"InputArchiveUri": uri, "InputArchiveSha256": digest}


def _sha256_of_object(uri: str) -> str:
    """From the metadata that our upload leaves, or else by reading the object once."""
    head = s3.head(uri)
    if head is None:
        raise DataError(f"Archive {uri}: there is no such object.", "Check bucket and key.")
    if recorded := head.get("Metadata", {}).get("sha256"):
        return str(recorded)
    say(f"Reading {uri} for its checksum")
    bucket, key = s3.split(uri)
    whole = hashlib.sha256()
    with aws.explained(f"reading {uri}"):
        for block in aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(BLOCK):
            whole.update(block)
    return whole.hexdigest()


def commit(folder: Path) -> str | None:
    """The git commit that `folder` is at, with `-dirty` for uncommitted changes; None outside of a checkout."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        return f"{head}-dirty" if _git(folder, "status", "--porcelain") else head
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git, or no repository, or no commit in it
        return None


def _git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return run.stdout.strip()


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a mapping.

    Raises:
        UsageError: no `=`, or a name given twice.
    """
    values: dict[str, str] = {}
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--parameter {text!r} is not NAME=VALUE.", "For example: --parameter Epochs=60.")
        if name in values:
            raise UsageError(f"--parameter {name} is given twice.", "Give it once.")
        values[name] = value
    return values

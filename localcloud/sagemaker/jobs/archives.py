"""model.tar.gz and output.tar.gz: the same files pack to the same bytes, and unpack only into their folder."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

COMPRESSION_LEVEL = 6


def files_below(folder: Path) -> list[Path]:
    """The regular files below a folder, by path; links are left out."""
    return sorted(
        path
        for parent, _, names in os.walk(folder)
        for path in (Path(parent, name) for name in names)
        if path.is_file() and not path.is_symlink()
    )


def pack(folder: Path, target: Path) -> None:
    """Pack the regular files below `folder` into `target`: no times, owners or order of creation in it.

    The file appears under its name only once it is whole.
    """
    temporary = target.with_name(target.name + ".part")
    with (
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=COMPRESSION_LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in files_below(folder):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as file:
                tar.addfile(member, file)
    temporary.replace(target)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`; links, devices and names that lead out of it are refused.

    Raises:
        ValueError: it is not a gzip-compressed tar, it is cut off, or it holds something that is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError, gzip.BadGzipFile) as error:
        raise ValueError(f"{archive.name} cannot be unpacked: {error}") from error

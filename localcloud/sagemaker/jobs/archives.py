"""model.tar.gz and output.tar.gz: the same files pack to the same bytes, and unpack only into their folder."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

COMPRESSION_LEVEL = 6
SPECIAL_MODES = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


def files_below(folder: Path) -> list[Path]:
    """The regular files below a folder, by path; links are left out."""
    return sorted(
        path
        for parent, _, names in os.walk(folder)
        for path in (Path(parent, name) for name in names)
        if path.is_file() and not path.is_symlink()
    )


def pack(folders: Path | Sequence[Path], target: Path) -> list[str]:
    """Pack the regular files below a folder, or several, into `target`: no times, owners or order of creation in it.

    Of files of one name in several folders the first one's is packed; those names are returned.
    The file appears under its name only once it is whole.
    """
    found: dict[str, Path] = {}
    clashes = set()
    for folder in [folders] if isinstance(folders, Path) else folders:
        for path in files_below(folder):
            name = path.relative_to(folder).as_posix()
            if found.setdefault(name, path) is not path:
                clashes.add(name)
    temporary = target.with_name(target.name + ".part")
    with (
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=COMPRESSION_LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in sorted(found.items(), key=lambda item: PurePosixPath(item[0])):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = _mode(path.stat().st_mode)
            with path.open("rb") as file:
                tar.addfile(member, file)
    temporary.replace(target)
    return sorted(clashes)


def unpack(archive: Path | IO[bytes], folder: Path) -> None:
    """Unpack a gzip-compressed tar, a path or an open file, into `folder`.

    Only files and folders are taken. Of a file's mode only whether its owner may run it is kept, of a folder's nothing;
    nobody else may do anything.
    Nothing is written of an archive that holds a link, a device, an absolute name, a name that leads out of `folder`,
    or a set-id or sticky file. The extraction filters of `tarfile` do less, and Python has them only from 3.11.4 on.

    Raises:
        ValueError: it is not such an archive, it is cut off, or it holds something that is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    try:
        # Member by member: a size below zero makes `tar.getmembers()` loop without end.
        with gzip.open(archive) as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
            for member, target in [(member, _checked(member, root)) for member in tar]:
                _extract(tar, member, target)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise ValueError(f"the archive cannot be unpacked: {error}") from error


def _checked(member: tarfile.TarInfo, root: Path) -> Path:
    """Where a member goes.

    Raises:
        ValueError: it is refused.
    """
    target = (root / member.name).resolve()
    refusals = {
        "is neither a file nor a folder": not (member.isreg() or member.isdir()),
        "is an absolute name": member.name.startswith("/"),
        "leads out of the folder": not target.is_relative_to(root),
        "has a special mode": member.isreg() and bool(member.mode & SPECIAL_MODES),
        "has a size below zero": member.size < 0,
    }
    for problem, found in refusals.items():
        if found:
            raise ValueError(f"{member.name!r} {problem}")
    return target


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = tar.extractfile(member)
    if content is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)
    target.chmod(_mode(member.mode) & 0o700)


def _mode(mode: int) -> int:
    return 0o755 if mode & stat.S_IXUSR else 0o644

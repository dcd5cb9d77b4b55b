"""Files are their owner's alone, whatever the shell's umask: folders 0700, files 0600.

What is stored here (objects of S3, captured pictures, logs, sessions of roles) is nobody else's on a shared machine.
Two things make it so: the umask that every part and what it starts inherits (`OWNER_ONLY`), and the folder's own mode.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcloud.errors import LocalCloudError

OWNER_ONLY = 0o077
"""The umask under which nothing is made for anybody else."""


@contextmanager
def private_files() -> Iterator[None]:
    """What this process makes in the block is its user's alone. The umask is the whole process's, all threads'."""
    before = os.umask(OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


def make_private_folder(folder: Path, sign: str | None = None) -> None:
    """Make `folder`, or shut one that is open to other users, and all that lies in it.

    Args:
        sign: a file by which a folder is known as ours: an open one without it that holds something else is not
            touched. None takes any folder.

    Raises:
        LocalCloudError: it is open to others, and not ours to shut.
        OSError: it cannot be made.
    """
    with private_files():
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.stat().st_mode & OWNER_ONLY:
        return
    if sign and not (folder / sign).exists() and any(folder.iterdir()):
        raise LocalCloudError(
            f"Using {folder} as state folder: other users can read it, and it holds other things.",
            f"Choose another folder with --state; or shut it: chmod 700 {folder}",
        )
    try:
        _shut(folder)
    except PermissionError:
        raise LocalCloudError(
            f"Using {folder}: other users can read it, and it is not yours to shut.", "Choose another folder."
        ) from None


def _shut(folder: Path) -> None:
    """Take others' rights away. Links are left alone, and so are files that have a name elsewhere too."""
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~OWNER_ONLY)
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            found = path.lstat()
            known_elsewhere = stat.S_ISREG(found.st_mode) and found.st_nlink > 1
            if found.st_mode & OWNER_ONLY and not stat.S_ISLNK(found.st_mode) and not known_elsewhere:
                path.chmod(stat.S_IMODE(found.st_mode) & ~OWNER_ONLY)

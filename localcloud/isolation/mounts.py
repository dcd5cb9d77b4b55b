"""What a private view is made of: mounts, overlays, folders in memory; for enter.py, and as quick to import.

Sources: mount_namespaces(7), mount_setattr(2), open_tree(2); the kernel's Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import stat
import struct

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
HERE, WHOLE_TREE, CLONE = -100, 0x8000, 1
READ_ONLY = 1
NOSUID_NODEV = 2 | 4
SHADOW_OPTIONS = "size=1m,mode=755"

libc = ctypes.CDLL(None, use_errno=True)


class Told:
    """What to make, as view.py tells it; its attributes are explained there.

    With marshal, as json takes 6 ms of every start to import. It need not guard against what it reads: the same Python
    wrote it, onto the command line of a process that may do nothing yet which its writer may not.
    """

    folder: str
    network: bool
    joins: int
    relay: tuple[int, int] | None
    stdin: bool
    overlays: list[tuple[str, list[str], str, str]]
    writable: list[tuple[str, str]]
    readable: list[tuple[str, str]]
    memory: list[tuple[str, int]]
    merged: list[tuple[str, list[str]]]
    hosts: str
    hostname: str

    def __init__(self, encoded: str) -> None:
        self.__dict__.update(marshal.loads(bytes.fromhex(encoded)))  # noqa: S302 - see above


def checked(result: int, what: str, path: str = "") -> int:
    """The result of a system call.

    Raises:
        OSError: it failed; its text says what was being done.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", path)
    return result


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    words = (os.fsencode(word) if word else None for word in (source, target, kind))
    checked(libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options) if options else None), "mount", target)


def tree(path: str) -> int:
    """A copy of what is mounted at and below a path, attached nowhere yet: its file descriptor."""
    return checked(
        libc.syscall(OPEN_TREE, HERE, os.fsencode(path), CLONE | WHOLE_TREE | os.O_CLOEXEC), "open_tree", path
    )


def attach(descriptor: int, target: str) -> None:
    """Attach such a copy at a path."""
    checked(libc.syscall(MOVE_MOUNT, descriptor, b"", HERE, os.fsencode(target), 4), "move_mount", target)
    os.close(descriptor)


def forbid_writing(path: str, flags: int = WHOLE_TREE) -> None:
    """Make what is mounted at a path, and with `flags` below it, read-only."""
    attributes = struct.pack("QQQQ", READ_ONLY, 0, 0, 0)
    checked(libc.syscall(MOUNT_SETATTR, HERE, os.fsencode(path), flags, attributes, len(attributes)), "read-only", path)


class Shadows:
    """Folders that had to be covered so that something can be attached in them; the rest of them is seen as before."""

    def __init__(self) -> None:
        self.covered: list[str] = []

    def place(self, path: str, is_folder: bool) -> str:
        """Make sure that there is something to attach at `path`; where links lead."""
        if os.path.exists(path):
            return os.path.realpath(path)
        parent = self.place(os.path.dirname(path), True)
        path = os.path.join(parent, os.path.basename(path))
        try:
            make_empty(path, is_folder)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            self.cover(parent)
            make_empty(path, is_folder)
        return path

    def cover(self, folder: str) -> None:
        """Put a folder in memory over `folder` that has the same entries."""
        if folder == "/":
            raise OSError(errno.EROFS, "the root folder lacks what is to be attached there", folder)
        entries = list(os.scandir(folder))
        copies = [(one.name, tree(one.path), one.is_dir()) for one in entries if not one.is_symlink()]
        links = [(one.name, os.readlink(one.path)) for one in entries if one.is_symlink()]
        mount("tmpfs", folder, "tmpfs", NOSUID_NODEV, SHADOW_OPTIONS)
        for name, descriptor, is_folder in copies:
            make_empty(os.path.join(folder, name), is_folder)
            attach(descriptor, os.path.join(folder, name))
        for name, leads_to in links:
            os.symlink(leads_to, os.path.join(folder, name))
        self.covered.append(folder)

    def close(self) -> None:
        """Forbid writing to them."""
        for folder in self.covered:
            forbid_writing(folder, 0)


def make_empty(path: str, is_folder: bool) -> None:
    """Make an empty folder or file, unless it is there."""
    if is_folder:
        os.makedirs(path, exist_ok=True)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


def escaped(path: str) -> str:
    """A path as overlayfs takes it among its options."""
    return "".join(f"\\{character}" if character in "\\,:" else character for character in path)


def overlay(target: str, lower: list[str], upper: str, work: str) -> None:
    """Mount folders over one another; without `upper` nothing can be written."""
    options = "userxattr,lowerdir=" + ":".join(map(escaped, lower))
    if upper:
        options += f",upperdir={escaped(upper)},workdir={escaped(work)}"
    mount("overlay", target, "overlay", NOSUID_NODEV, options)


def make_view(view: Told) -> None:
    """Mount everything as the view says; all else of the machine becomes read-only."""
    layers = {target for target, *_ in view.overlays}
    # before the overlays, which may cover what is to be written to: a state folder inside of a virtual environment
    writable = [(at, tree(source), is_folder(source)) for at, source in view.writable if at not in layers]
    for target, lower, upper, work in view.overlays:
        overlay(target, lower, upper, work)
        writable.append((target, tree(target), True))
    forbid_writing("/")
    readable = [(at, tree(source), is_folder(source)) for at, source in view.readable]
    shadows = Shadows()
    for at, size in view.memory:
        target = shadows.place(at, True)
        mount("tmpfs", target, "tmpfs", NOSUID_NODEV, f"mode=1777,size={size}" if size else "mode=1777")
    for at, descriptor, folder in sorted(writable + readable):
        attach(descriptor, shadows.place(at, folder))
    for at, folders in view.merged:
        merge(shadows, at, folders)
    if view.hosts:
        add_hosts(view.hosts)
    shadows.close()


def is_folder(path: str) -> bool:
    """Whether it is a folder. Raises OSError: it is not there."""
    return stat.S_ISDIR(os.stat(path).st_mode)


def merge(shadows: Shadows, at: str, folders: list[str]) -> None:
    """Show the entries of several folders in one, which must be in memory: of two of one name, that of the last."""
    sources: dict[str, list[str]] = {}
    for folder in folders:
        for name in os.listdir(folder):
            sources.setdefault(name, []).insert(0, os.path.join(folder, name))
    for name, paths in sources.items():
        first, target = paths[0], os.path.join(at, name)
        if os.path.islink(first):
            os.symlink(os.readlink(first), target)
            continue
        folder_paths = [path for path in paths if is_folder(path)]
        shadows.place(target, is_folder(first))
        if is_folder(first) and len(folder_paths) > 1:
            overlay(target, folder_paths, "", "")
        else:
            attach(tree(first), target)
    forbid_writing(at, 0)


def add_hosts(lines: str) -> None:
    """Show /etc/hosts with more lines."""
    target = os.path.realpath("/etc/hosts")
    with open(target, encoding="utf-8") as file:
        known = file.read()
    own = "/dev/shm/hosts"  # noqa: S108 - the view's own
    with open(own, "w", encoding="utf-8") as file:
        file.write(f"{known.rstrip()}\n{lines}")
    copy = tree(own)
    attach(copy, target)
    forbid_writing(target, 0)
    os.unlink(own)

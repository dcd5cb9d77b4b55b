"""Start a command in a view of its own; view.py has the command line.

It is on the way of every job and function, so it imports what takes no time: neither json nor typing nor pathlib, each
of which takes longer than all that is done here. Three processes, and what each is for:

    the one that is started   makes the namespaces and the mounts, passes signals on, ends as the command ended
      └ number 1 inside       takes in what is orphaned; when it ends, the kernel ends everything inside
          └ the command       in a session of its own, without any capability

Nobody needs to clean up: mounts and processes are gone with number 1. It ends when the command has, when the first
process is killed, and when nobody holds the other end of standard input any more, so with the server that started it.

Sources: user_namespaces(7), mount_namespaces(7), pid_namespaces(7), mount_setattr(2), open_tree(2); the kernel's
Documentation/filesystems/overlayfs.rst. Needs Linux 5.12.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import select
import signal
import stat
import struct
import sys

REFUSED = 125
"""Exit code when the view cannot be made; the reason is a line on standard error."""
NOT_STARTED = 127
PRIVATE, RECURSIVE = 1 << 18, 1 << 14
NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x08000000 | 0x20000000  # user, mount, IPC, process numbers
NEW_NETWORK = 0x40000000
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
HERE, EMPTY_PATH, WHOLE_TREE, CLONE = -100, 0x1000, 0x8000, 1
READ_ONLY = 1
NOSUID_NODEV_NOEXEC = 2 | 4 | 8
SET_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUND, SET_SECURE_BITS, NO_NEW_PRIVILEGES = 1, 4, 24, 28, 38
NO_ROOT_FOR_EVER = 0b1111
"""SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP, both locked: user 0 inside has no more rights than its number gives."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
SHADOW_OPTIONS = "size=1m,mode=755"

libc = ctypes.CDLL(None, use_errno=True)


class Told:
    """What to make, as view.py tells it; its attributes are explained there."""

    folder: str
    network: bool
    stdin: bool
    overlays: list[tuple[str, list[str], str, str]]
    writable: list[tuple[str, str]]
    readable: list[tuple[str, str]]
    memory: list[tuple[str, int]]
    merged: list[tuple[str, list[str]]]
    hosts: str

    def __init__(self, encoded: str) -> None:
        self.__dict__.update(marshal.loads(bytes.fromhex(encoded)))  # noqa: S302 - from the command line


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


def make_namespaces(network: bool) -> None:
    """Leave the machine's namespaces; user and group keep their numbers."""
    user, group = os.getuid(), os.getgid()
    checked(libc.unshare(NEW_NAMESPACES | (0 if network else NEW_NETWORK)), "unshare")
    libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # else only root finds this process by its environment
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)
    mount("", "/", "", PRIVATE | RECURSIVE)
    if not network:
        start_loopback()


def start_loopback() -> None:
    """Bring up the only interface that a new network namespace has."""
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


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
        mount("tmpfs", folder, "tmpfs", 2 | 4, SHADOW_OPTIONS)
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
    mount("overlay", target, "overlay", 2 | 4, options)


def make_view(view: Told) -> None:
    """Mount everything as the view says; all else of the machine becomes read-only."""
    for target, lower, upper, work in view.overlays:
        overlay(target, lower, upper, work)
    writable = [(at, tree(source), is_folder(source)) for at, source in view.writable]
    forbid_writing("/")
    readable = [(at, tree(source), is_folder(source)) for at, source in view.readable]
    shadows = Shadows()
    for at, size in view.memory:
        target = shadows.place(at, True)
        mount("tmpfs", target, "tmpfs", 2 | 4, f"mode=1777,size={size}" if size else "mode=1777")
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


def give_up_rights() -> None:
    """Lose every capability for good: what was mounted stays as it is."""
    for number in range(64):
        if libc.prctl(DROP_BOUND, number, 0, 0, 0) < 0:
            break
    checked(libc.prctl(SET_SECURE_BITS, NO_ROOT_FOR_EVER, 0, 0, 0), "prctl")
    checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def become(command: list[str], view: Told) -> None:
    """Replace this process by the command."""
    os.setsid()
    if not view.stdin:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (*PASSED_ON, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.chdir(view.folder)
        give_up_rights()
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"ClientError: The entry point {command[0]!r} cannot be started: {error}.\n")
        sys.stderr.flush()
        os._exit(NOT_STARTED)


def be_first(command: list[str], view: Told, parent: int, report: int) -> None:
    """Be number 1: start the command, take in orphans, and report how the command ended."""
    checked(libc.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    mount("proc", "/proc", "proc", NOSUID_NODEV_NOEXEC)
    os.setsid()
    child = os.fork()
    if child == 0:
        become(command, view)
    woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for one in (*PASSED_ON, signal.SIGCHLD):
        signal.signal(one, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    waiting = select.poll()
    waiting.register(0, 0)  # POLLHUP and POLLERR alone: nothing is read
    waiting.register(parent, 0)
    waiting.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor != woken:
                os._exit(REFUSED)
            for number in os.read(woken, 4096):
                if number != signal.SIGCHLD:
                    pass_on(child, number)
        status = reaped(child)
        if status is not None:
            os.write(report, struct.pack("i", status))
            os._exit(0)


def pass_on(child: int, number: int) -> None:
    """Send a signal to the command's group; before it has made its group, to the command."""
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        os.kill(child, number)  # not taken in yet, so it is there


def reaped(child: int) -> int | None:
    """Take in whatever has ended; the wait status of the command if it has."""
    found = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == child:
            found = status


def main(words: list[str]) -> None:
    """Do all of it, and end as the command ends."""
    view, command = Told(words[0]), words[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, (*PASSED_ON, signal.SIGCHLD))
    try:
        make_namespaces(view.network)
        make_view(view)
        parent, _alive = os.pipe()
        answer, report = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(_alive)
            os.close(answer)
            be_first(command, view, parent, report)
    except OSError as error:
        refuse(error)
    os.close(parent)
    os.close(report)
    while True:
        number = signal.sigwait((*PASSED_ON, signal.SIGCHLD))
        if number != signal.SIGCHLD:
            os.kill(first, number)
        elif os.waitpid(first, os.WNOHANG)[0]:
            break
    content = os.read(answer, 4)
    if len(content) < 4:
        os._exit(REFUSED)
    end_like(struct.unpack("i", content)[0])


def refuse(error: OSError) -> None:
    """Say why there is no view."""
    hint = ""
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        hint = " The limit of namespaces is reached (sysctl user.max_user_namespaces), or memory is full."
    where = f" ({error.filename})" if error.filename else ""
    sys.stderr.write(f"InternalServerError: a private view of the files was refused: {error.strerror}{where}.{hint}\n")
    sys.stderr.flush()
    os._exit(REFUSED)


def end_like(status: int) -> None:
    """End with the exit code or the signal of a wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else REFUSED)

"""Start a command in a view of its own; view.py has the command line.

It is on the way of every job and function, so it imports what takes no time: neither json nor typing nor pathlib, each
of which takes longer than all that is done here. Three processes, and what each is for:

    the one that is started   makes the namespaces and the mounts, passes signals on, ends as the command ended
      └ number 1 inside       takes in what is orphaned; when it ends, the kernel ends everything inside
          └ the command       in a session of its own, without any capability

Nobody needs to clean up: mounts and processes are gone with number 1. It ends when the command has, when the first
process is killed, and when nobody holds the other end of standard input any more, so with the server that started it.

Sources: user_namespaces(7), pid_namespaces(7), capabilities(7). Needs Linux 5.12.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import struct
import sys

from localcloud.isolation.mounts import Told, checked, libc, make_view, mount

REFUSED = 125
"""Exit code when the view cannot be made; the reason is a line on standard error."""
NOT_STARTED = 127
PRIVATE, RECURSIVE = 1 << 18, 1 << 14
NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x08000000 | 0x20000000  # user, mount, IPC, process numbers
NEW_NETWORK = 0x40000000
NEW_HOSTNAME = 0x04000000
NOSUID_NODEV_NOEXEC = 2 | 4 | 8
SET_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUND, SET_SECURE_BITS, NO_NEW_PRIVILEGES = 1, 4, 24, 28, 38
NO_ROOT_FOR_EVER = 0b1111
"""SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP, both locked: user 0 inside has no more rights than its number gives."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def join_network(number: int) -> None:
    """Enter the network of another view; whoever owns its user namespace may."""
    for kind in ("user", "net"):
        descriptor = os.open(f"/proc/{number}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        checked(libc.setns(descriptor, 0), "setns")
        os.close(descriptor)


def make_namespaces(network: bool, hostname: str) -> None:
    """Leave the machine's namespaces; user and group keep their numbers."""
    more = (0 if network else NEW_NETWORK) | (NEW_HOSTNAME if hostname else 0)
    user, group = os.getuid(), os.getgid()
    checked(libc.unshare(NEW_NAMESPACES | more), "unshare")
    libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # else only root finds this process by its environment
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)
    mount("", "/", "", PRIVATE | RECURSIVE)
    if hostname:
        checked(libc.sethostname(hostname.encode(), len(hostname)), "sethostname")
    if not network:
        start_loopback()


def start_loopback() -> None:
    """Bring up the only interface that a new network namespace has."""
    import fcntl
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


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
    if view.relay and os.fork() == 0:
        be_relay(*view.relay)
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


def be_relay(descriptor: int, port: int) -> None:
    """Hand on connections from outside until number 1 ends."""
    from localcloud.isolation import relay

    give_up_rights()
    relay.hand_on(descriptor, port)


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
        if view.joins:
            join_network(view.joins)
        make_namespaces(view.network, view.hostname)
        make_view(view)
        if view.relay:
            os.set_inheritable(view.relay[0], False)  # the command does not get it
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

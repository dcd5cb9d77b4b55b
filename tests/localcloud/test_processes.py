import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from cloud_fixtures import eventually, gone

from localcloud import ports, processes
from localcloud.processes import Identity

IGNORES_SIGTERM = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
signal.pause()
"""
LISTENS_WITH_THREADS = """
import signal, socket, threading
server = socket.create_server(("127.0.0.1", 0))
memory = bytearray(b"x") * 200_000_000
for _ in range(20):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
print(server.getsockname()[1], flush=True)
signal.pause()
"""
"""Takes a while to end even when it is killed."""
Launch = Callable[..., Identity]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    started = []

    def start(program: str, **environment: str) -> Identity:
        identity = processes.launch(
            [sys.executable, "-c", program], environment, tmp_path, tmp_path / "logs" / "child.log"
        )
        started.append(identity)
        return identity

    yield start
    for identity in started:
        processes.end(identity, patience=0.0)


def test_a_process_is_found_until_it_ends(launch: Launch) -> None:
    identity = launch("import signal; signal.pause()")
    assert processes.find(identity)
    assert processes.end(identity, patience=10)
    assert processes.find(identity) is None


def test_a_number_that_belongs_to_another_process_now_is_not_ours_and_is_not_signalled(launch: Launch) -> None:
    other = launch("import signal; signal.pause()")
    stale = replace(other, started=other.started - 60)
    assert processes.find(stale) is None
    assert processes.end(stale, patience=1)
    assert processes.find(other)


def test_a_process_killed_from_outside_counts_as_ended_although_it_is_a_zombie(launch: Launch) -> None:
    identity = launch("import signal; signal.pause()")
    os.kill(identity.pid, signal.SIGKILL)
    os.waitid(os.P_PID, identity.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(identity.pid).status() == psutil.STATUS_ZOMBIE
    assert processes.find(identity) is None


def test_what_ignores_sigterm_is_killed_with_its_children(launch: Launch, tmp_path: Path) -> None:
    identity = launch(IGNORES_SIGTERM)
    log = tmp_path / "logs" / "child.log"
    eventually(lambda: log.read_text().endswith("\n"))
    child = psutil.Process(int(log.read_text()))
    assert processes.end(identity, patience=0.1) is False
    assert processes.find(identity) is None
    eventually(lambda: gone(child))


def test_of_several_that_are_asked_to_end_those_that_do_not_are_named(launch: Launch, tmp_path: Path) -> None:
    willing = launch("import signal; signal.pause()")
    stubborn = launch(IGNORES_SIGTERM)
    eventually(lambda: (tmp_path / "logs" / "child.log").read_text().endswith("\n"))
    assert processes.terminate([willing, stubborn], patience=0.5) == [stubborn]
    assert processes.find(willing) is None


def test_leftovers_are_known_by_their_mark_and_by_nothing_else(launch: Launch, tmp_path: Path) -> None:
    ours = launch("import signal; signal.pause()", TEST_MARK=str(tmp_path))
    launch("import signal; signal.pause()", TEST_MARK="somebody else's")
    found = processes.marked("TEST_MARK", str(tmp_path))
    assert found == [ours]
    assert processes.kill(found, patience=10) == []
    assert processes.find(ours) is None


def test_a_new_log_keeps_the_one_before(launch: Launch, tmp_path: Path) -> None:
    processes.end(launch("print('first', flush=True); import signal; signal.pause()"), patience=10)
    processes.end(launch("print('second', flush=True); import signal; signal.pause()"), patience=10)
    assert (tmp_path / "logs" / "child.previous.log").exists()
    assert (tmp_path / "logs" / "child.log").exists()


def test_a_killed_process_counts_as_ended_only_when_its_port_is_free(launch: Launch, tmp_path: Path) -> None:
    identity = launch(LISTENS_WITH_THREADS)
    log = tmp_path / "logs" / "child.log"
    eventually(lambda: log.read_text().endswith("\n"))
    assert processes.kill([identity], patience=30) == []
    assert ports.is_free(int(log.read_text()))

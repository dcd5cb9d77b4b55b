"""A private view of the machine: what is seen, what can be written, how it ends, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import eventually
from view_support import needs_views

from localcloud.isolation import offer
from localcloud.isolation.offer import make_layer
from localcloud.isolation.python import needed
from localcloud.isolation.view import REFUSED, Layer, View, isolated


@pytest.fixture
def view(tmp_path: Path) -> View:
    for name in ("own", "tmp"):
        (tmp_path / name).mkdir()
    return View(
        "/opt/ml",
        {"/opt/ml": tmp_path / "own", "/tmp": tmp_path / "tmp"},  # noqa: S108
        memory={"/dev/shm": 0},  # noqa: S108
        visible=tuple(needed(Path(sys.executable))),
    )


def run(view: View, *command: str, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(isolated(command, view), capture_output=True, text=True, check=False, timeout=60, **how)


def shell(view: View, text: str, **how: Any) -> subprocess.CompletedProcess[str]:
    return run(view, "/bin/sh", "-c", text, **how)


@needs_views
def test_everything_else_of_the_machine_is_seen_as_it_is(view: View) -> None:
    beside = sorted({*(path.name for path in Path("/opt").iterdir()), "ml"})
    seen = shell(view, "ls -A /opt; cat /etc/hosts")
    assert seen.stdout.splitlines()[: len(beside)] == beside
    assert seen.stdout.endswith(Path("/etc/hosts").read_text())
    assert Path("/opt/ml").exists() == (beside == sorted(path.name for path in Path("/opt").iterdir()))


@needs_views
def test_more_hosts_have_names(view: View) -> None:
    code = "import socket; print(socket.gethostbyname('algo-2'), socket.gethostbyname('localhost'))"
    named = replace(view, hosts={"algo-1": "127.0.0.2", "algo-2": "127.0.0.3"})
    assert run(named, sys.executable, "-c", code).stdout.split() == ["127.0.0.3", "127.0.0.1"]
    assert "algo-2" not in Path("/etc/hosts").read_text()


@needs_views
def test_a_layer_takes_what_is_written_and_the_folder_stays_as_it_is(view: View, tmp_path: Path) -> None:
    folder, earlier = tmp_path / "a folder, with : and \\", tmp_path / "earlier"
    for path, name in ((folder, "kept"), (folder, "removed"), (earlier, "from-earlier")):
        path.mkdir(exist_ok=True)
        (path / name).write_text("as it was")
    layer = make_layer(Layer(folder, tmp_path / "changes", (earlier,)))
    words = 'cd "$1" && rm removed && echo new > made && echo changed > kept && ls'
    seen = run(replace(view, layers=(layer,)), "/bin/sh", "-c", words, "sh", str(folder))
    assert seen.stdout.split() == ["from-earlier", "kept", "made"], seen.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["kept", "removed"]
    assert (folder / "kept").read_text() == "as it was"
    assert (layer.changes / "made").read_text() == "new\n"


@needs_views
def test_nothing_can_be_mounted_or_unmounted_inside(view: View) -> None:
    tried = shell(
        view, "umount /tmp; umount /opt/ml; mount -o remount,rw /; touch /etc/x; grep CapEff /proc/self/status"
    )
    assert tried.stdout.split()[-1] == "0" * 16
    assert len(tried.stderr.splitlines()) >= 4


@needs_views
def test_exit_codes_and_signals_are_the_commands(view: View) -> None:
    assert shell(view, "exit 7").returncode == 7
    assert shell(view, "kill -KILL $$").returncode == -signal.SIGKILL
    assert shell(view, "kill -SEGV $$").returncode == -signal.SIGSEGV
    missing = run(view, "/no/such/program")
    assert (missing.returncode, "cannot be started" in missing.stderr) == (127, True)


@needs_views
@pytest.mark.parametrize("group", [True, False])
def test_a_signal_reaches_the_command_once(view: View, tmp_path: Path, group: bool) -> None:
    code = """
import os, signal, sys
got = []
signal.signal(signal.SIGTERM, lambda *_: got.append("TERM"))
open("/opt/ml/ready", "w").close()
while not got:
    signal.pause()
signal.sigtimedwait([signal.SIGUSR1], 0.05)
print(got)
"""
    process = subprocess.Popen(
        isolated([sys.executable, "-c", code], view), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    eventually((tmp_path / "own" / "ready").exists)
    (os.killpg if group else os.kill)(process.pid, signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "['TERM']\n"
    assert process.returncode == 0


@needs_views
def test_all_ends_when_nobody_holds_its_input_any_more(view: View, tmp_path: Path) -> None:
    words = "trap '' TERM HUP; touch /opt/ml/ready; while true; do sleep 60; done"
    process = subprocess.Popen(isolated(["/bin/sh", "-c", words], view), stdin=subprocess.PIPE)
    eventually((tmp_path / "own" / "ready").exists)
    assert process.stdin
    process.stdin.close()
    assert process.wait(60) == REFUSED


@needs_views
def test_namespaces_that_are_refused_in_the_middle_are_named(view: View) -> None:
    """Inside a view whose own limit of namespaces is one."""
    inner = json.dumps(isolated(["true"], view))
    outer = """
import json, subprocess, sys
open("/proc/sys/user/max_user_namespaces", "w").write("0")
done = subprocess.run(json.loads(sys.argv[1]), capture_output=True, text=True)
print(json.dumps([done.returncode, done.stderr]))
"""
    limited = ["unshare", "--user", "--map-root-user", "--", sys.executable, "-c", outer, inner]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        pytest.skip(f"the limit cannot be set here: {done.stderr.strip()}")
    code, said = json.loads(done.stdout)
    assert code == REFUSED
    assert said.startswith("InternalServerError: a private view of the files was refused: unshare: ")
    assert "max_user_namespaces" in said


def test_a_machine_that_refuses_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(offer, "isolated", lambda *_: ["/bin/sh", "-c", "echo 'X: refused: unshare: no' >&2; exit 125"])
    refused = offer.probe(tmp_path)
    assert (refused.private, refused.reason) == (False, "refused: unshare: no")
    assert "(refused: unshare: no)" in refused.words
    assert list(tmp_path.iterdir()) == []


@needs_views
def test_a_folder_of_ones_own_below_a_layer_is_written_to(view: View, tmp_path: Path) -> None:
    (inside := tmp_path / "environment" / "state" / "own").mkdir(parents=True)
    layer = make_layer(Layer(tmp_path / "environment", tmp_path / "changes"))
    seen = shell(replace(view, layers=(layer,), writable={**view.writable, "/opt/ml": inside}), "echo 1 > /opt/ml/kept")
    assert (seen.stderr, (inside / "kept").read_text()) == ("", "1\n")


MOUNTED_BELOW = """
import sys, tempfile
from pathlib import Path
from localcloud.isolation import offer
tempfile.tempdir = sys.argv[1]
print([offer.can_be_layered(Path(name)) for name in sys.argv[2:]])
"""


@needs_views
def test_no_layer_lies_over_a_folder_with_something_mounted_below(tmp_path: Path) -> None:
    for name in ("plain", "drivers"):
        (tmp_path / name / "inside").mkdir(parents=True)
    words = 'mount -t tmpfs none "$1"/drivers/inside && exec "$2" -c "$3" "$1" "$1"/plain "$1"/drivers "$1"/missing'
    shell = ["/bin/sh", "-c", words, "sh", str(tmp_path), sys.executable, MOUNTED_BELOW]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *shell], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[True, False, False]", "")

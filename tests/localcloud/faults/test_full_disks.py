"""A full disk under the state folder, a COMMIT that fails, and databases that are empty, damaged or something else."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import eventually
from commands import clean_environment, run
from engine_support import RUNNING, World, definition, processing
from stepfunctions_support import serving

from localcloud.regions import FOLDER
from localcloud.sagemaker import store as store_module
from localcloud.sagemaker.cloud import DATABASE
from localcloud.sagemaker.store import DiskFullError, Store
from localcloud.sagemaker.store_file import DamagedStoreError
from localcloud.stepfunctions import cloud as states_cloud

WRITES = ("INSERT", "UPDATE", "DELETE")


class FullDisk:
    """A store's connection on a disk with no room for more, as SQLite reports it, until there is."""

    def __init__(self, store: Store, until: Path | None = None) -> None:
        self.real = store._connection
        self.full = True
        self.until = until
        store._connection = self  # type: ignore[assignment]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith(WRITES) and self.full and (self.until is None or self.until.exists()):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self.real.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "some.sqlite")) as opened:
        yield opened


def add(store: Store, name: str, size: int = 1) -> None:
    store.insert("model", name, {"Name": "x" * size}, arn=f"arn:{name}")


def test_a_full_database_is_named_and_takes_writes_again_when_there_is_room(store: Store, tmp_path: Path) -> None:
    add(store, "first")
    [pages] = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFullError) as full:
        add(store, "large", 100_000)
    assert full.value.message == f"The disk that holds {tmp_path} is full. Free space on it."
    assert full.value.status == 400, "a server's fault is tried again by clients"
    store._connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    add(store, "large", 100_000)
    assert [one.name for one in store.page("model", order="name", descending=False)[0]] == ["first", "large"]


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store, tmp_path: Path) -> None:
    store._connection.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE other (id INTEGER PRIMARY KEY);"
        "CREATE TABLE late (id INTEGER REFERENCES other DEFERRABLE INITIALLY DEFERRED);"
    )
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as connection:
        connection.execute("INSERT INTO late VALUES (7)")  # is found out by the COMMIT
    add(store, "later")
    with closing(sqlite3.connect(tmp_path / "some.sqlite")) as other:
        assert other.execute("SELECT name FROM resource").fetchall() == [("later",)]
        assert other.execute("SELECT count(*) FROM late").fetchone() == (0,)


@pytest.mark.parametrize("room", ["the reserve", "somebody frees some"])
def test_when_the_disk_is_full_at_a_jobs_end_step_and_execution_end_all_the_same(
    world: World, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LOOK_SECONDS", 0.02)
    world.behave("Slow", RUNNING)
    world.create(definition(processing("Slow"), processing("Next", DependsOn=["Slow"])))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("Slow", {}).get("StepStatus") == "Executing")
    store = world.cloud.store
    assert store._reserve.stat().st_size == store_module.RESERVE_BYTES
    world.end_job("Slow")
    disk = FullDisk(store, store._reserve if room == "the reserve" else None)
    world.cloud.wake()
    eventually(lambda: not store._reserve.exists())
    disk.full = room == "the reserve"
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert {name: step["StepStatus"] for name, step in world.steps(arn).items()} == {
        "Slow": "Succeeded",
        "Next": "Succeeded",
    }


@pytest.mark.parametrize("found", ["empty", "text", "torn"])
def test_a_database_that_lost_its_content_is_refused_by_its_name(tmp_path: Path, found: str) -> None:
    path = tmp_path / "some.sqlite"
    with closing(Store(path)) as store:
        for number in range(20):
            add(store, str(number), 5000)
    whole = path.read_bytes()
    damaged = {"empty": b"", "text": b"not a database at all\n" * 100, "torn": whole[: len(whole) // 2]}[found]
    path.write_bytes(damaged)
    with pytest.raises(DamagedStoreError, match=f"The database {path} cannot be used: "):
        Store(path)
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    with closing(Store(path)) as store:
        assert len(store.page("model")[0]) == 20


@pytest.mark.parametrize(("server", "file"), [("sagemaker", DATABASE), ("stepfunctions", states_cloud.DATABASE)])
def test_a_server_with_a_damaged_database_does_not_begin_and_its_last_line_names_it(
    tmp_path: Path, server: str, file: str
) -> None:
    """`localcloud up` tells the last line of a part that ends at once."""
    path = tmp_path / "state" / FOLDER / "eu-west-1" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    program = (sys.executable, "-m", f"localcloud.{server}", "--state", str(tmp_path / "state"))
    done = run(
        *program, "--port", "1", "--ministack", "http://x", environment=clean_environment(tmp_path), folder=tmp_path
    )
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last.startswith(f"Error: The database {path} cannot be used: it is empty.")) == (
        1,
        True,
    ), done


SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


def test_on_a_disk_that_is_really_full_an_execution_ends_and_no_other_begins(tmp_path: Path) -> None:
    """The server's state lies on a disk of its own of 4 MB, which this test fills through /proc."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    mount = f'mount -t tmpfs -o size=4m,mode=700 tmpfs "{state}"'
    tried = (
        subprocess.run([*SMALL_DISK, mount], capture_output=True, text=True, check=False)
        if shutil.which("unshare")
        else None
    )
    if tried is None or tried.returncode:
        pytest.skip(f"no file system may be mounted here: {tried.stderr if tried else 'there is no unshare'}")
    with serving(state, inside=(*SMALL_DISK, f'{mount} && exec "$@"', "sh")) as machines:
        assert machines.process
        seen = Path(f"/proc/{machines.process.pid}/root{state}")
        activity = machines.client.create_activity(name="wait")["activityArn"]
        machine = machines.make({"Wait": {"Type": "Task", "Resource": activity, "End": True}})
        execution = machines.client.start_execution(stateMachineArn=machine)["executionArn"]
        token = machines.client.get_activity_task(activityArn=activity)["taskToken"]
        fill(seen / "fill-1")
        machines.client.send_task_success(taskToken=token, output=json.dumps("x" * 100_000))
        assert machines.ended(execution)["status"] == "SUCCEEDED"
        fill(seen / "fill-2")
        with pytest.raises(ClientError) as refused:
            for _ in range(100):
                machines.client.start_execution(stateMachineArn=machine, input=json.dumps("x" * 200_000))
        answer = refused.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, "a server's fault would be tried again"
        assert f"The disk that holds {state}" in answer["Error"]["Message"], answer


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    stream.write(bytes(size))

"""A full disk under the state folder, a COMMIT that fails, and databases that are empty, damaged or something else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import Command, eventually
from engine_support import RUNNING, World, definition, processing

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


@pytest.mark.parametrize("file", [DATABASE, states_cloud.DATABASE])
def test_a_cloud_with_a_damaged_database_does_not_come_up_and_names_it(scones: Command, state: Path, file: str) -> None:
    path = state / FOLDER / "eu-west-1" / file
    state.mkdir(mode=0o700)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    ports = ("--port", "0", "--sagemaker-port", "0", "--stepfunctions-port", "0")
    done = scones("local", "up", *ports, "--state", state)
    assert (done.returncode, f"The database {path} cannot be used: it is empty." in done.stderr) == (1, True), done

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from localcloud.sagemaker.store import AlreadyExistsError, MissingError, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "test.sqlite")) as opened:
        yield opened


def add(store: Store, *names: str, kind: str = "model", parent: str = "", status: str = "") -> None:
    for name in names:
        store.insert(kind, name, {"Name": name}, arn=f"arn:{kind}/{name}", parent=parent, status=status)


def names(page: list) -> list[str]:  # type: ignore[type-arg]
    return [resource.name for resource in page]


def test_what_is_inserted_is_found_by_name_and_arn(store: Store) -> None:
    add(store, "a")
    assert store.find("model", "a") == store.find_arn("arn:model/a")
    assert store.find("model", "b") is None
    assert store.find("job", "a") is None


def test_a_second_resource_of_the_same_name_is_refused(store: Store) -> None:
    add(store, "a")
    with pytest.raises(AlreadyExistsError):
        add(store, "a")
    add(store, "a", kind="job")


def test_an_update_merges_and_sets_the_status(store: Store) -> None:
    add(store, "a", status="new")
    updated = store.update("model", "a", {"Colour": "red"}, status="old")
    assert updated == store.find("model", "a")
    assert (updated.body, updated.status) == ({"Name": "a", "Colour": "red"}, "old")
    assert store.update("model", "a", {}).status == "old"


def test_an_update_of_nothing_is_refused(store: Store) -> None:
    with pytest.raises(MissingError):
        store.update("model", "a", {})


def test_pages_join_up_to_the_whole_in_either_order(store: Store) -> None:
    add(store, *"abcdefg")
    for descending in (True, False):
        seen, token = [], ""
        while True:
            page, token = store.page("model", limit=3, after=token, descending=descending)
            seen += names(page)
            if not token:
                break
        assert seen == sorted("abcdefg", reverse=descending)


def test_a_page_is_filtered_by_parent_status_and_name(store: Store) -> None:
    add(store, "ab", parent="p", status="ok")
    add(store, "bc", parent="p", status="bad")
    add(store, "cd", parent="q", status="ok")
    assert names(store.page("model", parent="p", descending=False)[0]) == ["ab", "bc"]
    assert names(store.page("model", statuses=("ok",), descending=False)[0]) == ["ab", "cd"]
    assert names(store.page("model", name_contains="b", descending=False)[0]) == ["ab", "bc"]


def test_everything_survives_without_a_clean_close(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "s.sqlite")) as first:
        add(first, "a")
        with closing(Store(tmp_path / "s.sqlite")) as second:
            assert second.find("model", "a")


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        add(store, "a")
        _ = 1 / 0
    assert store.find("model", "a") is None


def test_threads_lose_no_update(store: Store) -> None:
    store.insert("counter", "c", {"n": 0}, arn="arn:c")

    def count() -> None:
        for _ in range(50):
            store.update("counter", "c", lambda body: {"n": body["n"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counter = store.find("counter", "c")
    assert counter and counter.body == {"n": 200}


def test_tags_go_with_their_resource(store: Store) -> None:
    add(store, "a")
    store.set_tags("arn:model/a", {"x": "1", "y": "2"})
    store.set_tags("arn:model/a", {"x": "3"})
    store.delete_tags("arn:model/a", ["y", "z"])
    assert store.tags("arn:model/a") == {"x": "3"}
    assert store.delete("model", "a")
    assert store.tags("arn:model/a") == {}
    assert not store.delete("model", "a")

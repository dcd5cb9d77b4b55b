"""How tests spread over the processes of a parallel run, `pytest -n 3`.

A file's tests stay in one process, so that what its fixtures make (a deployed stack, a trained model) is made once, and
so do those of a folder that shares such fixtures. All that use the local cloud's usual ports stay in one process
together, so they never run side by side. What takes long begins first: otherwise one process would still be at it when
the others have nothing left to do.

pytest-xdist's own `--dist loadgroup` would be for this; with pytest 9.2 it silently ignores its marks (its issue 1386).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

USUAL_PORTS = {"test_demo.py", "test_docs.py"}
STORIES = "stories"
SHARING = {"desk"}
"""Folders of stories whose files have fixtures of scope "package"."""


class Spreading(LoadFileScheduling):
    """Files as units of work, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(super()._split_scope(nodeid))
        if file.name in USUAL_PORTS:
            return "usual ports"
        return str(file.parent if file.parent.name in SHARING and STORIES in file.parts else file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spreading:
    config.option.loadscopereorder = False  # not by the number of tests, which says little about how long they take
    return Spreading(config, log)


@pytest.hookimpl(trylast=True)  # after the files were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool, bool]:
    """Its place among all; the files of a folder that shares fixtures follow one another."""
    is_story = STORIES in item.path.parts
    shares = is_story and item.path.parent.name in SHARING
    return item.path.name not in USUAL_PORTS, not is_story, not shares

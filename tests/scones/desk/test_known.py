"""Answers of the cloud are asked for once, and kept for as long as none answers."""

from __future__ import annotations

import pytest

from project.errors import CloudError
from scones.desk import known
from scones.desk.known import Known

GONE = CloudError("No cloud.")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> list[CloudError]:
    """A cloud that answers while the list is empty."""
    problems: list[CloudError] = []
    monkeypatch.setattr(known, "problem_of_cloud", lambda: problems[-1] if problems else None)
    return problems


asked: list[str] = []


def answer(name: str) -> str:
    asked.append(name)
    return f"{name} {len(asked)}"


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def test_a_question_is_asked_once_for_everybody_and_again_after_a_change(cloud: list[CloudError]) -> None:
    desk = Known()
    assert [desk(answer, "a"), desk(answer, "a"), desk(answer, "b")] == ["a 1", "a 1", "b 2"]
    desk.forget()
    assert desk(answer, "a") == "a 3"


def test_an_old_answer_is_asked_for_again(cloud: list[CloudError]) -> None:
    desk = Known()
    assert [desk.at_most_old(0, answer, "a"), desk.at_most_old(0, answer, "a")] == ["a 1", "a 2"]
    assert desk.at_most_old(600, answer, "a") == "a 2"


def test_without_a_cloud_nothing_is_asked_and_what_was_known_is_said(cloud: list[CloudError]) -> None:
    desk = Known()
    assert desk(answer, "a") == "a 1"
    desk.forget()
    cloud.append(GONE)
    assert desk(answer, "a") == "a 1"
    with pytest.raises(CloudError, match="No cloud"):
        desk(answer, "b")
    assert asked == ["a"]
    cloud.clear()
    assert desk(answer, "a") == "a 2"


def test_an_answer_from_before_a_change_is_not_kept(cloud: list[CloudError]) -> None:
    desk = Known()

    def changed_meanwhile() -> str:
        desk.forget()
        return "before"

    assert desk(changed_meanwhile) == "before"
    assert desk._answers == {}

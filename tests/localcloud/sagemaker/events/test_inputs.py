"""What a target gets of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.sagemaker.events.inputs import target_input
from localcloud.sagemaker.events.rules import EventRule

EVENT: dict[str, Any] = {
    "id": "1",
    "time": "2026-11-20T10:00:00Z",
    "resources": ["arn:a", "arn:b"],
    "detail": {"name": "a model", "version": 3, "nested": {"ok": True}, "none": None},
}
RULE = EventRule("approval", "arn:rule", "{}")


def given(**target: Any) -> str:
    return target_input(target, RULE, EVENT)


def test_by_default_it_is_the_whole_event() -> None:
    assert json.loads(given()) == EVENT


def test_a_constant_replaces_it() -> None:
    assert given(Input='{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.detail", EVENT["detail"]),
        ("$.detail.nested.ok", True),
        ("$.resources[1]", "arn:b"),
        ("$", EVENT),
        ("$.detail.missing", EVENT),
    ],
)
def test_a_path_selects_a_part_and_one_that_leads_nowhere_leaves_the_event(path: str, expected: Any) -> None:
    assert json.loads(given(InputPath=path)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"n": <name>, "v": <version>, "o": <nested>}', {"n": "a model", "v": 3, "o": {"ok": True}}),
        ('{"text": "<name>, version <version>"}', {"text": "a model, version 3"}),
        ('{"missing": <missing>, "none": <none>}', {"missing": "", "none": None}),
        ('{"unknown": "<other>"}', {"unknown": "<other>"}),
        ('"<name> in \\"quotes\\""', 'a model in "quotes"'),
        ('{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>"}', {"rule": "approval", "arn": "arn:rule"}),
        ('{"all": <aws.events.event.json>}', {"all": EVENT}),
        ('{"head": <aws.events.event>}', {"head": {key: EVENT[key] for key in EVENT if key != "detail"}}),
        ('{"at": <aws.events.event.ingestion-time>}', {"at": "2026-11-20T10:00:00Z"}),
    ],
)
def test_a_template_is_filled_in(template: str, expected: Any) -> None:
    paths = {
        "name": "$.detail.name",
        "version": "$.detail.version",
        "nested": "$.detail.nested",
        "none": "$.detail.none",
        "missing": "$.detail.missing",
    }
    text = given(InputTransformer={"InputPathsMap": paths, "InputTemplate": template})
    assert json.loads(text) == expected


def test_a_template_without_quotes_is_text() -> None:
    template = "version <v> of <n>"
    paths = {"v": "$.detail.version", "n": "$.detail.name"}
    assert given(InputTransformer={"InputPathsMap": paths, "InputTemplate": template}) == "version 3 of a model"

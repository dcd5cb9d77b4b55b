"""A security scanner on all templates: what it finds is mended, or accepted with a reason that stands in a file."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from iam_support import CI, DESK

from infra import template

ACCEPTED: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("accepted_findings.toml").read_text(encoding="utf-8")
)["accepted"]
Finding = tuple[str, str, str]  # rule, resource, action


def scanned(content: dict[str, Any], folder: Path) -> set[Finding]:
    """What the scanner finds in a template.

    Alarms and outputs are left out: they grant nothing, and the scanner's parser does not know every form of them.
    """
    resources = {name: one for name, one in content["Resources"].items() if one["Type"] != "AWS::CloudWatch::Alarm"}
    file, values = folder / "template.json", folder / "values.json"
    kept = {key: value for key, value in content.items() if key != "Outputs"}
    file.write_text(json.dumps(kept | {"Resources": resources}), encoding="utf-8")
    values.write_text('{"ProjectName": "scones-unlimited"}', encoding="utf-8")
    command = [Path(sys.executable).with_name("cfripper"), file, "--format", "json", "--logging", "ERROR"]
    done = subprocess.run(
        [*command, "--resolve", "--resolve-parameters", values], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 2}, done.stderr
    report = json.loads(done.stdout)
    assert report["exceptions"] == []
    return {
        (finding["rule"], resource, action)
        for finding in report["failures"]
        for resource in finding["resource_ids"]
        for action in finding["actions"] or [""]
    }


def accepted(content: dict[str, Any]) -> set[Finding]:
    return {
        (one["rule"], one["resource"], action)
        for one in ACCEPTED
        if one["resource"] in content["Resources"]
        for action in one["actions"]
    }


@pytest.mark.parametrize("content", [template.load(), CI, DESK], ids=["stack", "ci", "desk"])
def test_the_scanner_finds_nothing_that_is_not_accepted_with_a_reason(content: dict[str, Any], tmp_path: Path) -> None:
    assert scanned(content, tmp_path) == accepted(content)


def test_every_accepted_finding_has_a_reason() -> None:
    assert all(len(one["reason"]) > 20 for one in ACCEPTED)


def test_a_wildcard_and_an_open_bucket_policy_are_found(tmp_path: Path) -> None:
    """The scanner bites."""
    content = template.load()
    content["Resources"]["ModelRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] = "s3:*"
    [statement] = content["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    statement |= {"Effect": "Allow", "Condition": {}}
    found = {(rule, resource) for rule, resource, _ in scanned(content, tmp_path) - accepted(content)}
    assert {resource for _, resource in found} >= {"ModelRole", "BucketPolicy"}

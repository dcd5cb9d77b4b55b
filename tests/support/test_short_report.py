"""The JUnit report that CodeBuild takes: few cases, and every failure among them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from short_report import MOST_CASES, shorten

TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_many(number):
    assert number != 3

def test_not_here():
    pytest.skip("no browser")
"""


def cases(folder: Path, count: int) -> list[ElementTree.Element]:
    (folder / "test_some.py").write_text(TESTS.format(count=count))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", "all.xml", "test_some.py"]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)
    shorten(folder / "all.xml")
    tree = ElementTree.parse(folder / "all.xml")
    assert [suite.get("tests") for suite in tree.iter("testsuite")] == [str(count + 1)]
    return list(tree.iter("testcase"))


def test_what_passed_is_one_case_and_what_did_not_is_told_by_name(tmp_path: Path) -> None:
    *told, rest = cases(tmp_path, 20)  # in the order in which they ran, which is any
    assert rest.get("name") == "19 passed"
    found = {case.get("name"): [part.tag for part in case] for case in told}
    assert found == {"test_many[3]": ["failure"], "test_not_here": ["skipped"]}


def test_the_report_stays_within_what_codebuild_takes(tmp_path: Path) -> None:
    suite = ElementTree.Element("testsuite")
    for number in range(MOST_CASES + 100):
        case = ElementTree.SubElement(suite, "testcase", {"classname": f"file{number}", "name": "test", "time": "0.1"})
        if number % 2:
            ElementTree.SubElement(case, "failure", {"message": "wrong"})
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.ElementTree(root).write(tmp_path / "all.xml")
    shorten(tmp_path / "all.xml")
    kept = list(ElementTree.parse(tmp_path / "all.xml").iter("testcase"))
    assert len(kept) == MOST_CASES
    assert sum(case.find("failure") is not None for case in kept) == (MOST_CASES + 100) // 2

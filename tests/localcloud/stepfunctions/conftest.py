"""One local Step Functions for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud
from stepfunctions_support import FunctionError, Machines, serving


def _refuse(event: Any) -> Any:
    raise FunctionError("OutOfSconesError", f"none left for {event['guest']}")


OPEN: set[str] = set()
"""The gates that are open."""


def _pass_gate(event: Any) -> Any:
    if event not in OPEN:
        raise FunctionError("GateClosedError", f"gate {event} is closed")
    return f"through {event}"


FUNCTIONS = {"echo": lambda event: event, "refuse": _refuse, "large": lambda event: "x" * 300_000, "gate": _pass_gate}


@pytest.fixture
def open_gates() -> Iterator[set[str]]:
    """The gates that the function `gate` lets pass; a test adds to them."""
    yield OPEN
    OPEN.clear()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with serving(tmp_path_factory.mktemp("stepfunctions") / "state", FUNCTIONS) as running:
        yield running


@pytest.fixture
def cloud_machines(on_local_cloud: LocalCloud) -> Machines:
    """The Step Functions of a whole local cloud."""
    return Machines(boto3.client("stepfunctions"))

"""Walk stepfunctions/deploy.asl.json in this process: the real definition, the real handler, no waiting.

Only what that definition uses is understood; anything else stops the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fake_aws import FakeAws, arn
from lambda_support import CONTEXT, LIVE_PARAMETER

from lambdas.deploy.handler import handler as deploy
from lambdas.deploy.plan import hosting, names
from lambdas.monitor.handler import handler as monitor
from stepfunctions.machines import load

VERSION_ONE_LIVE: dict[str, Any] = {}
"""What the deployment of version 1 leaves behind, once it was walked in this process."""
STATES: dict[str, Any] = load("deploy")["States"]
HANDLERS = {"${DeployFunctionArn}": deploy, "${MonitorFunctionArn}": monitor}


@dataclass
class Walk:
    """One execution: where it is, what it knows, which messages it published."""

    plan: dict[str, Any]
    at: str | None = "ReviewPackage"
    path: list[str] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None
    cause: str = ""

    def step(self) -> None:
        """Run the state the execution is at, and go on to the next."""
        assert self.at is not None
        state = STATES[self.at]
        self.path.append(self.at)
        assert len(self.path) < 200, "it goes round for ever"
        self.at = {"Task": self._task, "Choice": self._choice, "Wait": self._wait, "Fail": self._fail}.get(
            state["Type"], self._succeed
        )(state)

    def to(self, name: str) -> None:
        """Run until the next state is `name`."""
        while self.at != name:
            self.step()

    def _task(self, state: dict[str, Any]) -> str:
        parameters = state["Parameters"]
        if state["Resource"].endswith("sns:publish"):
            self.messages.append((parameters["Subject"], self._message(parameters["Message.$"])))
        else:
            payload = dict(parameters["Payload"])
            assert payload.pop("plan.$") == "$"
            handler = HANDLERS[parameters["FunctionName"]]
            try:
                self.plan = json.loads(
                    json.dumps(handler({**payload, "plan": json.loads(json.dumps(self.plan))}, CONTEXT))
                )
            except Exception as crash:
                catcher = state["Catch"][-1]
                assert catcher["ErrorEquals"] == ["States.ALL"]
                self.plan["failure"] = {"Error": type(crash).__name__, "Cause": str(crash)}
                return str(catcher["Next"])
        return str(state["Next"])

    def _message(self, path: str) -> str:
        if path.startswith("States.Format"):
            template, *values = re.fullmatch(r"States\.Format\('(.*?)'((?:, \$[\w.]+)+)\)", path).groups()  # type: ignore[union-attr]
            return str(template).format(*(self._at(value) for value in values[0].split(", ")[1:]))
        return str(self._at(path))

    def _at(self, path: str) -> Any:
        place: Any = self.plan
        for part in path.removeprefix("$.").split("."):
            place = place[part]
        return place

    def _choice(self, state: dict[str, Any]) -> str:
        for rule in state["Choices"]:
            assert rule["Variable"] == "$.outcome"
            if self.plan["outcome"] == rule["StringEquals"]:
                return str(rule["Next"])
        return str(state["Default"])

    def _wait(self, state: dict[str, Any]) -> str:
        assert self.plan[state["SecondsPath"].removeprefix("$.")] >= 1
        return str(state["Next"])

    def _fail(self, state: dict[str, Any]) -> None:
        place: Any = self.plan
        for part in state["ErrorPath"].removeprefix("$.").split(".")[:-1]:
            place = place[part]
        self.error = place[state["ErrorPath"].rpartition(".")[2]]
        self.cause = place[state["CausePath"].rpartition(".")[2]]

    def _succeed(self, state: dict[str, Any]) -> None:
        assert state["Type"] == "Succeed"


def walked(event: dict[str, Any], meanwhile: dict[str, Callable[[], None]] | None = None) -> Walk:
    """Run an execution to its end; `meanwhile` does something before a state is entered for the first time."""
    walk, todo = Walk(event), dict(meanwhile or {})
    while walk.at is not None:
        if action := todo.pop(walk.at, None):
            action()
        walk.step()
    return walk


def approval(version: int, status: str = "Approved") -> dict[str, Any]:
    """The event as SageMaker sends it, as far as anybody reads it."""
    detail = {"ModelPackageArn": arn(version), "ModelApprovalStatus": status}
    return {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change", "detail": detail}


def outcome(walk: Walk) -> str:
    """The name of its error, or of the state that it ended in."""
    return walk.error or walk.path[-1]


def config_of(version: int) -> str:
    """The endpoint configuration that a deployment of this version makes."""
    return names(hosting(), arn(version))["config"]


@pytest.fixture
def aws(function_environment: FakeAws) -> FakeAws:
    """The SageMaker that the functions reach."""
    return function_environment


@pytest.fixture
def live_one(aws: FakeAws) -> FakeAws:
    """Version 1 is live."""
    if VERSION_ONE_LIVE:
        aws.restore(VERSION_ONE_LIVE)
    else:
        aws.register(1)
        assert walked(approval(1)).error is None
        aws.invocations.clear()
        VERSION_ONE_LIVE.update(aws.state())
    return aws


def assert_only_version_one_is_left(aws: FakeAws) -> None:
    assert aws.live["EndpointConfigName"] == config_of(1)
    assert aws.live["EndpointStatus"] == "InService"
    assert list(aws.configs) == [config_of(1)]
    assert len(aws.models) == 1
    assert json.loads(aws.parameters[LIVE_PARAMETER])["version"] == 1


def assert_nothing_is_live(aws: FakeAws) -> None:
    assert aws.endpoints == {}
    assert json.loads(aws.parameters.get(LIVE_PARAMETER, "{}")) == {}
    assert aws.schedules == {}

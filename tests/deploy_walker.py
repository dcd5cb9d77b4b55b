"""Walk stepfunctions/deploy.asl.json in this process: the real definition, the real handler, no waiting.

Only what that definition uses is understood; anything else stops the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lambda_support import CONTEXT

from lambdas.deploy.handler import handler as deploy
from lambdas.monitor.handler import handler as monitor
from stepfunctions.machines import load

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
        state = load("deploy")["States"][self.at]
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

"""How far an execution is: the state at which each of its programs stands, so that a redrive goes on from there.

A program is the definition itself, a branch of a Parallel state or an iteration of an inline Map. AWS: API reference,
RedriveExecution: it "continues the failed execution from the unsuccessful step and uses the same input", and of
Parallel and inline Map states "redrives only the iterations and branches that failed or aborted".
"""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

from localcloud.stepfunctions.engine.overrides.encoding import to_json_str

Node = dict[str, Any]
"""`state`, `input` and `variables` of a program that is at a state, or the `output` of one that is done; `inside` has
the programs of that state, by "<state>/<index>"."""
Trail = tuple[str, ...]
"""The way to a program: () is the definition itself."""


class Progress:
    """The tree of programs of one execution; what was `saved` of an earlier attempt is gone on from."""

    def __init__(self, saved: Node | None = None) -> None:
        self._lock = threading.Lock()
        self._root: Node = _marked(copy.deepcopy(saved)) if saved else {}

    def enter(self, trail: Trail, state: str, value: Any, variables: dict[str, Any]) -> None:
        """The program enters a state."""
        with self._lock:
            node = self._at(trail, make=True)
            again = node.pop("again", False)
            inside = node.get("inside", {}) if again else {}
            node.clear()
            node |= {"state": state, "input": value, "variables": variables, "inside": inside}
            if again:
                node["resumed"] = state

    def finish(self, trail: Trail, output: Any) -> None:
        """The program is done."""
        with self._lock:
            node = self._at(trail, make=True)
            node.clear()
            node["output"] = output

    def resume(self, trail: Trail) -> Node | None:
        """Where the program stood in the attempt before; told once."""
        with self._lock:
            node = self._at(trail, make=False)
            if node is None or not node.pop("before", False):
                return None
            node["again"] = True
            return dict(node)

    def take_resumed(self, trail: Trail, state: str) -> bool:
        """Whether the program entered this state because it stood there before; told once."""
        with self._lock:
            node = self._at(trail, make=False)
            return node is not None and node.pop("resumed", None) == state

    def saved(self) -> Node:
        """The tree as JSON values; results of AWS's SDKs hold times and more."""
        with self._lock:
            found: Node = json.loads(to_json_str(self._root))
        return found

    def _at(self, trail: Trail, make: bool) -> Any:
        node = self._root
        for step in trail:
            inside = node.setdefault("inside", {})
            if step not in inside and not make:
                return None
            node = inside.setdefault(step, {})
        return node


def _marked(node: Node) -> Node:
    for name in ("again", "resumed"):
        node.pop(name, None)
    if "state" in node or "output" in node:
        node["before"] = True
    for inner in node.get("inside", {}).values():
        _marked(inner)
    return node


def of_events(events: list[dict[str, Any]], states: dict[str, Any], parse: Any) -> Node | None:
    """The progress of an execution whose server was killed, as far as its history tells: the definition's own state.

    Args:
        events: the whole history.
        states: the states of the definition itself.
        parse: reads JSON text.
    """
    variables: dict[str, Any] = {}
    at: Node | None = None
    for event in events:
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") in states:
            variables |= {name: parse(text) for name, text in exited.get("assignedVariables", {}).items()}
        entered = event.get("stateEnteredEventDetails", {})
        if entered.get("name") in states:
            at = {"state": entered["name"], "input": parse(entered["input"]), "variables": dict(variables)}
    return at

"""What each state of a machine gets and hands on, as far as its definition says.

Only JSONPath states are followed; a state in JSONata hands on nothing that is known. The rules are those of the Amazon
States Language (states-language.net): InputPath, Parameters, ResultSelector, ResultPath, OutputPath, in this order, and
`{Error, Cause}` at a catcher's ResultPath.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepfunctions.values import (
    PATH,
    Anything,
    Array,
    Found,
    Scalar,
    Value,
    joined,
    literal,
    look_up,
    parsed,
    put,
    record,
    refined,
)

StateMachine = dict[str, Any]
MOST_ROUNDS = 50
"""A loop is followed until nothing new is learned of it, at most so often."""

FIELDS = (
    *("TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath", "TimestampPath"),
    *("ItemsPath", "MaxConcurrencyPath"),
)
"""Fields that hold a path into the state's effective input."""
FAILURE = record({"Error": (Scalar(), True), "Cause": (Scalar(), True)})
_SDK = ("SdkHttpMetadata", "SdkResponseMetadata")
RESULTS = {
    "arn:aws:states:::lambda:invoke": ("ExecutedVersion", "FunctionError", "LogResult", "Payload", "StatusCode", *_SDK),
    "arn:aws:states:::sns:publish": ("MessageId", "SequenceNumber", *_SDK),
}
"""What optimized integrations answer: the members of the API's answer in botocore's model, and the SDK's own."""


@dataclass(frozen=True)
class Use:
    """A path that a state reads.

    Attributes:
        state: its name, with the states around it.
        field: where the path stands.
        path: as it is written.
        found: whether it leads somewhere.
        value: what it leads to.
    """

    state: str
    field: str
    path: str
    found: Found
    value: Value


def uses(machine: StateMachine) -> list[Use]:
    """Every plain path of every state that can be reached, with what is known of it."""
    reader = _Reader()
    reader.scope(machine, Anything(is_input=True), "", machine.get("QueryLanguage") != "JSONata")
    return list({(use.state, use.field, use.path): use for use in reader.uses}.values())


class _Reader:
    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.seen: dict[int, tuple[Value, Value | None, list[Use]]] = {}

    def scope(self, scope: StateMachine, given: Value, where: str, plain: bool) -> Value | None:
        """Follow one level of states; its output, or None if it never ends well.

        What came of the last input is kept: a scope is asked at least twice, and so is each that is around it.
        """
        before = len(self.uses)
        known, output, read = self.seen.get(id(scope), (None, None, []))
        if known == given:
            self.uses += read
            return output
        output = self._followed(scope, given, where, plain)
        self.seen[id(scope)] = given, output, self.uses[before:]
        return output

    def _followed(self, scope: StateMachine, given: Value, where: str, plain: bool) -> Value | None:
        states: dict[str, StateMachine] = scope.get("States", {})
        inputs: dict[str, Value] = {}
        before = len(self.uses)
        waiting = [(scope.get("StartAt"), given)]
        results: dict[str, Value | None] = {}
        for _ in range(MOST_ROUNDS * max(1, len(states))):
            if not waiting:
                break
            name, value = waiting.pop(0)
            if name not in states:
                continue
            known = joined(inputs[name], value) if name in inputs else value
            if inputs.get(name) == known:
                continue
            inputs[name] = known
            results[name], onward = self.state(states[name], known, where + name, plain)
            waiting += onward
        else:  # no end: nothing is known
            del self.uses[before:]
            return Anything()
        del self.uses[before:]  # what was seen on the way is not what holds at the end
        for name, value in inputs.items():
            results[name], _ = self.state(states[name], value, where + name, plain)
        ends = [value for value in results.values() if value is not None]
        output = ends[0] if ends else None
        for value in ends[1:]:
            output = joined(output, value) if output is not None else value
        return output

    def state(
        self, state: StateMachine, given: Value, where: str, plain: bool
    ) -> tuple[Value | None, list[tuple[str | None, Value]]]:
        """What the state hands to its scope if it ends there, and to whom else it hands what."""
        kind = state.get("Type")
        if state.get("QueryLanguage", "JSONPath" if plain else "JSONata") == "JSONata":
            return self._unknown(state, where)
        read = self._read(where, given, "InputPath", state.get("InputPath", "$"))
        value = read if state.get("InputPath", "$") is not None else record({})
        if kind == "Choice":
            return None, self._choices(state, given, value, where)
        if kind == "Fail":
            for field in ("ErrorPath", "CausePath"):
                self._field(state, field, where, value)
            return None, []
        for field in FIELDS:
            self._field(state, field, where, value)
        if "Parameters" in state.get("ItemReader", {}):
            self._template(state["ItemReader"]["Parameters"], value, where, "ItemReader.Parameters")
        used = [steps for steps in self._paths(state.get("Parameters")) if steps]
        result = self._result(state, value, where)
        if state.get("InputPath", "$") == "$":
            for steps in used:
                given = refined(given, steps)
        onward: list[tuple[str | None, Value]] = [
            (rule.get("Next"), _at(given, rule.get("ResultPath", "$"), FAILURE)) for rule in state.get("Catch", [])
        ]
        if result is None:
            return None, onward
        if kind in {"Task", "Parallel", "Map"} and "ResultSelector" in state:
            result = self._template(state["ResultSelector"], result, where, "ResultSelector")
        output = given
        if kind in {"Wait", "Succeed"}:
            output = value
        elif state.get("ResultPath", "$") is not None:
            output = _at(given, state.get("ResultPath", "$"), result)
        if state.get("OutputPath", "$") is None:
            output = record({})
        else:
            output = self._read(where, output, "OutputPath", state.get("OutputPath", "$"))
        if "Next" in state:
            return None, [*onward, (state["Next"], output)]
        return output, onward

    def _result(self, state: StateMachine, value: Value, where: str) -> Value | None:
        """What the state makes of its effective input; None if none of its branches ends well."""
        kind, plain = state.get("Type"), True
        if kind == "Pass" and "Result" in state:
            return literal(state["Result"])
        if kind != "Map" and "Parameters" in state:
            value = self._template(state["Parameters"], value, where, "Parameters")
        if kind == "Task":
            names = RESULTS.get(str(state.get("Resource")))
            return record({name: (Anything(), True) for name in names}) if names else Anything()
        if kind == "Parallel":
            branches = [self.scope(branch, value, f"{where}/", plain) for branch in state.get("Branches", [])]
            return Array(tuple(branches)) if None not in branches else None  # type: ignore[arg-type]
        if kind == "Map":
            item: Value = Anything()
            for field in ("ItemSelector", "Parameters"):
                if field in state:
                    item = self._template(state[field], value, where, field)
            processor = state.get("ItemProcessor") or state.get("Iterator") or {}
            self.scope(processor, Anything() if "ItemBatcher" in state else item, f"{where}/", plain)
            return Anything() if "ResultWriter" in state else Array()
        return value

    def _choices(self, state: StateMachine, given: Value, value: Value, where: str) -> list[tuple[str | None, Value]]:
        onward: list[tuple[str | None, Value]] = []
        for rule in state.get("Choices", []):
            if rule.get("QueryLanguage") == "JSONata" or "Condition" in rule:
                continue
            taken = self._rule(rule, value, where)
            onward.append((rule.get("Next"), taken))
            if rule.get("IsPresent") is False and (steps := parsed(str(rule.get("Variable")))):
                value = refined(value, steps)  # whoever comes further has it
            inner = rule.get("Not", {})
            if inner.get("IsPresent") is True and (steps := parsed(str(inner.get("Variable")))):
                value = refined(value, steps)
            if rule.get("IsPresent") is None:
                for each in _variables(rule):
                    value = refined(value, each) if not _guarded(rule) else value
        onward.append((state.get("Default"), value))
        return [(name, self._read(where, out, "OutputPath", state.get("OutputPath", "$"))) for name, out in onward]

    def _rule(self, rule: StateMachine, value: Value, where: str) -> Value:
        """What is known of the value when the rule holds; reads its paths on the way."""
        for part in rule.get("And", []):
            value = self._rule(part, value, where)
        seen = value
        for part in rule.get("Or", []):
            self._rule(part, seen, where)
            if part.get("IsPresent") is False and (steps := parsed(str(part.get("Variable")))):
                seen = refined(seen, steps)
        if "Not" in rule:
            self._rule(rule["Not"], value, where)
        if "Variable" not in rule:
            return value
        steps = parsed(str(rule["Variable"]))
        if "IsPresent" not in rule:
            self._read(where, value, "Variable", rule["Variable"])
        for operator, other in rule.items():
            if operator.endswith("Path") and isinstance(other, str):
                self._read(where, value, operator, other)
        return refined(value, steps) if steps and rule.get("IsPresent") is not False else value

    def _template(self, template: Any, value: Value, where: str, field: str) -> Value:
        """What a payload template makes of the value."""
        if isinstance(template, list):
            return Array(tuple(self._template(inner, value, where, field) for inner in template))
        if not isinstance(template, dict):
            return Scalar(template)
        members: dict[str, tuple[Value, bool]] = {}
        for name, inner in template.items():
            if name.endswith(".$") and isinstance(inner, str):
                members[name[:-2]] = (self._expression(inner, value, where, f"{field}.{name}"), True)
            else:
                members[name] = (self._template(inner, value, where, f"{field}.{name}"), True)
        return record(members)

    def _expression(self, text: str, value: Value, where: str, field: str) -> Value:
        if not text.startswith("States."):
            return self._read(where, value, field, text)
        for path in _inside(text):
            self._read(where, value, field, path)
        return Anything()

    def _field(self, state: StateMachine, field: str, where: str, value: Value) -> None:
        if isinstance(state.get(field), str):
            self._expression(state[field], value, where, field)

    def _read(self, where: str, value: Value, field: str, path: Any) -> Value:
        """What a path leads to; notes the use."""
        steps = parsed(path) if isinstance(path, str) else None
        if steps is None:
            return Anything()
        inner, found = look_up(value, steps)
        if steps or field.endswith(".Payload.$"):
            self.uses.append(Use(where, field, path, found, inner))
        return inner

    def _paths(self, template: Any) -> Iterator[list[Any]]:
        if isinstance(template, dict):
            for name, inner in template.items():
                if name.endswith(".$") and isinstance(inner, str):
                    for path in _inside(inner) if inner.startswith("States.") else [inner]:
                        yield parsed(path) or []
                else:
                    yield from self._paths(inner)

    def _unknown(self, state: StateMachine, where: str) -> tuple[Value | None, list[tuple[str | None, Value]]]:
        """A state in JSONata: everything beyond it is unknown, and what stands inside it is in JSONata too."""
        names = [rule.get("Next") for rule in [*state.get("Catch", []), *state.get("Choices", [])]]
        names += [state.get("Default"), state.get("Next")]
        onward: list[tuple[str | None, Value]] = [(name, Anything()) for name in names if name]
        return (Anything() if state.get("End") or state.get("Type") == "Succeed" else None), onward


def _at(value: Value, path: Any, new: Value) -> Value:
    if path is None:
        return value
    steps = parsed(str(path))
    return Anything() if steps is None else put(value, steps, new)


def _inside(expression: str) -> list[str]:
    """The paths in the arguments of an intrinsic function, which are not in its quoted texts."""
    outside = "".join(part for index, part in enumerate(expression.split("'")) if index % 2 == 0)
    return [match.group() for match in PATH.finditer(outside) if outside[match.start() - 1 : match.start()] != "$"]


def _variables(rule: StateMachine) -> Iterator[list[Any]]:
    """The paths that a rule reads in any case: it would have failed without."""
    if "Variable" in rule and "IsPresent" not in rule:
        yield parsed(str(rule["Variable"])) or []


def _guarded(rule: StateMachine) -> bool:
    return "And" in rule or "Or" in rule or "Not" in rule

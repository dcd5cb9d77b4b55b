"""The state machines drawn as Mermaid state diagrams, for docs/state-machines.md and the terminal.

`python -m stepfunctions.mermaid` brings the drawings in the document up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from project.files import write_text
from stepfunctions.machines import FOLDER, StateMachine, load, names, transitions

DOCUMENT = FOLDER.parent / "docs" / "state-machines.md"
BLOCK = re.compile(r"(<!-- drawing: (\w+) -->\n).*?(<!-- end of drawing -->)", re.DOTALL)


def drawing(definition: StateMachine) -> str:
    """A `stateDiagram-v2` of the machine, branches and item processors as boxes inside their state."""
    return "\n".join(["stateDiagram-v2", *_scope(definition, "    ", count(1))]) + "\n"


def redrawn(document: str) -> str:
    """`document` with the drawing in every marked block replaced by the machine's own."""
    return BLOCK.sub(lambda block: f"{block[1]}```mermaid\n{drawing(load(block[2]))}```\n{block[3]}", document)


def _scope(scope: StateMachine, indent: str, ids: Iterator[int]) -> Iterator[str]:
    states: dict[str, dict[str, Any]] = scope["States"]
    named = {name: f"s{next(ids)}" for name in states}
    for name, state in states.items():
        inner = [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]
        yield f'{indent}state "{name}" as {named[name]}' + (" {" if inner else "")
        for number, branch in enumerate(inner):
            if number:
                yield f"{indent}    --"
            yield from _scope(branch, indent + "    ", ids)
        if inner:
            yield f"{indent}}}"
    yield f"{indent}[*] --> {named[scope['StartAt']]}"
    for name, state in states.items():
        for target, reason in transitions(state):
            yield f"{indent}{named[name]} --> {named[target]}" + (f" : {_plain(reason)}" if reason else "")
        if state["Type"] in {"Succeed", "Fail"} or state.get("End"):
            yield f"{indent}{named[name]} --> [*]" + (" : fails" if state["Type"] == "Fail" else "")


def _plain(reason: str) -> str:
    """Without what Mermaid would read as syntax."""
    return re.sub(r"[:;#{}]", " ", reason)


def main() -> None:
    """Bring the drawings in docs/state-machines.md up to date."""
    missing = [name for name in names() if f"<!-- drawing: {name} -->" not in DOCUMENT.read_text(encoding="utf-8")]
    if missing:
        raise SystemExit(f"{DOCUMENT.name} has no place for {', '.join(missing)}.")
    write_text(DOCUMENT, redrawn(DOCUMENT.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()

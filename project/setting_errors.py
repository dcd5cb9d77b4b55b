"""What is wrong with a setting, in words about settings: the checker's own speak of its library and of patterns."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

LONGEST = 80
"""Characters of a value that a message shows."""
MUST = {
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be less than {lt}",
    "finite_number": "it must be a finite number",
    "literal_error": "it must be {expected}",
    "too_short": "it must have at least {min_length}",
    "too_long": "it must have at most {max_length}",
}
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "a table",
    "model": "a table",
    "tuple": "a list",
}


def wrong(error: ErrorDetails) -> str:
    """Why a value is refused: "it must be at most 1"."""
    kind, facts = error["type"], error.get("ctx", {})
    if kind in MUST:
        return MUST[kind].format(**facts)
    if kind == "value_error":
        return str(facts["error"])
    return f"it must be {KINDS.get(kind.split('_')[0], 'another value')}"


def shown(value: Any) -> str:
    """A value in a message: its beginning, if it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def hint(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """What the unknown key at `path` may have meant, or which keys its section has."""
    for part in path[:-1]:
        inner = [] if isinstance(part, int) else [model.model_fields[part].annotation]
        inner = [each for kind in inner for each in (kind, *getattr(kind, "__args__", ()))]
        model = next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    near = difflib.get_close_matches(str(path[-1]), model.model_fields, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(model.model_fields)}."


def matching(pattern: str, words: str) -> Any:
    """A check that text has the form of `pattern` (ASCII), whose message is `words`."""
    form = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(words)
        return value

    return check

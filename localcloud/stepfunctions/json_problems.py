"""What is wrong with a text that is not JSON, in the words of Jackson, the library that AWS reads it with.

AWS: recorded answers of StartExecution ("Unrecognized token 'not': was expecting (JSON String, …)").
"""

from __future__ import annotations

import json
import re

VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def problem(error: Exception) -> str:
    """Jackson's text for what Python's reader found, or Python's own where Jackson has no match."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    text, at = error.doc, error.pos
    if error.msg.startswith("Extra data"):
        return _unrecognized(text, at) or str(error)
    if at >= len(text.rstrip()):
        return "Unexpected end-of-input"
    character = f"Unexpected character ('{text[at]}' (code {ord(text[at])}))"
    if error.msg == "Expecting value":
        return _unrecognized(text, at) or f"{character}: expected a valid value {VALUE}"
    if error.msg.startswith("Expecting property name"):
        return f"{character}: was expecting double-quote to start field name"
    if error.msg.startswith("Expecting ':'"):
        return f"{character}: was expecting a colon to separate field name and value"
    if error.msg.startswith("Expecting ','"):
        return f"{character}: was expecting comma to separate {_container(text[:at])} entries"
    return str(error)


def _unrecognized(text: str, at: int) -> str | None:
    token = re.compile(r"[A-Za-z_$][\w$]*").match(text, at)
    return f"Unrecognized token '{token[0]}': was expecting {VALUE}" if token else None


def _container(before: str) -> str:
    """Whether the text breaks off inside an object or an array."""
    without_texts = re.sub(r'"(?:[^"\\]|\\.)*"', "", before)
    depth = 0
    for character in reversed(without_texts):
        depth += (character in "]}") - (character in "[{")
        if depth < 0:
            return "Object" if character == "{" else "Array"
    return "Root"

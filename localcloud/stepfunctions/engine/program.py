"""A definition as something that can be run."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any

from antlr4 import ParserRuleContext
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

_READING = threading.Lock()
"""ANTLR's readers share tables that they write."""


@lru_cache(maxsize=256)
def program(definition: str) -> Any:
    """The program of a definition, shared by all executions of it: what they change is in their environments.

    Reading a definition takes longer than most executions.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    return read(definition)[0]


def read(definition: str) -> tuple[Any, ParserRuleContext]:
    """A program of its own, and the syntax tree.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    # Written anew, characters beyond 16 bits are one and not two.
    written = json.dumps(json.loads(definition, object_hook=_as_read), ensure_ascii=False)
    with _READING:
        found, tree = AmazonStateLanguageParser.parse(written)
    return found, tree


def _as_read(fields: dict[str, Any]) -> dict[str, Any]:
    """A state as moto's grammar wants it: without the fields of a Map that engine/distributed reads by itself."""
    if fields.get("Type") != "Map":
        return fields
    made = {name: value for name, value in fields.items() if name != "ItemBatcher"}
    percentage = made.get("ToleratedFailurePercentage")
    if isinstance(percentage, int) and not isinstance(percentage, bool):
        made["ToleratedFailurePercentage"] = float(percentage)  # AWS takes 20 as well as 20.0
    for name in ("ItemProcessor", "Iterator"):
        processor = made.get(name)
        if isinstance(processor, dict) and isinstance(processor.get("ProcessorConfig"), dict):
            config = {**processor["ProcessorConfig"], "ExecutionType": "STANDARD"}
            if config.get("Mode") == "DISTRIBUTED":
                made[name] = {**processor, "ProcessorConfig": config}
    writer = made.pop("ResultWriter", None)
    if isinstance(writer, dict) and "Resource" in writer:
        made["ResultWriter"] = {name: value for name, value in writer.items() if name != "WriterConfig"}
    reader = made.get("ItemReader")
    if isinstance(reader, dict) and isinstance(reader.get("ReaderConfig"), dict):
        config = {name: value for name, value in reader["ReaderConfig"].items() if name in _READER_CONFIG}
        if config.get("InputType") not in ("CSV", "JSON"):
            config["InputType"] = "JSON"
        made["ItemReader"] = {**reader, "ReaderConfig": config}
    return made


_READER_CONFIG = ("InputType", "CSVHeaderLocation", "CSVHeaders", "MaxItems", "MaxItemsPath")
"""What moto's grammar has of it."""

"""The data checks of an execution, as its report shows them: what each asks, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
LONG, EXAMPLES = 120, 5
"""Characters of a value, and values that an expectation does not allow, that the table shows."""


def expectations(checks: Json) -> Iterator[Json]:
    """Every expectation of validation.json: held, words, asked, found, examples."""
    for name, table in checks["tables"].items():
        for result in table["results"]:
            config, found = result["expectation_config"], result.get("result", {})
            yield {
                "held": bool(result["success"]),
                "words": config.get("description") or config["type"],
                "asked": _asked(name, config),
                "found": _found(found),
                "examples": ", ".join(map(_example, found.get("partial_unexpected_list", [])[:EXAMPLES])),
            }


def _example(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _asked(table: str, config: Json) -> str:
    """The expectation as Great Expectations has it, without what only it understands."""
    given = {k: v for k, v in config.get("kwargs", {}).items() if k != "batch_id" and v is not None}
    values = ", ".join(f"{name}={_short(value)}" for name, value in given.items())
    return f"{table}: {config['type']}({values})"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _found(result: Json) -> str:
    if "unexpected_count" in result:
        of = f" of {result['element_count']:,}" if result.get("element_count") else ""
        return f"{result['unexpected_count']:,} exceptions{of}"
    return "" if result.get("observed_value") is None else _short(result["observed_value"])

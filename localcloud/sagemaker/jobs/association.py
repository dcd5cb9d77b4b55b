"""A transform job's DataProcessing: what is sent of a record, what its answer is joined with, what of that is kept.

Source: "Associate Prediction Results with Input Records" in the developer guide: records in CSV or JSON, the filters'
operators (`$`, `.name`, `*`, `['name', …]`, `[index, …]`, `[start:end]`), SageMakerOutput and SageMakerInput.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.sagemaker.errors import validation

Form = Literal["CSV", "JSON"]
WHOLE = "$"
INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
_OPERATOR = re.compile(
    r"\.(?P<child>[\w-]+|\*)|\[\s*(?P<any>\*)\s*\]|\[\s*(?P<slice>-?\d*\s*:\s*-?\d*)\s*\]"
    r"|\[\s*(?P<keys>(?:-?\d+|'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:-?\d+|'[^']*'|\"[^\"]*\"))*)\s*\]"
)


class AssociationError(Exception):
    """Records cannot be filtered or joined; the argument says why."""


@dataclass(frozen=True)
class Association:
    """A job's DataProcessing, with the forms of what is sent and of what is answered."""

    input_filter: str
    output_filter: str
    join: bool
    given: Form
    answered: Form
    lines: bool

    def sent(self, payload: bytes) -> bytes:
        """What the model gets of a payload.

        Raises:
            AssociationError: a record is not of its form, or has nothing of what the filter names.
        """
        if self.input_filter == WHOLE:
            return payload
        return self._written([chosen(one, self.input_filter) for one in self._records(payload, self.given)], self.given)

    def result(self, payload: bytes, answer: bytes) -> bytes:
        """What is kept of the answer to a payload.

        Raises:
            AssociationError: as for `sent`, or there are not as many answers as records.
        """
        records = self._records(answer, self.answered)
        if self.join:
            given = self._records(payload, self.given)
            if len(given) != len(records):
                raise AssociationError(
                    "Fail to join data: mismatched line count between the input and the output: "
                    f"{len(given)} and {len(records)}"
                )
            records = [_joined(one, other) for one, other in zip(given, records, strict=True)]
        return self._written([chosen(one, self.output_filter) for one in records], self.answered)

    def _records(self, body: bytes, form: Form) -> list[Any]:
        text = body.decode("utf-8", "replace")
        try:
            if form == "CSV":
                return [row for row in csv.reader(io.StringIO(text)) if row]
            if self.lines:
                return [json.loads(line) for line in text.split("\n") if line.strip()]
            return [json.loads(text)]
        except (ValueError, csv.Error, RecursionError) as error:
            raise AssociationError(f"a record is no {form}: {error}") from None

    def _written(self, records: list[Any], form: Form) -> bytes:
        if form == "JSON":
            return "\n".join(json.dumps(record) for record in records).encode()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(record if isinstance(record, list) else [record] for record in records)
        return text.getvalue().removesuffix("\n").encode()


def association(request: dict[str, Any]) -> Association | None:
    """The DataProcessing of a CreateTransformJob request; None if it has none.

    Raises:
        ServiceError: ValidationException; a filter is none, or the records are in another form than CSV or JSON.
    """
    asked = request.get("DataProcessing")
    if not asked:
        return None
    source, target = request["TransformInput"], request["TransformOutput"]
    join = asked.get("JoinSource", "None") == "Input"
    for name in ("InputFilter", "OutputFilter"):
        _operators(asked.get(name, WHOLE), name)
    if source.get("SplitType", "None") != target.get("AssembleWith", "None") and join:
        raise validation("DataProcessing: with JoinSource, SplitType and AssembleWith must be the same.")
    given = _form(source.get("ContentType", ""))
    answered = _form(target.get("Accept") or source.get("ContentType", ""))
    if join and given != answered:
        raise validation("DataProcessing: to join them, input and output must both be CSV or both be JSON.")
    lines = source.get("SplitType") == "Line"
    filters = asked.get("InputFilter", WHOLE), asked.get("OutputFilter", WHOLE)
    return Association(*filters, join, given, answered, lines)


def _form(content_type: str) -> Form:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/csv":
        return "CSV"
    if kind in ("application/json", "application/jsonlines"):
        return "JSON"
    raise validation(f"DataProcessing filters and joins text/csv, application/json and jsonlines, not {kind!r}.")


def chosen(record: Any, path: str) -> Any:
    """What a filter takes of a record; several children of an object are an object again.

    Raises:
        AssociationError: the record has nothing of what it names.
    """
    for operator in _operators(path, "filter"):
        try:
            record = operator(record)
        except (KeyError, IndexError, TypeError) as error:
            raise AssociationError(f"the filter {path} finds nothing in a record: {error!r}") from None
    return record


def _operators(path: str, member: str) -> Iterator[Any]:
    """The steps of a filter, each a function of a value."""
    if not path.startswith("$"):
        raise validation(f"DataProcessing.{member} must begin with $: {path}")
    steps, position = [], 1
    while position < len(path):
        found = _OPERATOR.match(path, position)
        if not found:
            raise validation(f"DataProcessing.{member} is no JSONPath that is supported: {path}")
        steps.append(_operator(found))
        position = found.end()
    return iter(steps)


def _operator(found: re.Match[str]) -> Any:
    if found["any"] or found["child"] == "*":
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    if found["child"]:
        return lambda value: value[found["child"]]
    if found["slice"]:
        first, last = (int(end) if end.strip() else None for end in found["slice"].split(":"))
        return lambda value: _listed(value)[first:last]
    keys = ast.literal_eval(f"[{found['keys']}]")
    if len(keys) == 1:
        return lambda value: value[keys[0]]
    return lambda value: {key: value[key] for key in keys} if isinstance(value, dict) else [value[key] for key in keys]


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("it is no list")
    return value


def _joined(given: Any, answer: Any) -> Any:
    if isinstance(given, list) and isinstance(answer, list) and all(isinstance(one, str) for one in [*given, *answer]):
        return [*given, *answer]
    if isinstance(given, dict):
        return {**given, OUTPUT: answer}
    return {INPUT: given, OUTPUT: answer}

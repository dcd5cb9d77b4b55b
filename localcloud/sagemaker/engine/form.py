"""The form of a definition: which type each member has, before anything looks into it.

The members are those that SDK 3.27 renders. What a step's arguments hold is the service model's business, and what a
condition holds that of conditions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Form = Any
"""A type, a tuple of types, `[form]` for a list, `{name: form}` for an object of known members; ANYTHING for the rest.
Members that the form does not name may be anything: others refuse them."""

ANYTHING: Form = object
CONFIG = {"Enabled": bool, "ExpireAfter": str}
PROPERTY_FILE = {"PropertyFileName": str, "OutputName": str, "FilePath": str}
RETRY_POLICY = {
    "ExceptionType": [str],
    "IntervalSeconds": (int, float),
    "BackoffRate": (int, float),
    "MaxAttempts": int,
    "ExpireAfterMin": (int, float),
}
STEP: dict[str, Form] = {
    "Arguments": dict,
    "DependsOn": [(str, dict)],
    "DisplayName": str,
    "Description": str,
    "CacheConfig": CONFIG,
    "PropertyFiles": [PROPERTY_FILE],
    "RetryPolicies": [RETRY_POLICY],
}
CONDITION_ARGUMENTS = {"Conditions": [dict], "IfSteps": [STEP], "ElseSteps": [STEP]}
PARAMETER = {"Name": str, "Type": str, "DefaultValue": (str, int, float, bool), "EnumValues": [(str, int, float)]}
DEFINITION = {
    "Version": str,
    "Metadata": dict,
    "Parameters": [PARAMETER],
    "PipelineExperimentConfig": dict,
    "MlflowConfig": dict,
    "Steps": [STEP],
}

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", dict: "an object"}


def problems(form: Form, value: Any, place: str = "") -> Iterator[str]:
    """Where `value` is not of the form."""
    if isinstance(form, Mapping):
        if not isinstance(value, dict):
            yield _wrong(place, value, "an object")
            return
        for name, inner in form.items():
            if name in value:
                yield from problems(inner, value[name], f"{place}.{name}" if place else name)
        if form is STEP and value.get("Type") == "Condition":
            yield from problems(CONDITION_ARGUMENTS, value.get("Arguments", {}), f"{place}.Arguments")
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield _wrong(place, value, "a list")
            return
        for index, item in enumerate(value):
            yield from problems(form[0], item, f"{place}[{index}]")
    elif not _is_a(form, value):
        kinds = form if isinstance(form, tuple) else (form,)
        yield _wrong(place, value, " or ".join(dict.fromkeys(_NAMES[kind] for kind in kinds)))


def _is_a(form: Any, value: Any) -> bool:
    kinds = form if isinstance(form, tuple) else (form,)
    if isinstance(value, bool):
        return bool in kinds or object in kinds
    return isinstance(value, kinds)


def _wrong(place: str, value: Any, wanted: str) -> str:
    found = {dict: "an object", list: "a list", type(None): "null", **_NAMES}[type(value)]
    return f"{place or 'the definition'} is {found}, and must be {wanted}"

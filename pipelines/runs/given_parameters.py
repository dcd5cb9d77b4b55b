"""Whether parameters given for an execution fit: the service looks at them only after the start, or not at all.

A parameter that overrides a setting has the setting's bounds.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping

from localcloud.contract.definition import Json
from pipelines.definition import reviewed_pictures
from pipelines.definition.gates import MINIMUM_FROM_LIVE
from pipelines.definition.instance_types import unknown_instance_type
from project.errors import UsageError
from project.setting_errors import shown
from project.settings import misfit

MAX_VALUE_CHARACTERS = 1024
SETTINGS = {
    "Epochs": "epochs",
    "AccuracyThreshold": "accuracy_threshold",
    MINIMUM_FROM_LIVE: "accuracy_threshold",
    "ProcessingInstanceType": "instances.processing",
    "TrainingInstanceType": "instances.training",
    "TransformInstanceType": "instances.transform",
    "TransformInstanceCount": "instances.transform_count",
}
"""The setting whose bounds a parameter has."""
INSTANCE_TYPES = {
    "ProcessingInstanceType": "ProcessingInstanceType",
    "TrainingInstanceType": "TrainingInstanceType",
    "TransformInstanceType": "TransformInstanceType",
}
"""Parameters that take an instance type, and the enumeration of AWS's service model that has them all."""
FORMS = {
    "InputArchiveUri": (r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", "it must be s3://bucket/key"),
    "InputArchiveSha256": (r"[0-9A-Fa-f]{64}", "it must be 64 hexadecimal digits"),
    reviewed_pictures.PARAMETER: (r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+/", "it must be s3://bucket/prefix/"),
    "LearningRateSteps": (r"[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*", "it must be epochs with commas between: 15,22"),
}
"""Text of a form of its own."""
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def check_parameters(declared: Iterable[Json], given: Mapping[str, str]) -> None:
    """Refuse what the service would refuse only after the start, or not at all.

    Raises:
        UsageError: an unknown name, a value of the wrong type or outside the allowed ones, or none for a parameter
            without default.
    """
    by_name = {parameter["Name"]: parameter for parameter in declared}
    for name, value in given.items():
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            fix = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(by_name)}."
            raise UsageError(f"The deployed pipeline has no parameter {shown(name)}.", fix)
        problem = _not_of_its_type(by_name[name], value) or _out_of_bounds(by_name[name], value)
        if problem:
            raise UsageError(f"Parameter {name} is {shown(value)}: {problem}.")
    for name, parameter in by_name.items():
        if "DefaultValue" not in parameter and name not in given:
            raise UsageError(f"Parameter {name} has no default.", f"Give it: --parameter {name}=VALUE.")


def _not_of_its_type(parameter: Json, value: str) -> str:
    kind, allowed = parameter["Type"], parameter.get("EnumValues")
    if len(value) > MAX_VALUE_CHARACTERS:
        return f"longer than {MAX_VALUE_CHARACTERS} characters"
    if not value.isprintable():
        return "it has characters that cannot be printed"
    if kind == "Integer" and not _WHOLE.fullmatch(value):
        return "not an integer"
    if kind == "Float" and not (_NUMBER.fullmatch(value) and math.isfinite(float(value))):
        return "not a finite number"
    if kind == "Boolean" and value.lower() not in {"true", "false"}:
        return "neither true nor false"
    if allowed and value not in allowed:
        return f"not one of {', '.join(allowed)}"
    return ""


def _out_of_bounds(parameter: Json, value: str) -> str:
    name, kind = parameter["Name"], parameter["Type"]
    if name in SETTINGS:
        number: object = int(value) if kind == "Integer" else float(value) if kind == "Float" else value
        if problem := misfit(SETTINGS[name], number):
            return problem
    if name in INSTANCE_TYPES:
        return unknown_instance_type(value, INSTANCE_TYPES[name])
    form, words = FORMS.get(name, ("", ""))
    return words if form and not re.fullmatch(form, value) else ""

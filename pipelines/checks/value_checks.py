"""Checks of values: names, defaults, strings, addresses, and what the service limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from localcloud.contract import durations
from localcloud.contract.definition import VERSION, Json, literals, steps
from project.problem import Problem

STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
TIME_STAMP = re.compile(r"20\d\d-?[01]\d-?[0-3]\d|(?<!\d)1[6-9]\d{8}(\d{3})?(?!\d)")
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}
CACHEABLE = {
    *(
        "Processing",
        "Training",
        "Transform",
        "Tuning",
        "AutoML",
        "ClarifyCheck",
        "QualityCheck",
        "EMR",
        "EMRServerless",
    ),
    *("Lambda", "Callback", "EndpointConfig", "Endpoint"),
}
"""Documented, and those that the SDK accepts a cache setting for."""
RETRYABLE = {"Processing", "Training", "Transform", "Tuning", "AutoML", "ClarifyCheck", "QualityCheck"}
MAX_DEFINITION_CHARACTERS = 1_048_576
MAX_PARAMETERS = 200


def names_are_valid(definition: Json) -> Iterator[Problem]:
    """Names of steps, displays and parameters are of the service's alphabet and length."""
    for step in steps(definition):
        for what, name in (("name", step.name), ("display name", step.body.get("DisplayName"))):
            if name is not None and not STEP_NAME.fullmatch(str(name)):
                fix = "Use 1 to 64 letters, digits, hyphens and underscores."
                yield Problem(
                    f"step {step.name}", f"the {what} {name!r} ({len(str(name))} characters) is invalid.", fix
                )
    for parameter in definition.get("Parameters", []):
        if not PARAMETER_NAME.fullmatch(str(parameter.get("Name"))):
            yield Problem(f"parameter {parameter.get('Name')!r}", "the name is invalid.", "Use letters and digits.")


def parameter_defaults_fit(definition: Json) -> Iterator[Problem]:
    """A default is of its parameter's type and among its allowed values."""
    for parameter in definition.get("Parameters", []):
        where = f"parameter {parameter.get('Name')}"
        kind, allowed = parameter.get("Type"), parameter.get("EnumValues")
        if kind not in PYTHON_TYPES:
            yield Problem(where, f"there is no type {kind!r}.", f"Use one of {', '.join(PYTHON_TYPES)}.")
            continue
        if "DefaultValue" not in parameter:
            continue
        default = parameter["DefaultValue"]
        if not isinstance(default, PYTHON_TYPES[kind]) or (isinstance(default, bool) and kind != "Boolean"):
            yield Problem(where, f"the default {default!r} is not of type {kind}.", "Change the default or the type.")
        if allowed and default not in allowed:
            yield Problem(where, f"the default {default!r} is not allowed.", f"Use one of {', '.join(allowed)}.")


def hyperparameters_are_strings(definition: Json) -> Iterator[Problem]:
    """CreateTrainingJob takes strings only; a number from a parameter or a file stays a number unless it is joined."""
    numeric = {p.get("Name") for p in definition.get("Parameters", []) if p.get("Type") not in {None, "String"}}
    for step in steps(definition):
        for name, value in (step.arguments.get("HyperParameters") or {}).items():
            reference = value.get("Get", "") if isinstance(value, dict) else ""
            from_number = reference.startswith("Parameters.") and reference.removeprefix("Parameters.") in numeric
            from_file = isinstance(value, dict) and "Std:JsonGet" in value
            if from_number or from_file or not isinstance(value, dict | str):
                yield Problem(
                    f"step {step.name}",
                    f"hyperparameter {name} is {json.dumps(value)}, not a string.",
                    "Write literals as strings, and variables with .to_string().",
                )


def caching_is_possible(definition: Json) -> Iterator[Problem]:
    """Caching is asked for only where there is any, and expires after an ISO 8601 duration."""
    for step in steps(definition):
        config = step.body.get("CacheConfig")
        if not config or not config.get("Enabled"):
            continue
        if step.type not in CACHEABLE:
            yield Problem(f"step {step.name}", f"{step.type} steps are never cached.", "Remove its CacheConfig.")
        expires = str(config.get("ExpireAfter", ""))
        try:
            durations.parse(expires)
        except ValueError:
            fix = "Use an ISO 8601 duration such as P30D."
            yield Problem(f"step {step.name}", f"the cache expires after {expires!r}: not a duration.", fix)


def retries_fit_the_step(definition: Json) -> Iterator[Problem]:
    """Steps that start no job can be retried only on Step.* errors; a fail or condition step not at all."""
    for step in steps(definition):
        for policy in step.body.get("RetryPolicies") or []:
            kinds = policy.get("ExceptionType", [])
            job_kinds = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if "SageMaker." in kind]
            if step.type in {"Fail", "Condition"}:
                yield Problem(f"step {step.name}", f"{step.type} steps are not retried.", "Remove its RetryPolicies.")
            elif job_kinds and step.type not in RETRYABLE:
                fix = "Keep only Step.SERVICE_FAULT and Step.THROTTLING."
                yield Problem(f"step {step.name}", f"starts no job, yet is retried on {', '.join(job_kinds)}.", fix)


def addresses_do_not_change_with_time(definition: Json) -> Iterator[Problem]:
    """A time stamp in an S3 address makes each render differ, so that the cache never hits."""
    for step in steps(definition):
        for path, value in literals(step.arguments):
            found = TIME_STAMP.search(value) if isinstance(value, str) and value.startswith("s3://") else None
            if found:
                yield Problem(
                    f"step {step.name}",
                    f"{path} holds what looks like a time, {found.group()!r}: the cache would never hit.",
                    "Name the place after its contents instead.",
                )


def outputs_do_not_share_a_prefix(definition: Json) -> Iterator[Problem]:
    """S3Prefix inputs match strings: reading `…/test` reads `…/test_lst/…` as well."""
    for step in steps(definition):
        places = {name: _address(output) for name, output in step.outputs.items()}
        for name, address in places.items():
            for other, longer in places.items():
                if name != other and longer.startswith(address):
                    yield Problem(
                        f"step {step.name}",
                        f"whoever reads output {name!r} also gets {other!r}, whose address begins with the same text.",
                        "Give them addresses of which neither begins the other.",
                    )


def definition_fits(definition: Json) -> Iterator[Problem]:
    """The definition is of the known version and within the service's size."""
    if definition.get("Version") != VERSION:
        yield Problem("definition", f"version {definition.get('Version')!r} is unknown.", f"Use {VERSION}.")
    if not definition.get("Steps"):
        yield Problem("definition", "there is no step.", "Add one.")
    size = len(json.dumps(definition, separators=(",", ":")))
    if size > MAX_DEFINITION_CHARACTERS:
        fix = f"SageMaker takes {MAX_DEFINITION_CHARACTERS}: move what is long into files."
        yield Problem("definition", f"it has {size} characters.", fix)
    if len(definition.get("Parameters", [])) > MAX_PARAMETERS:
        fix = f"SageMaker takes {MAX_PARAMETERS}: make some of them settings."
        yield Problem("definition", f"it has {len(definition['Parameters'])} parameters.", fix)


def _address(output: Json) -> str:
    return _text((output.get("S3Output") or {}).get("S3Uri"))


def _text(value: Any) -> str:
    """An address as comparable text: joins written out, variables by their names."""
    if isinstance(value, dict) and "Std:Join" in value:
        join = value["Std:Join"]
        return str(join.get("On", "")).join(_text(part) for part in join.get("Values", []))
    return value if isinstance(value, str) else json.dumps(value)

"""Step caching: which attributes make a step's key, and which of them made it miss.

The attributes are those of AWS's documentation. Not among them: instances, role, outputs, tags, the stopping condition
and the *contents* of S3 objects, of which only the URI counts. The digest of every single value is kept with a
successful run, so that a miss can name the values that changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from localcloud.sagemaker.engine.expressions import NAME_MEMBERS, written

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "WarmStartConfig"),
    "QualityCheck": (
        "AppSpecification",
        "Environment",
        "ProcessingInputs",
        "CheckType",
        "SkipCheck",
        "RegisterNewBaseline",
    ),
    "EndpointConfig": ("EndpointConfigName", "ProductionVariants", "DataCaptureConfig", "KmsKeyId"),
    "Endpoint": ("EndpointName", "EndpointConfigName"),
    "Lambda": ("FunctionArn", "Arguments", "OutputParameters"),
    "Callback": ("SqsQueueUrl", "Arguments", "OutputParameters"),
}
"""The members of the request that make the key, by step type; steps of other types are never cached. Of Lambda,
Callback, EndpointConfig and Endpoint steps AWS documents no attributes: theirs are what decides what is made."""

_DIGITS = 16


@dataclass(frozen=True)
class CacheConfig:
    """A step's `CacheConfig`; without `expire_after` a result never expires."""

    expire_after: timedelta | None


@dataclass(frozen=True)
class Key:
    """The digest of a step's attributes, and the digest of every value in them by its path."""

    digest: str
    values: Mapping[str, str]


def key(step_type: str, request: Mapping[str, Any]) -> Key:
    """The cache key of a step whose resolved Create request is `request`."""
    attributes = {name: request[name] for name in ATTRIBUTES[step_type] if request.get(name) is not None}
    values = {path: digest(value) for name, value in attributes.items() for path, value in _leaves(value, (name,))}
    return Key(digest([step_type, attributes]), values)


def digest(value: Any) -> str:
    """The same short text for equal JSON values, whatever the order of their members."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def is_fresh(ended: float, config: CacheConfig, now: float) -> bool:
    """Whether a run that ended then may still be used; both times in epoch seconds."""
    return config.expire_after is None or now - ended <= config.expire_after.total_seconds()


def changed(earlier: Mapping[str, str], current: Mapping[str, str]) -> list[str]:
    """The paths whose values differ between two runs: changed, added or removed."""
    return sorted(path for path in {*earlier, *current} if earlier.get(path) != current.get(path))


def explanation(earlier: Mapping[str, str] | None, current: Mapping[str, str]) -> str:
    """One line on why a step missed the cache, against its most recent success (None when there was none)."""
    if earlier is None:
        return "missed because it has no earlier success"
    differences = [
        f"{path} {'is new' if path not in earlier else 'is gone' if path not in current else 'changed'}"
        for path in changed(earlier, current)
    ]
    return (
        f"missed because {', '.join(differences)}"
        if differences
        else "missed because the earlier success has expired or its job is gone"
    )


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            names = [item[member] for member in NAME_MEMBERS if member in item] if isinstance(item, dict) else []
            yield from _leaves(item, (*path, names[0] if names else index))
    else:
        yield written(path).lstrip("."), value

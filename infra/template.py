"""The CloudFormation template as text and as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).with_name("template.yaml")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms of functions, read as their long ones."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = str(node.value)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def text() -> str:
    """The template as it is sent to CloudFormation."""
    return PATH.read_text(encoding="utf-8")


def load() -> dict[str, Any]:
    """The template as data, every function in its long form (`{"Fn::Sub": ...}`)."""
    content: dict[str, Any] = yaml.load(text(), Loader=_Loader)  # noqa: S506 - a SafeLoader with functions added
    return content


def bucket_alone() -> dict[str, Any]:
    """A template with nothing but the bucket and its name, to bring an existing bucket into a new stack.

    CloudFormation does not compare an imported resource's properties with the real ones. Left out here, they all
    count as changes in the update that follows, which so sets them whatever the bucket was like.
    """
    whole = load()
    bucket = whole["Resources"]["Bucket"]
    bucket["Properties"] = {"BucketName": bucket["Properties"]["BucketName"]}
    return {**{key: whole[key] for key in ("AWSTemplateFormatVersion", "Parameters")}, "Resources": {"Bucket": bucket}}

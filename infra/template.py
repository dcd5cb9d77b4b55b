"""The CloudFormation template as text and as data: template.yaml, and the other parts merged into it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from project.names import Names

PARTS = tuple(
    Path(__file__).with_name(name) for name in ("template.yaml", "staging.yaml", "monitoring.yaml", "dashboard.yaml")
)
SECTIONS = ("Parameters", "Conditions", "Resources", "Outputs")


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
    """The template as it is sent to CloudFormation: one JSON document."""
    return json.dumps(load(), separators=(",", ":"))


def load() -> dict[str, Any]:
    """The template as data, every function in its long form (`{"Fn::Sub": ...}`)."""
    whole: dict[str, Any] = {}
    for part in map(read, PARTS):
        whole |= {name: {**whole.get(name, {}), **part[name]} if name in SECTIONS else part[name] for name in part}
    return whole


def read(path: Path) -> dict[str, Any]:
    """One YAML file of CloudFormation as data."""
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return content


def parameters(names: Names, keys: Mapping[str, str]) -> dict[str, str]:
    """A value for every parameter of the template that has no default: settings, and the `keys` of artifacts."""
    from pipelines.definition import (
        images,  # the SDK knows which registry a region has, and takes its time to be imported
    )

    chosen = names.settings
    return {
        "ProjectName": chosen.project,
        "Classes": ",".join(chosen.classes),
        "Routes": json.dumps(chosen.routes, sort_keys=True),
        "ConfidenceThreshold": f"{chosen.confidence_threshold:.6f}".rstrip("0").removesuffix("."),
        "UnfamiliarityLimit": f"{chosen.unfamiliarity_limit:.6f}".rstrip("0").removesuffix("."),
        "ImageSize": f"{chosen.image_size}x{chosen.image_size}",
        "EndpointInstanceType": chosen.instances.endpoint,
        "EndpointInstanceCount": str(chosen.serving.instance_count),
        "EndpointMaxInstances": str(chosen.serving.max_instances),
        "EndpointTargetInvocations": str(chosen.serving.target_invocations),
        "EndpointScaleInSeconds": str(chosen.serving.scale_in_seconds),
        "BatchSize": str(chosen.batch.size),
        "BatchConcurrency": str(chosen.batch_concurrency),
        "CapturePercentage": str(chosen.serving.capture_percentage),
        "BakeSeconds": str(chosen.serving.bake_seconds),
        "AlertEmail": chosen.serving.alert_email,
        "MonitorImage": images.processing(chosen.region),
        "MonitorInstanceType": chosen.instances.processing,
        "MonitorScheduler": chosen.monitor.scheduler,
        "MinimumRecords": str(chosen.monitor.minimum_records),
        "RetrainOnDrift": "ENABLED" if chosen.monitor.retrain_on_drift else "DISABLED",
        **keys,
    }


def resources(values: Mapping[str, str]) -> dict[str, str]:
    """Logical name to type of what the template creates with these parameters.

    Every condition of the template asks whether a parameter is empty: Has<parameter>.
    """
    return {
        logical: resource["Type"]
        for logical, resource in load()["Resources"].items()
        if values.get(resource.get("Condition", "HasProjectName").removeprefix("Has"))
    }


def placeholders() -> dict[str, set[str]]:
    """For each state machine (batch, deploy, …) the placeholders of its definition that the template fills."""
    machines = [r for r in load()["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine"]
    return {
        machine["Properties"]["DefinitionS3Location"]["Key"]["Ref"].removesuffix("Definition").lower(): set(
            machine["Properties"]["DefinitionSubstitutions"]
        )
        for machine in machines
    }


def bucket_alone(adopting: bool) -> str:
    """A template with nothing but the bucket: what a new stack begins with, so that code can be uploaded into it.

    Args:
        adopting: with nothing but its name, to bring an existing bucket in. CloudFormation does not compare an imported
            resource's properties with the real ones. Left out here, they all count as changes in the update that
            follows, which so sets them whatever its settings were.
    """
    whole = load()
    bucket = whole["Resources"]["Bucket"]
    if adopting:
        bucket["Properties"] = {"BucketName": bucket["Properties"]["BucketName"]}
    return json.dumps(
        {
            "AWSTemplateFormatVersion": whole["AWSTemplateFormatVersion"],
            "Parameters": {"ProjectName": whole["Parameters"]["ProjectName"]},
            "Resources": {"Bucket": bucket},
        }
    )

"""What the service writes into a resource for members that the request left out: the answers of Describe show it.

The members and values are those of AWS's recorded answers (public recordings of 2018 to 2026, which show requests
beside answers) and of the API reference. They are added to the answer, not to the record, so that a job still knows
what its request said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Defaults = Mapping[str, Any]
"""Values by path: `Outputs[].AppManaged` is a member of every item. A path through what is not there adds nothing, so
a structure that the service writes whole stands before its members."""

_CHANNEL = {
    "CompressionType": "None",
    "RecordWrapperType": "None",
    "DataSource.S3DataSource.S3DataDistributionType": "FullyReplicated",
}
_TRAINING = {
    **{f"InputDataConfig[].{path}": value for path, value in _CHANNEL.items()},
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}
_RANGES = "HyperParameterTuningJobConfig.ParameterRanges"
_TUNED = {**_TRAINING, "StaticHyperParameters": {}}
_CONTAINER = {"Mode": "SingleModel", "Environment": {}}


def _quality(kind: str) -> Defaults:
    """A quality job definition's defaults; its members begin with `kind`."""
    inputs = {
        f"{kind}JobInput.{source}.{member}": value
        for source in ("EndpointInput", "BatchTransformInput")
        for member, value in (("S3InputMode", "File"), ("S3DataDistributionType", "FullyReplicated"))
    }
    return {
        **inputs,
        f"{kind}JobOutputConfig.MonitoringOutputs[].S3Output.S3UploadMode": "EndOfJob",
        "StoppingCondition": {},
        "StoppingCondition.MaxRuntimeInSeconds": 3600,
    }


WRITTEN: Mapping[str, Defaults] = {
    "DescribeDataQualityJobDefinition": _quality("DataQuality"),
    "DescribeEndpointConfig": {"EnableNetworkIsolation": False},
    "DescribeHyperParameterTuningJob": {
        f"{_RANGES}.IntegerParameterRanges": [],
        f"{_RANGES}.ContinuousParameterRanges": [],
        f"{_RANGES}.CategoricalParameterRanges": [],
        f"{_RANGES}.IntegerParameterRanges[].ScalingType": "Linear",
        f"{_RANGES}.ContinuousParameterRanges[].ScalingType": "Linear",
        **{f"TrainingJobDefinition.{path}": value for path, value in _TUNED.items()},
        **{f"TrainingJobDefinitions[].{path}": value for path, value in _TUNED.items()},
        "TuningJobCompletionDetails": {},
        "TuningJobCompletionDetails.NumberOfTrainingJobsObjectiveNotImproving": 0,
    },
    "DescribeModel": {
        **{f"PrimaryContainer.{path}": value for path, value in _CONTAINER.items()},
        **{f"Containers[].{path}": value for path, value in _CONTAINER.items()},
        "EnableNetworkIsolation": False,
    },
    "DescribeModelQualityJobDefinition": _quality("ModelQuality"),
    "DescribeProcessingJob": {
        "ProcessingInputs[].AppManaged": False,
        "ProcessingInputs[].S3Input.S3DataDistributionType": "FullyReplicated",
        "ProcessingInputs[].S3Input.S3CompressionType": "None",
        "ProcessingOutputConfig.Outputs[].AppManaged": False,
        "NetworkConfig": {},
        "NetworkConfig.EnableInterContainerTrafficEncryption": False,
        "NetworkConfig.EnableNetworkIsolation": False,
        "StoppingCondition": {},
        "StoppingCondition.MaxRuntimeInSeconds": 86_400,
    },
    "DescribeTrainingJob": {
        **_TRAINING,
        "HyperParameters": {},
        "OutputDataConfig.CompressionType": "GZIP",
        "OutputDataConfig.KmsKeyId": "",
    },
    "DescribeTransformJob": {
        "TransformInput.CompressionType": "None",
        "TransformInput.SplitType": "None",
        "TransformOutput.AssembleWith": "None",
        "TransformOutput.KmsKeyId": "",
    },
}
"""By operation; an operation that is not here answers as the record has it."""


def completed(operation: str, answer: Any) -> Any:
    """The answer of an operation with what the service writes; the answer itself is left as it is."""
    for path, value in WRITTEN.get(operation, {}).items():
        answer = _with(answer, path.split("."), value)
    return answer


def _with(document: Any, path: list[str], value: Any) -> Any:
    """`document` with `value` at `path`, unless something is there or nothing leads there."""
    if not isinstance(document, dict):
        return document
    member, *rest = path
    if not rest:
        return document if document.get(member) is not None else {**document, member: value}
    name = member.removesuffix("[]")
    inner = document.get(name)
    if inner is None:
        return document
    if member.endswith("[]"):
        return {**document, name: [_with(item, rest, value) for item in inner]}
    return {**document, name: _with(inner, rest, value)}

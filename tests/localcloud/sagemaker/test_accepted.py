"""The limitations' table of what is accepted and not acted on is whole, and true.

A handler reads a member by its name: a name that stands nowhere in the source is read by nobody. So the members
that are listed are compared with AWS's model and with the strings of the source.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore.model import ListShape, Shape, StructureShape

import localcloud
from localcloud.sagemaker import operations, protocol, registry

ROOT = Path(localcloud.__file__).parent
LIMITATIONS = Path(__file__).parents[3] / "docs" / "limitations.md"
NAMES_USED_ELSEWHERE = {
    *("InstanceType", "EnableManagedSpotTraining", "EnableInterContainerTrafficEncryption"),
    *("KmsKeyId", "BaseliningJobName", "VolumeSizeInGB"),
}
"""Handlers have these words, of another place or operation or for a check: that nobody acts on them, only a person can
tell."""
DESCRIBES = {
    *("ModelPackageDescription", "ModelMetrics", "Domain", "Task", "SamplePayloadUrl", "DriftCheckBaselines"),
    *("MetadataProperties", "ModelCard", "ModelLifeCycle", "ModelPackageGroupDescription"),
    *("InferenceSpecification", "AdditionalInferenceSpecifications", "AdditionalInferenceSpecificationsToAdd"),
}
"""Of a model package and its group: what is kept for people and answered by Describe, on AWS as here."""
MONITORED = "MonitoringScheduleConfig.MonitoringJobDefinition"
REFUSED = {
    "CreateEndpoint": {"DeploymentConfig.RollingUpdatePolicy"},
    "UpdateEndpoint": {"DeploymentConfig.RollingUpdatePolicy"},
    "CreateEndpointConfig": {
        *("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "ProductionVariants[].InstancePools"),
        *("ProductionVariants[].CapacityReservationConfig", "ProductionVariants[].ManagedInstanceScaling"),
    },
    "CreateHyperParameterTuningJob": {
        *(
            "HyperParameterTuningJobConfig.StrategyConfig",
            "HyperParameterTuningJobConfig.ParameterRanges.AutoParameters",
        ),
        *("TrainingJobDefinition.HyperParameterRanges", "TrainingJobDefinitions", "WarmStartConfig"),
    },
    "CreateModel": {"PrimaryContainer.ModelDataSource", "Containers[].ModelDataSource"},
    "CreateModelPackage": {"SourceAlgorithmSpecification"},
    "CreateMonitoringSchedule": {f"{MONITORED}.MonitoringInputs[].BatchTransformInput"},
    "UpdateMonitoringSchedule": {f"{MONITORED}.MonitoringInputs[].BatchTransformInput"},
    "CreateProcessingJob": {
        "ProcessingInputs[].DatasetDefinition",
        "ProcessingOutputConfig.Outputs[].FeatureStoreOutput",
    },
    "CreateTrainingJob": {
        *("AlgorithmSpecification.AlgorithmName", "DebugRuleConfigurations", "ServerlessJobConfig"),
        *("InputDataConfig[].DataSource.FileSystemDataSource", "InputDataConfig[].DataSource.DatasetSource"),
    },
    "StartPipelineExecution": {"SelectiveExecutionConfig"},
}
"""By operation, members whose request is refused, or whatever would use them."""
COMPUTED = re.compile(
    r"(?:DataQuality|ModelQuality)(?:BaselineConfig|AppSpecification|JobInput|JobOutputConfig)"
    r"|DataAnalysis(?:Start|End)Time|ScheduledTime(?:After|Before)|(?:Constraints|Statistics)Resource"
)
"""Members that handlers read by a name that they put together."""
operations.load()


@cache
def table() -> dict[str, set[str]]:
    """The limitations' table: by operation, its members."""
    text = LIMITATIONS.read_text(encoding="utf-8").partition("## Accepted and not acted on")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = {}
    for row in (line.split("|") for line in text.splitlines() if line.startswith("| `")):
        for operation in re.findall("`(.*?)`", row[1]):
            found.setdefault(operation, set()).update(re.findall("`(.*?)`", row[2]))
    return found


@cache
def words() -> set[str]:
    """Every string that the handlers have: the names of the members that they read are among them."""
    files = [file for room in ("sagemaker", "programs") for file in (ROOT / room).rglob("*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def members(shape: Shape, path: str = "", inside: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all members of a shape, those below others as well."""
    if isinstance(shape, ListShape):
        yield from members(shape.member, f"{path}[]", inside)
    elif isinstance(shape, StructureShape) and shape.name not in inside:
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from members(member, below, (*inside, shape.name))


def paths(operation: str) -> list[str]:
    shape = protocol.operation(operation).input_shape
    return list(members(shape)) if shape else []


def name(path: str) -> str:
    return path.rpartition(".")[2].removesuffix("[]")


def covered(path: str, known: set[str]) -> bool:
    """Whether a path is one of those known, or below one."""
    return any(path == one or path.startswith((f"{one}.", f"{one}[]")) for one in known)


def known(operation: str) -> set[str]:
    """The members of an operation that no handler need read; a search hands its definition on to training jobs."""
    found = table().get(operation, set()) | REFUSED.get(operation, set())
    if operation == "CreateHyperParameterTuningJob":
        found |= {f"TrainingJobDefinition.{member}" for member in known("CreateTrainingJob")}
    return found | DESCRIBES if "ModelPackage" in operation else found


@pytest.mark.parametrize("operation", registry.implemented())
def test_what_no_handler_reads_is_listed(operation: str) -> None:
    unread = [path for path in paths(operation) if name(path) not in words()]
    left = [path for path in unread if not any(COMPUTED.fullmatch(name(part)) for part in parents(path))]
    assert not [path for path in left if not covered(path, known(operation))], "put it into docs/limitations.md"


def parents(path: str) -> list[str]:
    """The path, and those of what it is below."""
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@pytest.mark.parametrize("operation", sorted({*table(), *REFUSED}))
def test_what_is_listed_is_in_the_model_and_read_by_nobody(operation: str) -> None:
    there = paths(operation)
    assert table().get(operation, set()) | REFUSED.get(operation, set()) <= set(there)
    for member in table().get(operation, set()):
        below = [path for path in there if covered(path, {member})]
        unread = any(name(path) not in words() for path in below)
        assert unread or name(member) in NAMES_USED_ELSEWHERE, f"{member} is read now: take it from docs/limitations.md"


def test_the_table_is_there() -> None:
    assert sum(map(len, table().values())) > 50

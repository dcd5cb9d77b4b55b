"""The API operations behind each type of step that the local SageMaker runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.contract.definition import is_expression
from localcloud.contract.requests import violations
from localcloud.sagemaker import protocol
from localcloud.sagemaker.engine.expressions import Path
from localcloud.service.shapes import worded


@dataclass(frozen=True)
class StepType:
    """How a step makes its resource, and how the resource says what became of it.

    Attributes:
        name: the member of the requests that holds the resource's name.
        arn: the member of the answers that holds its ARN.
        metadata: the member of a step's `Metadata` that holds the ARN.
        stop: the operation that stops it, and `status` the member that holds its status; both only for jobs.
        named: whether a step may choose the resource's name itself.
        longest_name: how long the resource's name may be.
    """

    create: str
    describe: str
    name: str
    arn: str
    metadata: str
    stop: str = ""
    status: str = ""
    named: bool = False
    longest_name: int = 63


def _job(kind: str, metadata: str = "", longest_name: int = 63) -> StepType:
    return StepType(
        create=f"Create{kind}",
        describe=f"Describe{kind}",
        name=f"{kind}Name",
        arn=f"{kind}Arn",
        metadata=metadata or kind,
        stop=f"Stop{kind}",
        status=f"{kind}Status",
        longest_name=longest_name,
    )


JOBS = {
    "Processing": _job("ProcessingJob"),
    "Training": _job("TrainingJob"),
    "Transform": _job("TransformJob"),
    "Tuning": _job("HyperParameterTuningJob", "TuningJob", longest_name=32),
}
KINDS = {
    **JOBS,
    "Model": StepType("CreateModel", "DescribeModel", "ModelName", "ModelArn", "Model"),
    "RegisterModel": StepType(
        "CreateModelPackage", "DescribeModelPackage", "ModelPackageName", "ModelPackageArn", "RegisterModel"
    ),
    "QualityCheck": _job("ProcessingJob", "QualityCheck"),
    "EndpointConfig": StepType(
        "CreateEndpointConfig",
        "DescribeEndpointConfig",
        "EndpointConfigName",
        "EndpointConfigArn",
        "EndpointConfig",
        named=True,
    ),
    "Endpoint": StepType(
        "CreateEndpoint",
        "DescribeEndpoint",
        "EndpointName",
        "EndpointArn",
        "Endpoint",
        status="EndpointStatus",
        named=True,
    ),
}
IMPLEMENTED = (*KINDS, "Lambda", "Callback", "Condition", "Fail")
REFUSED = {
    "ClarifyCheck": "there is no Clarify here: compute bias or explanations in a Processing step",
    "EMR": "there is no cluster here: use a Processing step, or start the work from a Lambda or Callback step",
    "EMRServerless": "there is no EMR here: use a Processing step, or start the work from a Lambda or Callback step",
    "NotebookJob": "notebooks are not run here: make a script of it for a Processing or Training step",
    "AutoML": "there is no Autopilot here: use a Tuning step over a training script",
    "InferenceComponent": "endpoints here serve models: name the model in an EndpointConfig step",
    "Lineage": "lineage is not recorded here: leave the step out",
    "Job": "there is no CreateJob here: use a Training, Processing or Transform step",
    "Cleanup": "delete resources in a Lambda step",
    "ForEach": "write the steps out, once for each item",
    "BedrockCustomModel": "there is no Bedrock here",
    "BedrockCustomModelDeployment": "there is no Bedrock here",
    "BedrockProvisionedModelThroughput": "there is no Bedrock here",
    "BedrockModelImport": "there is no Bedrock here",
}
"""Step types that AWS has and that are refused, and what to do instead: SDK 3.27's StepTypeEnum, the service model's
metadata of steps, and NotebookJob, which the SDK renders as a Training step with an image of its own."""
CHECK_PROPERTIES = (
    "CalculatedBaselineConstraints",
    "CalculatedBaselineStatistics",
    "BaselineUsedForDriftCheckConstraints",
    "BaselineUsedForDriftCheckStatistics",
)
"""The properties of a QualityCheck step: the SDK's QualityCheckStep."""

DONE = ("Completed", "Failed", "Stopped")


def job_name(execution_id: str, step: str, suffix: str, longest: int = 63, prefix: str = "") -> str:
    """`pipelines-<execution id>-<step>-<suffix>`, the step's name cut so that the whole is a valid name.

    Where there is no room for that, the name begins with the execution's id. With a prefix of the step's own, which
    the SDK renders with `use_custom_job_prefix`, it is `<prefix>-<execution id>-<suffix>`.
    """
    if prefix:
        tail = f"-{execution_id}-{suffix}"[-longest + 1 :]
        return f"{prefix[: longest - len(tail)].rstrip('-')}{tail}"
    head, tail = f"pipelines-{execution_id}-" if longest >= 63 else f"{execution_id}-", f"-{suffix}"
    middle = step.replace("_", "-")[: longest - len(head) - len(tail)].strip("-")
    return f"{head}{middle}{tail}" if middle else f"{head}{suffix}"


@cache
def has_property(step_type: str, path: Path) -> bool:
    """Whether a step of this type can have a property at `path`, by the model of its Describe operation."""
    if step_type == "Condition":
        return path == ("Outcome",)
    if step_type == "QualityCheck":
        return len(path) == 1 and path[0] in CHECK_PROPERTIES
    return property_shape(step_type, path) is not None


@cache
def property_shape(step_type: str, path: Path) -> Shape | None:
    """What the model of its Describe operation says of a step's property at `path`, if there is one."""
    if step_type not in KINDS or step_type == "QualityCheck":
        return None
    describe = KINDS[step_type].describe
    if step_type == "Tuning" and path[:1] == ("TrainingJobSummaries",):
        describe = "ListTrainingJobsForHyperParameterTuningJob"
    shape: Shape | None = protocol.operation(describe).output_shape
    for part in path:
        if isinstance(shape, StructureShape):
            shape = shape.members.get(part)
        elif isinstance(shape, ListShape):
            shape = shape.member
        elif isinstance(shape, MapShape):
            shape = shape.value
        else:
            return None
    return shape


def argument_problems(step_type: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """What the model of the Create operation refuses in a step's arguments; expressions in them may become anything."""
    kind = KINDS[step_type]
    name = {} if step_type == "RegisterModel" else {kind.name: arguments.get(kind.name) or "name"}
    shape = protocol.operation(kind.create).input_shape
    if shape is not None:
        yield from map(worded, violations(shape, {**arguments, **name}, is_open=is_expression))

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
    """

    create: str
    describe: str
    name: str
    arn: str
    metadata: str
    stop: str = ""
    status: str = ""


def _job(kind: str) -> StepType:
    return StepType(
        create=f"Create{kind}",
        describe=f"Describe{kind}",
        name=f"{kind}Name",
        arn=f"{kind}Arn",
        metadata=kind,
        stop=f"Stop{kind}",
        status=f"{kind}Status",
    )


JOBS = {"Processing": _job("ProcessingJob"), "Training": _job("TrainingJob"), "Transform": _job("TransformJob")}
KINDS = {
    **JOBS,
    "Model": StepType("CreateModel", "DescribeModel", "ModelName", "ModelArn", "Model"),
    "RegisterModel": StepType(
        "CreateModelPackage", "DescribeModelPackage", "ModelPackageName", "ModelPackageArn", "RegisterModel"
    ),
}
IMPLEMENTED = (*KINDS, "Condition", "Fail")

JOB_NAME_LENGTH = 63
DONE = ("Completed", "Failed", "Stopped")


def job_name(execution_id: str, step: str, suffix: str) -> str:
    """`pipelines-<execution id>-<step>-<suffix>`, the step's name cut so that the whole is a valid job name."""
    head, tail = f"pipelines-{execution_id}-", f"-{suffix}"
    middle = step.replace("_", "-")[: JOB_NAME_LENGTH - len(head) - len(tail)].strip("-")
    return f"{head}{middle}{tail}" if middle else f"{head}{suffix}"


@cache
def has_property(step_type: str, path: Path) -> bool:
    """Whether a step of this type can have a property at `path`, by the model of its Describe operation."""
    if step_type == "Condition":
        return path == ("Outcome",)
    if step_type not in KINDS:
        return False
    shape: Shape | None = protocol.operation(KINDS[step_type].describe).output_shape
    for part in path:
        if isinstance(shape, StructureShape):
            shape = shape.members.get(part)
        elif isinstance(shape, ListShape):
            shape = shape.member
        elif isinstance(shape, MapShape):
            shape = shape.value
        else:
            return False
    return shape is not None


def argument_problems(step_type: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """What the model of the Create operation refuses in a step's arguments; expressions in them may become anything."""
    kind = KINDS[step_type]
    name = {} if step_type == "RegisterModel" else {kind.name: "name"}
    shape = protocol.operation(kind.create).input_shape
    if shape is not None:
        yield from map(worded, violations(shape, {**arguments, **name}, is_open=is_expression))

"""What a reference in a step's arguments gives, held against what stands there: a number is no text.

AWS refuses at CreatePipeline: "Cannot assign property reference [Parameters.split_number] to argument of type
[String]." (aws/sagemaker-python-sdk issue 4867). Only scalars are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.contract.definition import is_expression
from localcloud.sagemaker import protocol
from localcloud.sagemaker.engine.definition import PipelineDefinition, RunnableStep
from localcloud.sagemaker.engine.expressions import ParsedReference, parse_get
from localcloud.sagemaker.engine.step_types import KINDS, property_shape

NAMES = {
    "string": "String",
    "integer": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
    "boolean": "Boolean",
}
"""The types of the service model as parameters have them; times have none, and are never compared."""
OWN_TEXTS = (
    "FunctionArn",
    "SqsQueueUrl",
    "ModelPackageGroupName",
    "SuppliedBaselineStatistics",
    "SuppliedBaselineConstraints",
)
"""Members that steps have beside their arguments, and that are text."""
WIDER = {("Integer", "Float")}
"""What may be assigned to another type."""


def problems(definition: PipelineDefinition) -> Iterator[str]:
    """Where a reference of another type stands; every reference leads somewhere."""
    steps = definition.steps.values()
    texts = [definition.experiment, definition.mlflow, *(_texts(step) for step in steps)]
    found = [(parse_get(value["Get"]), "String") for own in texts for value in own.values() if "Get" in value]
    for step in steps:
        if step.type in KINDS:
            found += _references(protocol.operation(KINDS[step.type].create).input_shape, step.arguments)
    for reference, wanted in found:
        given = _given(reference, definition)
        if given and given != wanted and (given, wanted) not in WIDER:
            yield f"Cannot assign property reference [{reference}] to argument of type [{wanted}]."


def _texts(step: RunnableStep) -> Mapping[str, Any]:
    """What is text among the members that only steps of this type have."""
    return {name: value for name, value in step.own.items() if name in OWN_TEXTS}


def _references(shape: Shape | None, value: Any) -> Iterator[tuple[ParsedReference, str]]:
    """Every `Get` that stands where the model has a scalar, and the scalar's type."""
    if is_expression(value):
        if "Get" in value and shape is not None and shape.type_name in NAMES:
            yield parse_get(value["Get"]), NAMES[shape.type_name]
    elif isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _references(shape.members.get(name), item)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            yield from _references(shape.member, item)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for item in value.values():
            yield from _references(shape.value, item)


def _given(reference: ParsedReference, definition: PipelineDefinition) -> str | None:
    """The type of what a reference gives, if that is a known scalar."""
    if reference.root == "Parameters":
        return definition.parameters[reference.name].type
    if reference.root == "Execution":
        return "String"
    found = property_shape(definition.steps[reference.name].type, reference.path)
    return NAMES.get(found.type_name) if found is not None else None

"""The reader of pipeline definitions that the checks, the drawings and the local SageMaker share."""

from localcloud.contract.definition import (
    OUTPUT_REFERENCE,
    Json,
    Step,
    cycle,
    dependencies,
    depends_on,
    literals,
    references,
    step_named_in,
    steps,
)

__all__ = [
    "OUTPUT_REFERENCE",
    "Json",
    "Step",
    "cycle",
    "dependencies",
    "depends_on",
    "literals",
    "references",
    "step_named_in",
    "steps",
]

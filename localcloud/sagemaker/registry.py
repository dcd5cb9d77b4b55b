"""The API operations that the local SageMaker implements, by name; the modules of operations/ register themselves."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import protocol
from localcloud.service import operations

Handler = operations.Handler[Any]
"""(the Cloud, the checked request) to the answer's body. The Cloud's type is not named: it calls what is registered."""

OPERATIONS: operations.Operations[Any] = operations.Operations("SageMaker", protocol.operation)
operation = OPERATIONS.operation
implemented = OPERATIONS.implemented
handler = OPERATIONS.handler
